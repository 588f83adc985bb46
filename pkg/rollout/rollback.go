package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Rollback gives everything back to the side before. While a run is going
// on, its own process is told to stop and this one waits for it; otherwise
// this process takes over, from the live objects alone where no record is.
//
// A run that somebody takes further, or brings to its end, between the look at it
// and the lease is no obstacle: what it has left is what is gone back from. Nor
// is a route that somebody has made unreadable, where a record says what had
// everything.
func (r *Runner) Rollback(ctx context.Context, request RollbackRequest) (Outcome, error) {
	return r.anew(ctx, func() (Outcome, error) { return r.rollback(ctx, request) })
}

// giveable reports whether a route whose reading failed can be given back all the
// same: somebody has made its split unreadable, or deleted some of the routes of a
// set, and nothing else.
func giveable(route traffic.Route, fault error) bool {
	return errors.Is(fault, traffic.ErrNoColor) && route.Object != ""
}

// mayGiveBack says what is the matter with a route that can't be read, which is
// the error where it can't be written either: a person has to mend it first.
func (r *Runner) mayGiveBack(route traffic.Route, state State, fault error) error {
	if fault == nil {
		return nil
	}
	anybody := cluster.Fence{Epoch: math.MaxInt64} // the lease is not ours yet
	if _, err := r.Router.Plan(route.Back(), traffic.Whole(state.From), anybody); err != nil {
		return fault
	}
	r.tell(Revert, Warning, "%v; going back to %s by the record of the last run", fault, state.From)
	return nil
}

func (r *Runner) rollback(ctx context.Context, request RollbackRequest) (Outcome, error) {
	route, fault := r.Router.Read(ctx)
	if fault != nil && !giveable(route, fault) {
		return Outcome{}, fault
	}
	r.force, r.unready, r.only = request.Force, request.Unready, request.Run
	state, err := r.wayBack(ctx, route, fault)
	if err == nil {
		err = r.mayGiveBack(route, state, fault)
	}
	if err != nil {
		return Outcome{}, err
	}
	// What the route says counts too: somebody else may have moved traffic.
	state.Moved = state.Moved || state.From != route.Split.Sole() || route.Preview != nil
	if !state.Moved {
		return r.giveUp(ctx, route, state, request)
	}
	if refusal, err := r.mayReceive(ctx, route, state, request); err != nil || refusal != nil {
		return value(refusal), err
	}
	if state.finishes() {
		r.keepWayBack(ctx)
	}
	return r.begin(ctx, route, back(state, request.Reason, r.Clock.Now()))
}

// keepWayBack tells who decommissions the side to go back to to leave it, before
// anything is waited for: it looks right before each of its writes.
func (r *Runner) keepWayBack(ctx context.Context) {
	if err := r.askToMakeWay(ctx, r.resumed); err != nil {
		r.tell(Revert, Warning, "who decommissions the old side can't be told to stop: %v", cluster.Explain(err))
	}
}

// back is the state in which a run goes on that a person sends back: it gives
// back what was moved, or has nothing to give back and ends.
func back(state State, reason string, at time.Time) State {
	state.Requested, state.Reason, state.Asked = true, reason, at
	// What is known is how the old side ends, and now the other one will.
	state.Because, state.Resume, state.Termination = nil, "", nil
	if !state.Moved {
		return enter(state, RolledBack, at)
	}
	return enter(state, Revert, at)
}

