package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// proofInterval is the time between two looks at something that should come
// to hold within seconds: a switch that reaches the EndpointSlices, a pod
// that becomes ready. Signals are read at gates.interval instead.
const proofInterval = 250 * time.Millisecond

// persistTimeout bounds the writes that must still happen after the context
// of a run was cancelled.
const persistTimeout = 10 * time.Second

// insistFor bounds how long the record is tried to be written, at the least: a
// release that may be blind for longer (gates.sourceDown.deadline) may also be
// without its record for as long.
const insistFor = time.Minute

// drive performs phases until the run ends, and journals every change before
// acting on it.
func (r *Runner) drive(ctx context.Context, state State) (Outcome, error) {
	held := r.tenure.Context(ctx)
	for !state.Phase.Terminal() {
		r.announce(state)
		seen := r.look(held, state)
		if seen.Kind == Interrupted && r.HandsOver != nil && r.HandsOver(context.Cause(ctx)) {
			return r.handOver(ctx, state, seen)
		}
		next := Step(r.policy, state, seen)
		err := r.insist(ctx, state.Phase, func(persist context.Context) error { return r.commit(persist, state, next, seen) })
		if err != nil {
			return r.lost(ctx, state, err), nil
		}
		if next.Phase != state.Phase {
			r.tellTransition(state, next, seen)
		}
		again := next.Phase == state.Phase
		if again && seen.Kind == Waiting {
			r.tellReading(state.Phase, seen.Message, nil)
		}
		state = next
		if again {
			r.pause(held, state)
		}
	}
	return r.conclude(ctx, state)
}

// look performs the phase once, within the time that the phase has left, and
// turns a cancelled context into what cancelled it.
func (r *Runner) look(ctx context.Context, state State) Observation {
	bounded, cancel := context.WithTimeout(ctx, r.patience(state))
	defer cancel()
	seen, away := r.away(state)
	if !away {
		var route traffic.Route
		if route, seen = r.guard(bounded, state); seen.Kind == Succeeded {
			seen = r.mindWayBack(bounded, state, r.perform(bounded, state, route))
		}
	}
	if ctx.Err() != nil {
		kind := Interrupted
		if errors.Is(context.Cause(ctx), journal.ErrLost) {
			kind = Rival
		}
		seen = Observation{Kind: kind, Message: context.Cause(ctx).Error()}
	}
	seen.At = r.Clock.Now()
	return seen
}

// reachFor bounds one performance of a phase that does nothing but ask the API
// server, several times what that takes.
const reachFor = 15 * time.Second

// patience bounds one performance of a phase by the time that the phase has
// left, so that a call that hangs turns into a wait that the machine can
// judge. One request that is never answered must not use up the whole deadline
// of a switch or a rollback: it is made again, over another connection.
func (r *Runner) patience(state State) time.Duration {
	rule := ruleOf(state.Phase)
	if rule.Deadline == nil {
		return max(2*r.Release.Spec.Gates.Interval.Std(), 10*time.Second)
	}
	left := max(rule.Deadline(r.policy)-r.Clock.Since(state.Entered), 0) + time.Second
	switch state.Phase {
	case HoldFloor, Switch, Prove, Revert, ProveRevert:
		return min(left, reachFor)
	}
	return left
}

// pause waits between two performances of one phase.
func (r *Runner) pause(ctx context.Context, state State) {
	select {
	case <-ctx.Done():
	case <-r.Clock.After(r.interval(state)):
	}
}

// interval is the time between two performances of one phase.
func (r *Runner) interval(state State) time.Duration {
	interval := r.Release.Spec.Gates.Interval.Std()
	switch state.Phase {
	case Hold, Watch:
		if state.DataPlane.Following == "" || state.DataPlane.Following == NotFollowed && !state.DataPlane.Overdue {
			return min(interval, arrivalInterval)
		}
		return interval
	case Baseline, Drain, DrainReverse, Quiet:
		return interval
	}
	return proofInterval
}

// patient is how long the record is tried to be written.
func (r *Runner) patient() time.Duration {
	return max(insistFor, r.Release.Spec.Gates.SourceDown.Deadline.Std())
}

