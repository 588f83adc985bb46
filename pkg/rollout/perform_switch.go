package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// switchTraffic writes what the state's step asks for, a split or a preview, onto
// the route that the guard let pass: a stop or an edit since then makes the write
// fail.
func (r *Runner) switchTraffic(ctx context.Context, state State, route traffic.Route) Observation {
	began := r.Clock.Now()
	seen := r.move(ctx, "switch", route.Previewing(state.preview(r.policy)), state.Split(r.policy), state.To)
	if seen.Kind == Succeeded && (state.DataPlane.Switched.IsZero() || state.DataPlane.Step != state.Step) {
		seen.Learned = func(s *State) { s.DataPlane = DataPlane{Switched: began, Step: s.Step} }
	}
	return seen
}

// revert gives everything back to the old side. Nothing is asked but that
// the old side has a ready pod, and not even that where it was overruled.
func (r *Runner) revert(ctx context.Context, state State) Observation {
	receiver := state.From
	if r.unready {
		receiver = ""
	}
	route, err := r.Router.Read(ctx)
	if err != nil && !giveable(route, err) {
		return waiting("%v", err)
	}
	if r.scales() {
		return r.revertWorkers(ctx, state, route.Back())
	}
	seen := r.move(ctx, "revert", route.Back(), traffic.Whole(state.From), receiver)
	if seen.Kind == Succeeded && len(route.Gone) > 0 {
		seen.Learned = func(s *State) { s.Gone = route.Gone }
	}
	return seen
}

// move brings the route to a split, and to the preview that it is planned with. It
// is idempotent: a route that already has both, and our stamp, is left alone, which settles an intent that a
// kill left without a result. The receiver must have a ready pod before it
// is given anything, so that the route never selects nothing.
func (r *Runner) move(ctx context.Context, action string, route traffic.Route, split traffic.Split, receiver string) Observation {
	if route.Has(split, route.Leaves(split)) && route.Fence == r.fence() {
		return succeeded("%s has %s already", route.Object, route.Shares())
	}
	if receiver != "" && !r.scales() {
		ready, err := r.Router.Receivers(ctx, receiver)
		if err != nil {
			return unseen("%v", err)
		}
		if ready == 0 {
			return waiting("%s would select no ready pod of %s, it stays on %s", route.Object, receiver, route.Shares())
		}
	}
	patch, err := r.Router.Plan(route, split, r.fence())
	if err != nil {
		return r.moveFailed(err)
	}
	if patch.Blocked() {
		return waiting("%s: %s", route.Object, patch.Awaits)
	}
	started, written := r.Clock.Now(), traffic.Route{}
	err = r.intend(ctx, action, route.Object, json.RawMessage(patch.Body), func() error {
		written, err = r.Router.Write(ctx, patch, false)
		return err
	})
	if err != nil {
		return r.moveFailed(err)
	}
	if patch.Awaits != "" {
		r.tellPart(route, written, patch)
		return waiting("%s: %s", route.Object, patch.Awaits)
	}
	seen := succeeded("%s %s → %s, written in %s", route.Object, route.Shares(), patch.Told(), r.Clock.Since(started).Round(time.Millisecond))
	if len(written.Members) > 0 && !r.scales() {
		seen.Message += fmt.Sprintf("; %d routes, differed for %s", len(written.Members), written.Differed.Round(time.Millisecond))
	}
	return seen
}

// moveFailed tells a lost race or a stop, which are seen by the next look at the
// route, from a write that will never be taken. A set that was moved in part and
// given back is not moved again, whatever the reason: what passes a dry run and
// is then refused would have production go to and fro until the deadline.
func (r *Runner) moveFailed(err error) Observation {
	partial := (*traffic.PartialError)(nil)
	if !errors.As(err, &partial) && (errors.Is(err, cluster.ErrFenced) || errors.Is(err, errStopped) || cluster.Transient(err)) {
		return unseen("%v", err)
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
		return unseen("prove %s: %v", split, err)
	}
	if !proof.Proven {
		return waiting("%s", proof.Message)
	}
	if r.scales() && !state.Phase.Reverse() {
		return r.startedWell(ctx, state, proof)
	}
	return succeeded("%s", proof.Message)
}
