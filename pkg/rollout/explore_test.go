package rollout

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// policies are the releases that the machine is explored with: one step,
// two, and one behind a preview, each going back by itself and frozen, each
// holding and going back when a source is silent.
func policies() map[string]Policy {
	found := map[string]Policy{}
	preview := release.Step{Match: &release.Match{Header: &release.NamedValue{Name: "X-Version", Value: "next"}}, Hold: minutes(2)}
	for name, steps := range map[string][]release.Step{
		"1 steps":               {{Weight: 100, Hold: minutes(5)}},
		"2 steps":               {{Weight: 50, Hold: minutes(3)}, {Weight: 100, Hold: minutes(5)}},
		"a preview and 1 steps": {preview, {Weight: 100, Hold: minutes(5)}},
	} {
		for _, onFailure := range []string{release.PolicyRollback, release.PolicyFreeze} {
			for _, sourceDown := range []string{release.PolicyHold, release.PolicyRollback} {
				policy := testPolicy()
				policy.Steps, policy.OnFailure, policy.SourceDown.Policy = steps, onFailure, sourceDown
				found[fmt.Sprintf("%s, on failure %s, source down %s", name, onFailure, sourceDown)] = policy
			}
		}
	}
	return found
}

// observations are one of each kind, and of Waiting one of each kind, and of Ticked one of each decision, and one
// whose gate is open though requests go elsewhere.
func observations() []Observation {
	var all []Observation
	for _, kind := range []Kind{Succeeded, Waiting, Failed, Stopped, Interrupted, Rival, "surprise"} {
		all = append(all, Observation{Kind: kind, Message: "seen"})
	}
	all = append(all, Observation{Kind: Waiting, Message: "seen", Unseen: true}, Observation{Kind: Waiting, Message: "seen", Yields: true})
	failing := silent
	failing.Because = slices.Concat(silent.Because, notReached.Because)
	for _, decision := range []gate.Decision{open, broken, silent, noTraffic, notReached, failing, {}} {
		all = append(all, Observation{Kind: Ticked, Message: "seen", Decision: decision})
	}
	stranded := DataPlane{Following: NotFollowed, Message: "no request has reached green"}
	return append(all, Observation{Kind: Ticked, Message: "seen", Decision: open, DataPlane: stranded})
}

// spot is what tells two states apart for the machine. Times are how long ago
// something was, rounded down to an instant at which one of the machine's
// comparisons turns out otherwise, so that there are finitely many.
type spot struct {
	Phase, Resume                               Phase
	Step                                        int
	Moved, Requested, Reverted, Reason, Because bool
	Started, Entered, Cutover                   time.Duration
	Unanswered, Sighted, Closed                 time.Duration
}

// absent is how long ago something was that never was.
const absent = -time.Second

// around are the instants just before a limit, at it and past it.
func around(limits ...time.Duration) []time.Duration {
	instants := []time.Duration{0}
	for _, limit := range limits {
		instants = append(instants, limit-time.Second, limit, limit+time.Second)
	}
	return instants
}

// instants are, by what is counted from, those that matter in a state. When the
// run and its cutover began matters on the way forward alone: it is never gone
// again from an end or from the way back, which is an invariant of its own.
func instants(policy Policy, state State) (started, entered, cutover, silence []time.Duration) {
	patience := policy.SourceDown.Deadline.Std()
	started, entered, cutover, silence = around(), around(), around(), around(patience)
	if !gated(state.Phase) {
		silence = around(sightGrace)
	}
	switch rule := ruleOf(state.Phase); {
	case rule.Deadline != nil:
		entered = around(rule.Deadline(policy))
	case state.Phase == Hold && state.Step < len(policy.Steps):
		held := policy.Steps[state.Step].Hold.Std()
		entered = around(held, held+patience)
	}
	onward := state.Phase
	if onward == Held {
		onward = state.Resume
	}
	if !onward.Terminal() && !onward.Reverse() {
		watch := max(policy.Steps[len(policy.Steps)-1].Hold.Std(), policy.Watch)
		started, cutover = around(policy.Deadlines.Total.Std()), around(watch, watch+patience)
	}
	return started, entered, cutover, silence
}

