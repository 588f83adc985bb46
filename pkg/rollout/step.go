package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Step is the machine: the next state of a run, given one observation. It is
// pure; the time is the observation's.
func Step(policy Policy, state State, seen Observation) State {
	if state.Phase.Terminal() {
		return state
	}
	if seen.Learned != nil {
		seen.Learned(&state)
	}
	policy = policy.of(state)
	switch {
	case ruleOf(state.Phase).Phase == "":
		return hold(state, seen.At, fmt.Sprintf("phase %q is not known to this version", state.Phase))
	case seen.Kind == Stopped:
		return stop(state, seen)
	case !state.Phase.Reverse() && state.Step >= len(policy.Steps):
		return hold(state, seen.At, fmt.Sprintf("the run is at step %d and the release has %d", state.Step+1, len(policy.Steps)))
	case seen.Kind == Succeeded && !gated(state.Phase):
		return succeed(policy, state, seen)
	case seen.Kind == Failed:
		return fail(policy, state, seen.At, seen.Message, nil)
	case seen.Kind == Waiting:
		return wait(policy, state, seen)
	case seen.Kind == Ticked && gated(state.Phase):
		return tick(policy, state, seen)
	case seen.Kind == Interrupted, seen.Kind == Rival:
		return hold(state, seen.At, seen.Message)
	}
	return hold(state, seen.At, fmt.Sprintf("observation %q means nothing in phase %s", seen.Kind, state.Phase))
}

// gated reports whether a phase goes on by what the gate says, and by nothing
// else.
func gated(phase Phase) bool { return phase == Hold || phase == Watch }

// enter moves a state into a phase.
func enter(state State, phase Phase, at time.Time) State {
	state.Phase, state.Entered, state.Trouble = phase, at, ""
	state.Unanswered, state.Sighted, state.Closed = time.Time{}, time.Time{}, time.Time{}
	return state
}

// hold stops where the run stands and remembers where to go on.
func hold(state State, at time.Time, reason string) State {
	state.Resume, state.Reason = state.Phase, why(state, reason)
	return enter(state, Held, at)
}

// why is the reason of what ends a phase. On the way back, why the run went
// back is still what people ask first.
func why(state State, reason string) string {
	if !state.Phase.Reverse() || state.Reason == "" {
		return reason
	}
	return state.Reason + "; then: " + reason
}

// frozen begins the reason of a run that would have gone back by itself and
// was left to a person instead.
const frozen = "frozen: "

// freeze holds a run that would go back by itself. What decided stays with
// it, for the person who decides now.
func freeze(state State, at time.Time, reason string, because []gate.Result) State {
	state = hold(state, at, frozen+reason)
	state.Because = because
	return state
}

// fail leads to where the table says, or back once traffic was moved, unless
// the policy leaves that to a person.
func fail(policy Policy, state State, at time.Time, reason string, because []gate.Result) State {
	rule := ruleOf(state.Phase)
	to := rule.OnFailure
	if !state.Phase.Reverse() && to != Held && state.Moved {
		to = Revert
	}
	switch {
	case to == Held:
		return hold(state, at, reason)
	case to == Revert && policy.OnFailure == release.PolicyFreeze:
		return freeze(state, at, reason, because)
	case state.Phase.Reverse() && to != Unproven:
		// The way back goes on past what is only a courtesy.
		return enter(state, to, at)
	case !state.Phase.Reverse():
		state.Because = because
	}
	state.Reason = why(state, reason)
	return enter(state, to, at)
}

// stopped begins the reason of a run that went back because it was told to.
const stopped = "emergency stop: "

// obeyed reports whether a run went back because a person told it to, and not
// by its own gate.
func obeyed(state State) bool {
	return len(state.Because) == 0 && strings.HasPrefix(state.Reason, stopped)
}

// stop goes back from wherever traffic was moved, the drain included and
// whatever the policy: a person says so. On the way back it changes nothing.
func stop(state State, seen Observation) State {
	if state.Phase.Reverse() {
		return state
	}
	state.Reason, state.Because = stopped+seen.Message, nil
	if !state.Moved {
		return enter(state, Blocked, seen.At)
	}
	return enter(state, Revert, seen.At)
}

