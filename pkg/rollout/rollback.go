package rollout

import (
	"context"
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
