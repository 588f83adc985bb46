package rollout

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Machine is a step function. Step is the one that runs; a test that wants to
// see an invariant broken holds another against it.
type Machine func(Policy, State, Observation) State

// Transition is what a machine made of one state and one observation.
type Transition struct {
	// Machine is asked again where an invariant is about what follows.
	Machine Machine
	Policy  Policy
	Before  State
	Seen    Observation
	After   State
}

// Invariant is what holds for every transition, whatever was seen before it.
// Where it is about what follows, that is what the same machine makes of the
// state that was entered.
type Invariant struct {
	// Name is stable.
	Name string
	// Statement is one sentence, for docs/states.md.
	Statement string
	// Holds says how a transition breaks the invariant, nil when it doesn't.
	Holds func(Transition) error
}

// Invariants are what no sequence of observations can break. They stand in
// docs/states.md, and the machine is explored against them.
func Invariants() []Invariant {
	return []Invariant{
		{"rollback reachable from everywhere", "whatever state an unfinished run is in, a person's `rollback` leads to rolled-back as long as its phases succeed, and a `stop` leads to revert once traffic was moved, and ends the run before that", rollbackReachable},
		{"no advance without pass", "the next step, and the end of a watch, come only with a reading whose gate lets the run advance, not while requests have not followed the switch, and not before the hold or the watch is over", noAdvanceWithoutPass},
		{"no phase is skipped", "a phase is entered from the one before it in the table, once that one has succeeded, or where the table lets its failure pass, or where what drain waits for keeps nobody; done and rolled-back are no exceptions", noPhaseSkipped},
		{"no write without intent", "the split of the route, and a preview, are written in switch and revert alone, and the state that is journalled before says that traffic may have moved", noWriteWithoutIntent},
		{"no terminal state without a record", "every end but done says why, nothing leaves an end, and a phase that stays changes nothing that a kill must not lose", noTerminalWithoutRecord},
		{"freeze never rolls back by itself", "with gates.onFailure: freeze only a `stop` leads from a forward phase to the way back", freezeNeverRollsBack},
		{"what can't be seen is no verdict", "where gates.sourceDown.policy is hold, a phase in which nothing could be learned of the release never leads to the way back", blindnessIsNoVerdict},
		{"nothing moved, nothing to give back", "a run is on the way back only where traffic may have been moved", nothingToGiveBack},
		{"what was moved is never blocked", "blocked means that nothing was moved, and that traffic may have been moved is never forgotten", movedNeverBlocked},
		{"the way back never leads forward", "from the way back a run comes to rolled-back, held or unproven, and everything is asked for the old side", wayBackStays},
		{"what stands can go on", "`resume` goes on with the phase that a run was held or left in, and with revert where the way back could not be proven", canGoOn},
		{"every phase has an end", "a phase in which nothing is seen but waiting ends with its deadline, a hold or a watch with gates.sourceDown.deadline, and so does one whose gate never opens", everyPhaseEnds},
	}
}

func rollbackReachable(t Transition) error {
	switch t.After.Phase {
	case Done, RolledBack, Decommissioned, Blocked:
		return nil
	}
	state := back(t.After, "asked", t.Seen.At)
	for range table {
		if state.Phase.Terminal() {
			break
		}
		state = t.Machine(t.Policy, state, Observation{Kind: Succeeded, At: t.Seen.At, Message: "succeeded"})
	}
	if state.Phase != RolledBack {
		return fmt.Errorf("a rollback from %s ends in %s", t.After.Phase, state.Phase)
	}
	if t.After.Phase.Terminal() {
		return nil // no process is left that could see a stop
	}
	want := Blocked
	switch {
	case t.After.Phase.Reverse():
		want = t.After.Phase
	case t.After.Moved:
		want = Revert
	}
	state = t.Machine(t.Policy, t.After, Observation{Kind: Stopped, At: t.Seen.At, Message: "stop"})
	if state.Phase != want {
		return fmt.Errorf("a stop in %s leads to %s, not to %s", t.After.Phase, state.Phase, want)
	}
	return nil
}

