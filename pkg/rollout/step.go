package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
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
	if !state.Phase.Reverse() && state.Step >= len(policy.Steps) {
		return hold(state, seen.At, fmt.Sprintf("the run is at step %d and the release has %d", state.Step+1, len(policy.Steps)))
	}
	switch seen.Kind {
	case Succeeded:
		return succeed(policy, state, seen)
	case Failed:
		return fail(state, seen.At, seen.Message, nil)
	case Waiting:
		return wait(policy, state, seen)
	case Ticked:
		return tick(policy, state, seen)
	case Stopped:
		return stop(state, seen)
	case Interrupted, Rival:
		return hold(state, seen.At, seen.Message)
	}
	return hold(state, seen.At, fmt.Sprintf("unknown observation %q", seen.Kind))
}

// enter moves a state into a phase.
func enter(state State, phase Phase, at time.Time) State {
	state.Phase, state.Entered = phase, at
	state.Unanswered = time.Time{}
	return state
}

// hold stops where the run stands and remembers where to go on.
func hold(state State, at time.Time, reason string) State {
	state.Resume, state.Reason = state.Phase, reason
	return enter(state, Held, at)
}

// fail leads to where the table says, or back once traffic was moved.
func fail(state State, at time.Time, reason string, because []gate.Result) State {
	rule := ruleOf(state.Phase)
	to := rule.OnFailure
	if !state.Phase.Reverse() && state.Phase != Drain && state.Moved {
		to = Revert
	}
	switch {
	case to == Held:
		return hold(state, at, reason)
	case state.Phase.Reverse() && to != Unproven:
		// The way back goes on past what is only a courtesy.
		return enter(state, to, at)
	case state.Phase.Reverse():
		// Why it went back is still what people ask first.
		state.Reason = strings.TrimPrefix(state.Reason+"; then: "+reason, "; then: ")
		return enter(state, to, at)
	}
	state.Reason, state.Because = reason, because
	return enter(state, to, at)
}

// stopped begins the reason of a run that went back because it was told to.
const stopped = "emergency stop: "

// obeyed reports whether a run went back because a person told it to, and not
// by its own gate.
func obeyed(state State) bool {
	return len(state.Because) == 0 && strings.HasPrefix(state.Reason, stopped)
}

// stop goes back from wherever traffic was moved, the drain included, and
// changes nothing on the way back.
func stop(state State, seen Observation) State {
	reason := stopped + seen.Message
	switch {
	case state.Phase.Reverse():
		return state
	case !state.Moved:
		return fail(state, seen.At, reason, nil)
	}
	state.Reason, state.Because = reason, nil
	return enter(state, Revert, seen.At)
}

// succeed goes to the next phase of the table; switch, prove and hold go on
// by the steps of the release.
func succeed(policy Policy, state State, seen Observation) State {
	rule := ruleOf(state.Phase)
	switch state.Phase {
	case Prove:
		return proven(policy, state, seen.At)
	case Baseline, Hold:
		if late(policy, state, seen.At) {
			return fail(state, seen.At, fmt.Sprintf("more than %s since the start of the run (deadlines.total)", policy.Deadlines.Total), nil)
		}
		state.Moved = true
		if state.Phase == Hold {
			state.Step++
		}
		return enter(state, Switch, seen.At)
	case ProveRevert:
		state.Reverted = seen.At
	}
	return enter(state, rule.OnSuccess, seen.At)
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
	if state.Cutover.IsZero() {
		state.Cutover = at
	}
	return enter(state, Watch, at)
}

// wait fails the phase once its deadline has passed.
func wait(policy Policy, state State, seen Observation) State {
	rule := ruleOf(state.Phase)
	if rule.Deadline == nil {
		return blind(policy, state, seen)
	}
	limit := rule.Deadline(policy)
	if seen.At.Sub(state.Entered) < limit {
		return state
	}
	return fail(state, seen.At, fmt.Sprintf("%s took longer than %s (%s): %s", state.Phase, limit, rule.DeadlineField, seen.Message), nil)
}

// blind bounds a hold or a watch in which not even the route can be read. It
// ends held, whatever the policy: nothing could be written either.
func blind(policy Policy, state State, seen Observation) State {
	if state.Unanswered.IsZero() {
		state.Unanswered = seen.At
	}
	deadline := policy.SourceDown.Deadline.Std()
	if seen.At.Sub(state.Unanswered) < deadline {
		return state
	}
	return hold(state, seen.At, fmt.Sprintf("nothing could be seen for %s (gates.sourceDown.deadline): %s", deadline, seen.Message))
}

// tick decides a hold or the watch by the gate.
func tick(policy Policy, state State, seen Observation) State {
	state.Gate = seen.Gate
	decision := seen.Decision
	if decision.Rollback {
		return fail(state, seen.At, sentence(decision.Because), decision.Because)
	}
	if !decision.Advance {
		return unanswered(policy, state, seen)
	}
	state.Unanswered = time.Time{}
	if seen.At.Before(state.ends(policy)) {
		return state
	}
	if state.Phase == Watch {
		return enter(state, Confirm, seen.At)
	}
	return succeed(policy, state, seen)
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

// unanswered bounds how long a gate may stay open: a source that is silent
// ends as the policy says, and an advance rule that still fails after the
// hold sends the release back.
func unanswered(policy Policy, state State, seen Observation) State {
	if state.Unanswered.IsZero() {
		state.Unanswered = seen.At
	}
	deadline := policy.SourceDown.Deadline.Std()
	since := latest(state.Unanswered, state.ends(policy))
	failing := advanceFails(seen.Decision)
	if !failing && seen.Decision.SourceDown {
		since = state.Unanswered
	}
	if seen.At.Sub(since) < deadline {
		return state
	}
	reason := fmt.Sprintf("the gate did not open within %s: %s", deadline, seen.Decision.Waiting)
	if failing || policy.SourceDown.Policy == "rollback" {
		return fail(state, seen.At, reason, seen.Decision.Because)
	}
	held := hold(state, seen.At, reason)
	held.Because = seen.Decision.Because
	return held
}

// advanceFails reports whether an advance rule has data and is not met, which
// is the release's own doing, unlike an answer that is missing.
func advanceFails(decision gate.Decision) bool {
	return slices.ContainsFunc(decision.Because, func(result gate.Result) bool {
		return result.Rule.Purpose == gate.Advance && result.Verdict == gate.Fail
	})
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