// succeed goes to the next phase of the table; what was proven goes on by the
// steps of the release.
func succeed(policy Policy, state State, seen Observation) State {
	switch state.Phase {
	case Baseline:
		return switchTo(policy, state, state.Step, seen.At)
	case Prove:
		return proven(policy, state, seen.At)
	case ProveRevert:
		state.Reverted = seen.At
	case Decommission:
		state.Reason = seen.Message
	}
	return enter(state, ruleOf(state.Phase).OnSuccess, seen.At)
}

// switchTo goes to the switch of a step, the first time by what is made ready
// for the way back, unless the whole run is late. From here on traffic may have
// moved: the state that is journalled before the write says so.
func switchTo(policy Policy, state State, step int, at time.Time) State {
	if late(policy, state, at) {
		return fail(policy, state, at, fmt.Sprintf("more than %s since the start of the run (deadlines.total)", policy.Deadlines.Total), nil)
	}
	next := Switch
	if state.Phase == Baseline {
		next = HoldFloor
	}
	state.Moved, state.Step = true, step
	return enter(state, next, at)
}

// late reports whether the whole run has outlasted its deadline. It is asked
// only before another switch: a watch that passes its gate is never rolled
// back for being the last minute of a long run.
func late(policy Policy, state State, at time.Time) bool {
	total := policy.Deadlines.Total.Std()
	return total > 0 && at.Sub(state.Started) > total
}

// proven begins the hold of the step that was proven: the watch, when the
// step gives everything to the target.
func proven(policy Policy, state State, at time.Time) State {
	if policy.Steps[state.Step].Weight < 100 {
		return enter(state, Hold, at)
	}
	begin(&state.Cutover, at)
	return enter(state, Watch, at)
}

// sightGrace is how long a phase whose deadline has passed still waits where
// sight was just lost, or has just come back: neither the last look before the
// one nor the first after the other is a verdict. It is several looks (see
// proofInterval), and what a control plane takes to catch up after an outage.
const sightGrace = 10 * time.Second

// wait fails the phase once its deadline has passed. Where traffic was moved
// and nothing can be seen any more, that is nobody's verdict on the release: it
// ends as gates.sourceDown.policy says. A drain that yields goes on.
func wait(policy Policy, state State, seen Observation) State {
	rule := ruleOf(state.Phase)
	if rule.Deadline == nil {
		return blind(policy, state, seen)
	}
	limit := rule.Deadline(policy)
	state = sighted(state, seen)
	if seen.At.Sub(state.Entered) < limit {
		return state
	}
	if seen.Yields && state.Phase == Drain {
		return succeed(policy, state, seen)
	}
	onward := state.Moved && !state.Phase.Reverse()
	if since := latest(state.Unanswered, state.Sighted); onward && !since.IsZero() && seen.At.Sub(since) < min(limit, sightGrace) {
		return state
	}
	reason := fmt.Sprintf("%s took longer than %s (%s): %s", state.Phase, limit, rule.DeadlineField, seen.Message)
	if seen.Unseen && onward && policy.SourceDown.Policy != release.PolicyRollback {
		return hold(state, seen.At, reason)
	}
	return fail(policy, state, seen.At, reason, nil)
}

// sighted keeps since when nothing could be seen in a phase, or since when it
// can be again.
func sighted(state State, seen Observation) State {
	switch {
	case seen.Unseen:
		begin(&state.Unanswered, seen.At)
		state.Sighted = time.Time{}
	case !state.Unanswered.IsZero():
		state.Unanswered, state.Sighted = time.Time{}, seen.At
	}
	return state
}

// blind bounds a hold or a watch in which not even the route can be read. It
// ends held, whatever the policy: nothing could be written either.
func blind(policy Policy, state State, seen Observation) State {
	begin(&state.Unanswered, seen.At)
	deadline := policy.SourceDown.Deadline.Std()
	if seen.At.Sub(state.Unanswered) < deadline {
		return state
	}
	return hold(state, seen.At, fmt.Sprintf("nothing could be seen for %s (gates.sourceDown.deadline): %s", deadline, seen.Message))
}

