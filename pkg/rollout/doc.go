// Package rollout moves a release from one colour to the other and, when it
// must, back again.
//
// It is two things kept apart. The machine is the pure function Step: given
// the policy of a release, the state of a run and one observation, it says
// the next state. It reads no clock, no cluster and no file, so every path
// through it is a table test and a recorded run replays to itself. Its
// phases, their deadlines and where each leads are one table (Phases), and
// what always holds is one list (Invariants), against which the tests explore
// every state and every observation. docs/states.md is generated from both.
//
// The Runner is everything else: it performs what the current phase asks
// for, turns what it saw into an observation, lets Step decide, and writes
// the decision to the journal before it acts on it. Each write to the
// cluster has an intent in the journal before it and a result after it, and
// carries the run's fence, so that a kill at any instant leaves a state from
// which Resume or Rollback goes on.
//
// Three rules hold everywhere. Switching is not moving: a switch is proven
// on the control plane before a hold begins and a shift ends only when the
// old side's residual requests are zero, or are said to be unknown. Going
// back always wins and never waits for a metric. And a source that does not
// answer is never a failure of the release: it holds, and past its deadline
// the policy says what happens.
package rollout