// wayBack finds out which colour is the side before: by the unfinished run,
// else by the split that the last switch recorded on the route, or, where that
// can't be read, by the last run. Where the last
// run was a rollback to what is live there is no way further back: the other side
// is the one that was found bad. One that was blocked says less: see pastBlocked.
// A record that is there and can't be read is looked past: see pastUnreadable.
// fault is why the split of the route can't be read.
func (r *Runner) wayBack(ctx context.Context, route traffic.Route, fault error) (State, error) {
	live := route.Split.Sole()
	last, err := r.Journal.Current(ctx)
	if other := r.anotherRun(last, err); other != nil {
		return State{}, other
	}
	if err != nil {
		r.tell(Revert, Warning, "the journal can't be read, going by the live objects: %v", err)
	}
	taken := map[string]int32(nil)
	if preview, ended := route.Preview, err != nil || last == nil || !last.Finished.IsZero(); preview != nil && ended && live != "" {
		return State{Started: r.Clock.Now(), From: live, To: preview.Color}, nil // whose run nobody has a record of
	}
	unreadable := (*journal.RecordError)(nil)
	if errors.As(err, &unreadable) && fault == nil {
		if last, err = r.pastUnreadable(ctx, route); err != nil {
			return State{}, err
		}
	}
	if err == nil && last != nil {
		state := State{}
		known := json.Unmarshal(last.State, &state) == nil && state.From != ""
		switch {
		case known && last.Finished.IsZero():
			r.continues(*last)
			state.Taken = state.Finish.taken()
			return state, nil
		case known && live == "":
			return atRest(state, r.Clock.Now()), nil
		case known && state.Phase == Done && state.To == live && route.Origin == "":
			// Somebody has taken from the route what it said itself.
			return State{Started: r.Clock.Now(), From: state.From, To: live}, nil
		case known && state.From == live && state.Finish != nil:
			// There was no way back before the other side was decommissioned.
			return State{Phase: RolledBack, From: live, To: state.To}, nil
		case known && state.From == live && state.Phase == Blocked:
			return r.pastBlocked(ctx, route, state)
		case known && state.From == live && state.Phase == RolledBack:
			return State{Phase: RolledBack, From: live, To: state.To}, nil
		case known && state.From == route.Origin:
			taken = state.Finish.taken()
		}
	}
	if fault != nil {
		return State{}, fault // what the route records may be a way back as well, and no run says which
	}
	state := State{Started: r.Clock.Now(), Taken: taken}
	if route.Origin == "" || route.Origin == live {
		instead := "kubectl bluegreen shift --to COLOR"
		if unreadable != nil {
			instead += " --set-record-aside"
		}
		return State{}, release.WithHint(
			fmt.Errorf("find the way back: %s has split %s and does not say which colour had everything before", route.Object, route.Shares()), instead)
	}
	state.From, state.To = route.Origin, live
	if live == "" {
		state.To = r.Release.Spec.Other(route.Origin)
	}
	return state, nil
}

// anotherRun is why the last run is not the one that alone may be gone back from:
// what somebody has begun since is not the business of who names that one.
func (r *Runner) anotherRun(last *journal.Run, unread error) error {
	switch {
	case r.only == "" || unread == nil && last != nil && last.ID == r.only:
		return nil
	case unread != nil:
		return release.WithHint(fmt.Errorf("see whether run %s is the last one: %w", r.only, cluster.Explain(unread)), "kubectl bluegreen rollback, whichever run is the last one")
	case last == nil:
		return release.WithHint(fmt.Errorf("roll back run %s: release %s has no run", r.only, r.Release.Metadata.Name), "kubectl bluegreen status")
	}
	return release.WithHint(fmt.Errorf("roll back run %s: nothing was done, for run %s is the last one", r.only, last.ID), "kubectl bluegreen status")
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

// beside answers a lease that somebody else holds: a shift is refused, a
// rollback asks the holder to stop, unless it goes back already: a stop would
// then only be left on the route, in the way of the next shift.
func (r *Runner) beside(ctx context.Context, held *journal.HeldError, state State) (Outcome, error) {
	if !state.Requested {
		return Outcome{Code: CodeBlocked, Message: held.Error(), Next: "kubectl bluegreen status -w"}, nil
	}
	if other := r.anotherRun(&journal.Run{ID: held.Run}, nil); other != nil {
		return Outcome{}, other
	}
	doing := "goes back already"
	if run, err := r.Journal.Get(ctx, held.Run); err != nil || !Phase(run.Phase).Reverse() {
		doing = "was asked to roll back"
		if err := r.askToMakeWay(ctx, held.Run); err != nil {
			return Outcome{}, err
		}
	}
	r.tell(Revert, Info, "%s drives run %s; it %s, waiting for it", held.Holder, held.Run, doing)
	return r.await(ctx, held.Run, state.Asked, RollbackRequest{Force: r.force, Unready: r.unready, Run: r.only, Reason: state.Reason})
}