// locate rounds a state, at an instant, to its spot.
func locate(policy Policy, state State, at time.Time) spot {
	started, entered, cutover, silence := instants(policy, state)
	ago := func(since time.Time, instants []time.Duration) time.Duration {
		if since.IsZero() {
			return absent
		}
		last := instants[0]
		for _, instant := range instants {
			if at.Sub(since) >= instant {
				last = instant
			}
		}
		return last
	}
	return spot{
		Phase: state.Phase, Resume: state.Resume, Step: state.Step,
		Moved: state.Moved, Requested: state.Requested, Reverted: !state.Reverted.IsZero(),
		Reason: state.Reason != "", Because: state.Because != nil,
		Started: ago(state.Started, started), Entered: ago(state.Entered, entered), Cutover: ago(state.Cutover, cutover),
		Unanswered: ago(state.Unanswered, silence), Sighted: ago(state.Sighted, silence), Closed: ago(state.Closed, silence),
	}
}

// state is the one that stands for a spot, at start.
func (s spot) state() State {
	since := func(ago time.Duration) time.Time {
		if ago == absent {
			return time.Time{}
		}
		return start.Add(-ago)
	}
	state := State{
		Phase: s.Phase, Resume: s.Resume, Step: s.Step, From: "blue", To: "green", Moved: s.Moved, Requested: s.Requested,
		Started: since(s.Started), Entered: since(s.Entered), Cutover: since(s.Cutover), Unanswered: since(s.Unanswered), Sighted: since(s.Sighted), Closed: since(s.Closed),
	}
	if s.Reverted {
		state.Reverted = start
	}
	if s.Reason {
		state.Reason = "because"
	}
	if s.Because {
		state.Because = broken.Because
	}
	return state
}

// waits are how much later something may be seen: at once, and at each
// instant that matters from here on.
func (s spot) waits(policy Policy) []time.Duration {
	started, entered, cutover, silence := instants(policy, s.state())
	waits := []time.Duration{0}
	for _, counted := range []struct {
		ago      time.Duration
		instants []time.Duration
	}{{s.Started, started}, {s.Entered, entered}, {s.Cutover, cutover}, {s.Unanswered, silence}, {s.Sighted, silence}, {s.Closed, silence}} {
		for _, instant := range counted.instants {
			if counted.ago != absent && instant > counted.ago {
				waits = append(waits, instant-counted.ago)
			}
		}
	}
	slices.Sort(waits)
	return slices.Compact(waits)
}

// exploration is a walk, breadth first, through every spot that a machine can
// come to under a policy.
type exploration struct {
	machine Machine
	policy  Policy
	// seen is everything that can be seen, must what must hold of it.
	seen []Observation
	must []Invariant
	// from is where each spot was first come to from, and how.
	from  map[spot]arrival
	queue []spot
	// transitions is how often the machine was asked.
	transitions int
	// broken is, by the name of an invariant, the shortest way to break it.
	broken map[string]string
}

// arrival is by which way a spot was come to: from another, after a wait, by
// what was seen then or what a person did.
type arrival struct {
	spot   spot
	wait   time.Duration
	seen   Observation
	person string
}

func (a arrival) String() string {
	return fmt.Sprintf("%+v\n\t%s: %s%s %s", a.spot, a.wait, a.person, a.seen.Kind, a.seen.Decision.Waiting)
}

// explore goes on until nothing new is come to, or enough is broken.
func explore(machine Machine, policy Policy, enough func(broken map[string]string) bool) *exploration {
	e := &exploration{machine: machine, policy: policy, seen: observations(), must: Invariants(), from: map[spot]arrival{}, broken: map[string]string{}}
	e.begin(arrival{person: "a shift begins"}, at(Preflight), start)
	e.begin(arrival{person: "a rollback begins, by the live objects"}, back(at("", moved), "asked", start), start)
	e.begin(arrival{person: "a finish begins"}, at(Quiet), start)
	e.begin(arrival{person: "the release has lost a step"}, at(Hold, moved, func(s *State) { s.Step = len(policy.Steps) }), start)
	for len(e.queue) > 0 && !enough(e.broken) {
		next := e.queue[0]
		e.queue = e.queue[1:]
		e.leave(next)
	}
	return e
}

// arrive remembers a state that was come to, if it is new.
func (e *exploration) arrive(by arrival, state State, at time.Time) {
	spot := locate(e.policy, state, at)
	if _, known := e.from[spot]; !known {
		e.from[spot] = by
		e.queue = append(e.queue, spot)
	}
}

