package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// wayBack finds out which colour is the side before: by the record of the last
// run, and where that does not tell, by what the last switch recorded on the route.
// A preview that no run is known to lead is taken away, whatever was before.
// fault is why the split of the route can't be read.
func (r *Runner) wayBack(ctx context.Context, route traffic.Route, fault error) (State, error) {
	last, unread := r.Journal.Current(ctx)
	if other := r.anotherRun(last, unread); other != nil {
		return State{}, other
	}
	if unread != nil {
		r.tell(Revert, Warning, "the journal can't be read, going by the live objects: %v", unread)
	}
	underWay := unread == nil && last != nil && last.Finished.IsZero()
	if live := route.Split.Sole(); route.Preview != nil && live != "" && !underWay {
		return State{Started: r.Clock.Now(), From: live, To: route.Preview.Color}, nil
	}
	last, err := r.lastReadable(ctx, route, last, unread, fault)
	if err != nil {
		return State{}, err
	}
	ended, known := recordedState(last)
	if known {
		if state, found := r.backByRecord(ctx, route, *last, ended); found {
			return state, nil
		}
	}
	if fault != nil {
		return State{}, fault // what the route records may be a way back as well, and no run says which
	}
	return r.backByRoute(route, ended, unread)
}

// lastReadable is the last run that there is a record of, nil where there is none.
// One that is there and can't be read is looked past: see pastUnreadable.
func (r *Runner) lastReadable(ctx context.Context, route traffic.Route, last *journal.Run, unread, fault error) (*journal.Run, error) {
	switch {
	case unread == nil:
		return last, nil
	case recordUnreadable(unread) && fault == nil:
		return r.pastUnreadable(ctx, route)
	}
	return nil, nil //nolint:nilnil // the route alone is gone by
}

// recordUnreadable reports whether a record is there and can't be read.
func recordUnreadable(unread error) bool {
	record := (*journal.RecordError)(nil)
	return errors.As(unread, &record)
}

// recordedState is the state that a run is recorded in, and whether that can be gone by.
func recordedState(run *journal.Run) (state State, known bool) {
	if run == nil || json.Unmarshal(run.State, &state) != nil || state.From == "" {
		return State{}, false
	}
	return state, true
}

// backByRecord is the way back from the last run, in the state that it is recorded
// in, and whether that tells it. Where it led back to what is live there is no way
// further back: the other side is the one that was found bad. One that was blocked
// says less: see pastBlocked.
func (r *Runner) backByRecord(ctx context.Context, route traffic.Route, run journal.Run, state State) (State, bool) {
	live := route.Split.Sole()
	switch {
	case run.Finished.IsZero():
		r.continues(run)
		state.Taken = state.Finish.taken()
		return state, true
	case live == "":
		return atRest(state, r.Clock.Now()), true
	case state.Phase == Done && state.To == live && route.Origin == "":
		// Somebody has taken from the route what it said itself.
		return State{Started: r.Clock.Now(), From: state.From, To: live}, true
	case state.From != live:
		return State{}, false
	case state.Finish != nil, state.Phase == RolledBack:
		// Nor was there a way back before the other side was decommissioned.
		return State{Phase: RolledBack, From: live, To: state.To}, true
	case state.Phase == Blocked:
		return r.pastBlocked(ctx, route, state), true
	}
	return State{}, false
}

// atRest is the way back where no side has everything and no run is under way:
// somebody has edited the route since the last one, which is gone back from as
// ever where it moved everything, and whose end is restored where that was a way
// back itself.
func atRest(last State, now time.Time) State {
	state := State{Started: now, From: last.From, To: last.To}
	if last.Finish != nil {
		state.From, state.To = last.Finish.Live, last.Finish.Idle
	}
	return state
}

// backByRoute is the way back to the colour that had everything before the last
// switch. ended is the last run, which may have taken replicas from that side.
func (r *Runner) backByRoute(route traffic.Route, ended State, unread error) (State, error) {
	live := route.Split.Sole()
	if route.Origin == "" || route.Origin == live {
		instead := "kubectl bluegreen shift --to COLOR"
		if recordUnreadable(unread) {
			instead += " --set-record-aside"
		}
		return State{}, release.WithHint(
			fmt.Errorf("find the way back: %s has split %s and does not say which colour had everything before", route.Object, route.Shares()), instead)
	}
	state := State{Started: r.Clock.Now(), From: route.Origin, To: live}
	if live == "" {
		state.To = r.Release.Spec.Other(route.Origin)
	}
	if ended.From == route.Origin {
		state.Taken = ended.Finish.taken()
	}
	return state, nil
}