// unwritten is what is told of a record that is tried to be written again.
const unwritten = "the journal can't be written"

// insist writes to the journal, and again while that fails for a reason that
// may pass: one refused connection must not keep a run from going back. It
// ends when the run is lost to another holder, when ctx ends, or after a while.
// Each attempt is made whatever ctx is, for a moment: what was decided when a
// process is told to end is still written.
func (r *Runner) insist(ctx context.Context, phase Phase, write func(context.Context) error) error {
	return r.again(ctx, phase, unwritten, cluster.Transient, func() error { return r.attempt(ctx, write) })
}

// again tries something until it succeeds, until its error is none that may
// pass, until ctx ends, or for as long as the record is tried to be written.
func (r *Runner) again(ctx context.Context, phase Phase, what string, passes func(error) bool, try func() error) error {
	started, told := r.Clock.Now(), false
	for {
		err := try()
		if err == nil || !passes(err) || ctx.Err() != nil || r.Clock.Since(started) > r.patient() {
			return err
		}
		if !told {
			r.tell(phase, Warning, "%s, trying again: %v", what, err)
			told = true
		}
		r.wakeful.busy(r.Clock.Now())
		select {
		case <-ctx.Done():
		case <-r.Clock.After(proofInterval):
		}
	}
}

// attempt writes to the journal once.
func (r *Runner) attempt(ctx context.Context, write func(context.Context) error) error {
	persist, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistTimeout)
	defer cancel()
	return write(persist)
}

// commit journals a transition. What stays in its phase is journalled by what
// it learned only, and by a summary of what the gate read now and then, so that
// a long watch does not flood the record.
func (r *Runner) commit(ctx context.Context, before, after State, seen Observation) error {
	entered, due := before.Phase != after.Phase, r.tape.due(seen.At)
	if !entered && !due && seen.Learned == nil {
		return nil
	}
	var entries []journal.Entry
	switch {
	case entered:
		entries = append(entries, r.transition(before, after, seen))
	case due:
		entries = append(entries, r.tape.note())
	}
	if after.NoWayBack != before.NoWayBack {
		entries = append(entries, noteWayBack(after, seen.At))
	}
	if !entered && after.Trouble != before.Trouble {
		entries = append(entries, noteTrouble(before, after, seen.At))
	}
	if err := r.tenure.Save(ctx, after, string(after.Phase), entries...); err != nil {
		return err
	}
	switch {
	case entered:
		r.tape = tape{}
	case due:
		r.tape.summed(seen.At)
	}
	return nil
}

// passage is what the record calls a change of phase.
func passage(before, after Phase) string { return fmt.Sprintf("%s → %s", before, after) }

// transition is the record of one change of phase, with the readings that
// decided it in full.
func (r *Runner) transition(before, after State, seen Observation) journal.Entry {
	entry := journal.Entry{
		Time: seen.At, Kind: journal.Transition,
		Action:  passage(before.Phase, after.Phase),
		Message: messageOf(before, after, seen),
		Split:   r.given(before, after),
		Data:    r.tape.readings(),
	}
	if len(after.Because) > 0 && after.Reason != before.Reason {
		entry.Kind = journal.Decision
	}
	return entry
}

// given is the split that the route was given by a phase that is left with success, "" for
// every other.
func (r *Runner) given(before, after State) string {
	switch {
	case before.Phase == Switch && after.Phase == Prove, before.Phase == Revert && after.Phase == ProveRevert:
		return before.Split(r.policy).String()
	}
	return ""
}

// messageOf is what a transition has to say: why, when there is a new reason,
// else what was seen.
func messageOf(before, after State, seen Observation) string {
	if after.Reason != before.Reason {
		return after.Reason
	}
	return seen.Message
}

