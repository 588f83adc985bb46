package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Rollback gives everything back to the side before. While a run is going
// on, its own process is told to stop and this one waits for it; otherwise
// this process takes over, from the live objects alone where no record is.
func (r *Runner) Rollback(ctx context.Context, request RollbackRequest) (Outcome, error) {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return Outcome{}, err
	}
	state, err := r.wayBack(ctx, route)
	if err != nil {
		return Outcome{}, err
	}
	// What the route says counts too: somebody else may have moved traffic.
	state.Moved = state.Moved || state.From != route.Split.Sole()
	if !state.Moved {
		return r.giveUp(ctx, route, state, request)
	}
	if refusal, err := r.mayReceive(ctx, route, state, request); err != nil || refusal != nil {
		return value(refusal), err
	}
	r.force = request.Force
	return r.begin(ctx, route, back(state, request.Reason, r.Clock.Now()))
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

// mayReceive says how ready the side to go back to is, and refuses to go where
// no pod would answer, unless that is forced. What its workloads say is only
// told: they may be unreadable, and the route decides.
func (r *Runner) mayReceive(ctx context.Context, route traffic.Route, state State, request RollbackRequest) (*Outcome, error) {
	ready, wanted, err := r.readiness(ctx, state.From)
	switch {
	case err != nil:
		r.tell(Revert, Warning, "%s→%s, how many pods are ready can't be read: %v", state.To, state.From, cluster.Explain(err))
	case ready < wanted:
		r.tell(Revert, Warning, "%s→%s, only %d/%d ready", state.To, state.From, ready, wanted)
	default:
		r.tell(Revert, Info, "%s→%s, %d/%d ready", state.To, state.From, ready, wanted)
	}
	if request.Force {
		return nil, nil
	}
	receivers, err := r.Router.Receivers(ctx, state.From)
	if err != nil {
		return nil, release.WithHint(cluster.Explain(err), "kubectl bluegreen rollback --force")
	}
	if receivers == 0 {
		return &Outcome{Code: CodeBlocked,
			Message: fmt.Sprintf("no pod of %s is ready: going back would leave %s with nothing", state.From, route.Object),
			Next:    "kubectl bluegreen rollback --force"}, nil
	}
	return nil, nil
}

// wayBack finds out which colour is the side before: by the unfinished run,
// else by the split that the last switch recorded on the route. Where the last
// run was a rollback to what is live, or was blocked while it was live, there
// is no way further back: the other side is the one that was found bad.
func (r *Runner) wayBack(ctx context.Context, route traffic.Route) (State, error) {
	live := route.Split.Sole()
	last, err := r.Journal.Current(ctx)
	if err != nil {
		r.tell(Revert, Warning, "the journal can't be read, going by the live objects: %v", err)
	}
	if err == nil && last != nil {
		state := State{}
		known := json.Unmarshal(last.State, &state) == nil && state.From != ""
		switch {
		case known && last.Finished.IsZero():
			r.resumed = last.ID
			return state, nil
		case known && state.From == live && (state.Phase == RolledBack || state.Phase == Blocked):
			return State{Phase: state.Phase, From: live, To: state.To, Reason: state.Reason}, nil
		}
	}
	state := State{Started: r.Clock.Now()}
	if live == "" || route.Previous == nil || route.Previous.Sole() == "" {
		return State{}, release.WithHint(
			fmt.Errorf("find the way back: %s has split %s and records no split before it", route.Object, route.Split),
			"kubectl bluegreen shift --to COLOR")
	}
	state.From, state.To = route.Previous.Sole(), live
	return state, nil
}

// beside answers a lease that somebody else holds: a shift is refused, a
// rollback asks the holder to stop, unless it goes back already: a stop would
// then only be left on the route, in the way of the next shift.
func (r *Runner) beside(ctx context.Context, held *journal.HeldError, state State) (Outcome, error) {
	if !state.Requested {
		return Outcome{Code: CodeBlocked, Message: held.Error(), Next: "kubectl bluegreen status -w"}, nil
	}
	doing := "goes back already"
	if run, err := r.Journal.Get(ctx, held.Run); err != nil || !Phase(run.Phase).Reverse() {
		doing = "was asked to roll back"
		var unseen *UnseenError // the lease has said who is there
		if _, err := r.RequestStop(ctx, "rollback requested by "+r.Holder); err != nil && !errors.As(err, &unseen) {
			return Outcome{}, err
		}
	}
	r.tell(Revert, Info, "%s drives run %s; it %s, waiting for it", held.Holder, held.Run, doing)
	return r.await(ctx, held.Run, state.Asked, RollbackRequest{Force: r.force, Reason: state.Reason})
}