// begin goes on from a state that no machine made, which must hold as if it
// had been there all along.
func (e *exploration) begin(by arrival, state State, at time.Time) {
	e.judge(Transition{Machine: e.machine, Policy: e.policy, Before: state, Seen: Observation{At: at}, After: state}, by)
	e.arrive(by, state, at)
}

// leave goes every way on from a spot: with every observation, and by what a
// person may do once the run's process is gone.
func (e *exploration) leave(spot spot) {
	before := spot.state()
	for _, wait := range spot.waits(e.policy) {
		at := start.Add(wait)
		for _, seen := range e.seen {
			seen.At = at
			by := arrival{spot: spot, wait: wait, seen: seen}
			after := e.machine(e.policy, before, seen)
			e.judge(Transition{Machine: e.machine, Policy: e.policy, Before: before, Seen: seen, After: after}, by)
			e.arrive(by, after, at)
		}
		switch spot.Phase {
		case Done, RolledBack, Decommissioned, Blocked:
			continue
		}
		e.begin(arrival{spot: spot, wait: wait, person: "resume"}, resume(before, at), at)
		e.begin(arrival{spot: spot, wait: wait, person: "rollback"}, back(before, "asked", at), at)
	}
}

// judge holds a transition against every invariant that still stands.
func (e *exploration) judge(transition Transition, by arrival) {
	e.transitions++
	for _, invariant := range e.must {
		if _, fell := e.broken[invariant.Name]; fell {
			continue
		}
		if err := invariant.Holds(transition); err != nil {
			e.broken[invariant.Name] = err.Error() + e.trace(by)
		}
	}
}

// trace is the way by which a spot was come to.
func (e *exploration) trace(by arrival) string {
	var steps []string
	for ; ; by = e.from[by.spot] {
		steps = append(steps, "\n\t"+by.String())
		if by.spot.Phase == "" {
			break
		}
	}
	slices.Reverse(steps)
	return strings.Join(steps, "")
}

// TestMachineIsExplored goes through every state that the machine can be in,
// with everything that can be seen there, at every instant that matters: no
// invariant is broken, and every state that there should be is come to, and
// no other.
func TestMachineIsExplored(t *testing.T) {
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			explored := explore(Step, policy, func(map[string]string) bool { return false })
			for invariant, how := range explored.broken {
				t.Errorf("%s: %s", invariant, how)
			}
			reached, phases := map[place]bool{}, map[Phase]bool{}
			for spot := range explored.from {
				reached[place{spot.Phase, spot.Moved, spot.Requested, spot.Step}] = true
				phases[spot.Phase] = true
			}
			if diff := cmp.Diff(places(len(policy.Steps)), reached); diff != "" {
				t.Errorf("states (-want +got):\n%s", diff)
			}
			for _, rule := range Phases() {
				if !phases[rule.Phase] {
					t.Errorf("%s was never reached", rule.Phase)
				}
			}
			t.Logf("%d phases, %d states, %d of them told apart by time, %d transitions", len(phases), len(reached), len(explored.from), explored.transitions)
		})
	}
}

// place is a state but for its times.
type place struct {
	Phase            Phase
	Moved, Requested bool
	Step             int
}

// places are where a run of so many steps can be. The step after the last is
// that of a run whose release has lost one.
func places(steps int) map[place]bool {
	last, lost := steps-1, steps
	all := map[place]bool{}
	for _, phase := range []Phase{Preflight, Apply, WaitReady, CleanLogs, Health, Synthetic, Baseline, Quiet, Decommission, Decommissioned, Blocked, Held} {
		all[place{Phase: phase}] = true
	}
	all[place{Phase: RolledBack, Requested: true}], all[place{Phase: HoldFloor, Moved: true}] = true, true
	for step := range lost + 1 {
		for _, phase := range []Phase{Revert, ProveRevert, Preserve, DrainReverse, End, Recover, Restore, Held, Unproven, RolledBack} {
			for _, requested := range []bool{false, true} {
				all[place{phase, true, requested, step}] = true
			}
		}
		if step < lost {
			all[place{Switch, true, false, step}], all[place{Prove, true, false, step}] = true, true
		}
		if step != last {
			all[place{Hold, true, false, step}] = true
		}
	}
	for _, phase := range []Phase{Watch, Confirm, Drain, GiveBack, Done} {
		all[place{phase, true, false, last}] = true
	}
	return all
}