// lost ends a run whose record can't be written any more, because it belongs
// to somebody else now or because the API server is gone for good. It writes
// nothing more. Where it is gone in the midst of a rollback, nobody can say
// where traffic is.
func (r *Runner) lost(ctx context.Context, state State, err error) Outcome {
	state.Reason = err.Error()
	outcome := Outcome{
		Code:    CodeHeld,
		Message: fmt.Sprintf("stopped in phase %s: %v; nothing more was written", state.Phase, err),
		Next:    "kubectl bluegreen status",
		Status:  statusOf(r.tenure.Run(), state),
	}
	if errors.Is(err, journal.ErrLost) {
		return outcome
	}
	// The lease is given up if that works now; else it runs out.
	_ = r.attempt(ctx, r.tenure.Release)
	outcome.Next = "kubectl bluegreen resume"
	if unreadable := (*journal.RecordError)(nil); errors.As(err, &unreadable) {
		outcome.Next = withoutRecord(state)
	}
	if state.Phase.Reverse() && state.Reverted.IsZero() {
		outcome.Code = CodeUnproven
		outcome.Message = fmt.Sprintf("the rollback could not be proven, page someone: %s", outcome.Message)
	}
	return outcome
}

// withoutRecord is the command that goes on from a state of which no record can be
// read: to give back what was moved, or, where nothing is, to begin anew.
func withoutRecord(state State) string {
	if state.Moved && state.Reverted.IsZero() {
		return "kubectl bluegreen rollback"
	}
	return "kubectl bluegreen shift --set-record-aside"
}

// conclude archives a finished run, or gives up the lease and keeps the run
// for resume, and says how it ended.
func (r *Runner) conclude(ctx context.Context, state State) (Outcome, error) {
	outcome := outcomeOf(state)
	ends := state.Phase != Held && state.Phase != Unproven
	if ends {
		r.settleLast(ctx, state.Phase)
		r.obeyed(ctx, state)
	}
	end := r.tenure.Release
	if ends {
		end = func(persist context.Context) error { return r.tenure.Finish(persist, string(state.Phase)) }
	}
	err := r.insist(ctx, state.Phase, end)
	if left := (*journal.LeftoverError)(nil); errors.As(err, &left) {
		// How the run ended is written; that stands, whatever was not done behind it.
		r.tell(state.Phase, Warning, "%v", cluster.Explain(left))
	} else if err != nil {
		return outcome, fmt.Errorf("close run %s: %w", r.tenure.Run().ID, err)
	}
	outcome.Status = statusOf(r.tenure.Run(), state)
	outcome.Status.Outcome = string(state.Phase)
	return outcome, nil
}

// settleLast settles what a killed process has left, which on the way back waits
// until traffic is where it belongs. It has a time of its own: how the run ended
// must be written whatever becomes of it.
func (r *Runner) settleLast(ctx context.Context, phase Phase) {
	settle := func(bounded context.Context) error { return r.settle(bounded, phase) }
	if err := r.attempt(ctx, settle); err != nil {
		r.tell(phase, Warning, "what was left without a result stays so: %v", err)
	}
}

// intend writes an intent to the journal, runs the write, and journals its
// result: a kill between the two leaves an intent without a result, which
// resume finds and settles by reading the object.
func (r *Runner) intend(ctx context.Context, action, object string, detail any, write func() error) error {
	data, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("record intent to %s %s: %w", action, object, err)
	}
	intent := journal.Entry{Time: r.Clock.Now(), Kind: journal.Intent, Action: action, Object: object, Data: data}
	// What is only intended is not written any more once ctx has ended.
	announce := func() error {
		bounded, cancel := context.WithTimeout(ctx, persistTimeout)
		defer cancel()
		return r.tenure.Record(bounded, intent)
	}
	if err := r.again(ctx, r.announced, unwritten, cluster.Transient, announce); err != nil {
		return fmt.Errorf("record intent to %s %s: %w", action, object, err)
	}
	failure := write()
	result := journal.Entry{Time: r.Clock.Now(), Kind: journal.Result, Action: action, Object: object, Message: "done"}
	if failure != nil {
		result.Message = failure.Error()
	}
	err = r.insist(ctx, r.announced, func(persist context.Context) error { return r.tenure.Record(persist, result) })
	if err != nil && failure == nil {
		return fmt.Errorf("record result of %s %s: %w", action, object, err)
	}
	return failure
}

// fence is the right under which this run writes.
func (r *Runner) fence() cluster.Fence { return r.tenure.Fence() }