// tick decides a hold or the watch by the gate.
func tick(policy Policy, state State, seen Observation) State {
	state.Gate, state.Relative, state.DataPlane = seen.Gate, seen.Relative, seen.DataPlane
	decision := seen.Decision
	switch {
	case decision.Rollback:
		return fail(policy, state, seen.At, sentence(decision.Because), decision.Because)
	case decision.SourceDown:
		begin(&state.Unanswered, seen.At)
	default:
		state.Unanswered = time.Time{}
	}
	if !decision.Advance || state.DataPlane.Following == NotFollowed {
		return closed(policy, state, seen)
	}
	state.Closed = time.Time{}
	if seen.At.Before(state.ends(policy)) {
		return state
	}
	if state.Phase == Watch {
		return enter(state, Confirm, seen.At)
	}
	return switchTo(policy, state, state.Step+1, seen.At)
}

// ends is when the hold or the watch may end. The watch counts from cutover
// and includes the hold at 100.
func (s State) ends(policy Policy) time.Time {
	held := policy.Steps[s.Step].Hold.Std()
	if s.Phase == Watch {
		return s.Cutover.Add(max(held, policy.Watch))
	}
	return s.Entered.Add(held)
}

// begin is when something began that goes on: now, unless it has begun.
func begin(since *time.Time, now time.Time) {
	if since.IsZero() {
		*since = now
	}
}

// closed bounds how long a gate may stay closed. A source that is silent for
// that long ends as the policy says, and so does a gate that has nothing to
// judge by for that long after the hold; an advance rule that still fails
// then sends the release back. Requests that have not followed the switch, or not
// by its weight, are nobody's verdict on the release: whatever the policy, such a
// gate holds.
// A gate is not closed yet by what it is too early to tell.
func closed(policy Policy, state State, seen Observation) State {
	failing := advanceFails(seen.Decision)
	if state.DataPlane.early() && !failing && !seen.Decision.SourceDown {
		return state
	}
	begin(&state.Closed, seen.At)
	deadline := policy.SourceDown.Deadline.Std()
	since := latest(state.Closed, state.ends(policy))
	if !failing && seen.Decision.SourceDown {
		since = state.Unanswered
	}
	if seen.At.Sub(since) < deadline {
		return state
	}
	reason := fmt.Sprintf("the gate did not open within %s: %s", deadline, seen.Decision.Waiting)
	unfollowed := state.DataPlane.Following == NotFollowed
	stranded := (unfollowed || slices.ContainsFunc(seen.Decision.Because, elsewhere)) && !failing && !seen.Decision.SourceDown
	if stranded && unfollowed {
		reason = state.DataPlane.Message
	}
	if failing || !stranded && policy.SourceDown.Policy == release.PolicyRollback {
		return fail(policy, state, seen.At, reason, seen.Decision.Because)
	}
	held := hold(state, seen.At, reason)
	held.Because = seen.Decision.Because
	return held
}

// advanceFails reports whether an advance rule has data and is not met, which
// is the release's own doing, unlike an answer that is missing, or requests
// that go elsewhere.
func advanceFails(decision gate.Decision) bool {
	return slices.ContainsFunc(decision.Because, func(result gate.Result) bool {
		return result.Rule.Purpose == gate.Advance && result.Verdict == gate.Fail && !elsewhere(result)
	})
}

// elsewhere reports whether requests certainly go elsewhere than the weight says.
func elsewhere(result gate.Result) bool {
	return result.Compares() && result.Signal == measure.RequestRate && result.Verdict == gate.Fail
}

// latest returns the later of two times.
func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sentence joins the messages of the results that decided.
func sentence(because []gate.Result) string {
	text := ""
	for _, result := range because {
		if text != "" {
			text += "; "
		}
		text += result.Rule.ID + ": " + result.Message
	}
	return text
}