func noAdvanceWithoutPass(t Transition) error {
	steps := t.After.Step - t.Before.Step
	ended := t.Before.Phase == Watch && t.After.Phase == Confirm
	switch {
	case steps == 0 && !ended:
		return nil
	case steps < 0, steps > 1, t.Before.Step >= len(t.Policy.Steps):
		return fmt.Errorf("step %d follows step %d", t.After.Step, t.Before.Step)
	case !gated(t.Before.Phase), t.Seen.Kind != Ticked, !t.Seen.Decision.Advance:
		return fmt.Errorf("%s ended at step %d without a gate that passed", t.Before.Phase, t.Before.Step)
	case t.Seen.DataPlane.Following == NotFollowed:
		return fmt.Errorf("%s ended at step %d though requests have not followed the switch", t.Before.Phase, t.Before.Step)
	case t.Seen.At.Before(t.Before.ends(t.Policy)):
		return fmt.Errorf("%s ended at step %d before its time", t.Before.Phase, t.Before.Step)
	}
	return nil
}

func noPhaseSkipped(t Transition) error {
	before, after := t.Before.Phase, t.After.Phase
	switch after {
	case before, Revert, Held, Blocked, Unproven:
		return nil
	}
	rule := ruleOf(before)
	if after != rule.OnSuccess && (before != Prove || after != Watch) {
		return fmt.Errorf("%s is followed by %s", before, after)
	}
	yields := before == Drain && t.Seen.Yields
	if !gated(before) && t.Seen.Kind != Succeeded && !yields && rule.OnFailure != after {
		return fmt.Errorf("%s is followed by %s though it has not succeeded", before, after)
	}
	return nil
}

func noWriteWithoutIntent(t Transition) error {
	if writes(t.After.Phase) && !t.After.Moved {
		return fmt.Errorf("%s is entered with nothing on record that may have moved", t.After.Phase)
	}
	if t.After.Phase.Terminal() {
		return nil
	}
	if err := t.After.Split(t.Policy).Validate(); err != nil {
		return err
	}
	if writes(t.Before.Phase) || writes(t.After.Phase) {
		return nil
	}
	given := traffic.Shares(t.Before.expected(t.Policy), t.Before.expectedPreview(t.Policy))
	if asked := traffic.Shares(t.After.expected(t.Policy), t.After.expectedPreview(t.Policy)); given != asked {
		return fmt.Errorf("%s expects %s after %s with %s, and nothing was written", t.After.Phase, asked, t.Before.Phase, given)
	}
	return nil
}

// writes reports whether a phase writes the route.
func writes(phase Phase) bool { return phase == Switch || phase == Revert }

func noTerminalWithoutRecord(t Transition) error {
	after := t.After
	switch {
	case after.Phase != t.Before.Phase && after.Phase.Terminal() && after.Phase != Done && after.Reason == "":
		return fmt.Errorf("%s ends in %s and nobody knows why", t.Before.Phase, after.Phase)
	case after.Phase != t.Before.Phase && !t.Before.Phase.Terminal():
		return nil
	case t.Seen.Learned != nil:
		return nil // what was learned is journalled
	}
	if !t.Before.Phase.Terminal() {
		// The patience with a source and the gate's memory begin again, and
		// who gets the requests is read again.
		after.Unanswered, after.Sighted, after.Closed = t.Before.Unanswered, t.Before.Sighted, t.Before.Closed
		after.Gate, after.Relative, after.DataPlane = t.Before.Gate, t.Before.Relative, t.Before.DataPlane
	}
	if !reflect.DeepEqual(after, t.Before) {
		return fmt.Errorf("%s changed to %s without a record", t.Before.Phase, after.Phase)
	}
	return nil
}

