package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// switchTraffic writes the split of the state's step onto the route that the
// guard let pass: a stop or an edit since then makes the write fail.
func (r *Runner) switchTraffic(ctx context.Context, state State, route traffic.Route) Observation {
	return r.move(ctx, "switch", route, state.Split(r.policy), state.To)
}

// revert gives everything back to the old side. Nothing is asked but that
// the old side has a ready pod, and not even that when it was forced.
func (r *Runner) revert(ctx context.Context, state State) Observation {
	receiver := state.From
	if r.force {
		receiver = ""
	}
	route, err := r.Router.Read(ctx)
	if err != nil {
		return waiting("%v", err)
	}
	return r.move(ctx, "revert", route, traffic.Whole(state.From), receiver)
}

// move brings the route to a split. It is idempotent: a route that already
// has the split, and our stamp, is left alone, which settles an intent that a
// kill left without a result. The receiver must have a ready pod before it
// is given anything, so that the route never selects nothing.
func (r *Runner) move(ctx context.Context, action string, route traffic.Route, split traffic.Split, receiver string) Observation {
	if route.Split.Equal(split) && route.Fence == r.fence() {
		return succeeded("%s has %s already", route.Object, split)
	}
	if receiver != "" {
		ready, err := r.Router.Receivers(ctx, receiver)
		if err != nil {
			return waiting("%v", err)
		}
		if ready == 0 {
			return waiting("%s would select no ready pod of %s, it stays on %s", route.Object, receiver, route.Split)
		}
	}
	patch, err := r.Router.Plan(route, split, r.fence())
	if err != nil {
		return r.moveFailed(err)
	}
	started := r.Clock.Now()
	err = r.intend(ctx, action, route.Object, json.RawMessage(patch.Body), func() error {
		_, err := r.Router.Write(ctx, patch, false)
		return err
	})
	if err != nil {
		return r.moveFailed(err)
	}
	return succeeded("%s %s → %s, written in %s", route.Object, patch.From, patch.To, r.Clock.Since(started).Round(time.Millisecond))
}

// moveFailed tells a lost race, which is read again within the deadline,
// from a write that will never be taken.
func (r *Runner) moveFailed(err error) Observation {
	if errors.Is(err, cluster.ErrFenced) || cluster.Transient(err) {
		return waiting("%v", err)
	}
	if hint := release.HintOf(err); hint != "" {
		return failed("%v; %s", err, hint)
	}
	return failed("%v", err)
}

// prove compares the EndpointSlices with the split that was written.
func (r *Runner) prove(ctx context.Context, state State) Observation {
	split := state.Split(r.policy)
	proof, err := r.Router.Prove(ctx, split)
	if err != nil {
		return waiting("prove %s: %v", split, err)
	}
	if !proof.Proven {
		return waiting("%s", proof.Message)
	}
	return succeeded("%s", proof.Message)
}