func freezeNeverRollsBack(t Transition) error {
	began := !t.Before.Phase.Reverse() && t.After.Phase.Reverse()
	if t.Policy.of(t.Before).OnFailure == release.PolicyFreeze && began && t.Seen.Kind != Stopped {
		return fmt.Errorf("%s went back by itself on %s", t.Before.Phase, t.Seen.Kind)
	}
	return nil
}

func blindnessIsNoVerdict(t Transition) error {
	began := !t.Before.Phase.Reverse() && t.After.Phase.Reverse()
	if t.Policy.SourceDown.Policy == release.PolicyHold && began && t.Seen.Unseen {
		return fmt.Errorf("%s went back though nothing was seen", t.Before.Phase)
	}
	return nil
}

func nothingToGiveBack(t Transition) error {
	if (t.After.Phase.Reverse() || t.After.Phase == Unproven) && !t.After.Moved {
		return fmt.Errorf("%s leads to %s though nothing was moved", t.Before.Phase, t.After.Phase)
	}
	return nil
}

func movedNeverBlocked(t Transition) error {
	switch {
	case t.Before.Moved && !t.After.Moved:
		return fmt.Errorf("%s forgot that traffic may have moved", t.Before.Phase)
	case t.After.Moved && t.After.Phase == Blocked:
		return fmt.Errorf("%s is blocked though traffic may have moved", t.Before.Phase)
	}
	return nil
}

func wayBackStays(t Transition) error {
	if t.After.Phase.Reverse() && !t.After.Split(t.Policy).Equal(traffic.Whole(t.After.From)) {
		return fmt.Errorf("%s asks for %s", t.After.Phase, t.After.Split(t.Policy))
	}
	if !t.Before.Phase.Reverse() || t.After.Phase.Reverse() {
		return nil
	}
	switch t.After.Phase {
	case RolledBack, Unproven:
		return nil
	case Held:
		if t.After.Resume.Reverse() {
			return nil
		}
	}
	return fmt.Errorf("%s leads to %s", t.Before.Phase, t.After.Phase)
}

func canGoOn(t Transition) error {
	want := t.After.Phase
	switch {
	case want == Unproven:
		want = Revert
	case want == Held && t.Before.Phase != Held:
		want = t.Before.Phase
	case want == Held:
		want = t.Before.Resume
	case want.Terminal():
		return nil
	}
	if got := resume(t.After, t.Seen.At); got.Phase != want || got.Phase.Terminal() {
		return fmt.Errorf("what was %s when it became %s goes on with %q", t.Before.Phase, t.After.Phase, got.Phase)
	}
	return nil
}

func everyPhaseEnds(t Transition) error {
	if t.After.Phase.Terminal() {
		return nil
	}
	limit := t.Policy.SourceDown.Deadline.Std()
	if rule := ruleOf(t.After.Phase); rule.Deadline != nil {
		limit = rule.Deadline(t.Policy)
	}
	if !t.ends(t.Seen.At, limit, Observation{Kind: Waiting, Message: "waiting"}) {
		return fmt.Errorf("%s waits for longer than %s", t.After.Phase, limit)
	}
	if !gated(t.After.Phase) || t.After.Step >= len(t.Policy.Steps) {
		return nil
	}
	shut := Observation{Kind: Ticked, Message: "shut", Decision: gate.Decision{Waiting: "shut"}}
	if !t.ends(latest(t.Seen.At, t.After.ends(t.Policy)), limit, shut) {
		return errors.New("a gate that never opens is waited for longer than " + limit.String())
	}
	return nil
}

// ends reports whether the phase that was entered is left when the same is
// seen at an instant and again, a limit later.
func (t Transition) ends(at time.Time, limit time.Duration, seen Observation) bool {
	state := t.After
	for _, seen.At = range []time.Time{at, at.Add(limit)} {
		state = t.Machine(t.Policy, state, seen)
	}
	return state.Phase != t.After.Phase
}
