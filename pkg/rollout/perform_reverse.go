package rollout

import (
	"context"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// preserveTimeout bounds what is kept of the bad side; keeping it never
// delays traffic, which is back by then (second runbook: "Preserve v2 logs").
const preserveTimeout = 20 * time.Second

// preserve keeps logs, events and specs of the bad side.
func (r *Runner) preserve(ctx context.Context, state State) Observation {
	r.regrowEarly(ctx, state)
	if r.Artefacts == "" {
		return succeeded("nothing kept: no local directory was given")
	}
	if r.kept != nil {
		return *r.kept
	}
	return r.keepWithin(ctx, state.To, preserveTimeout)
}

// keepWithin keeps what a colour leaves for as long as that may take, and says
// what it is and whose logs are not among it.
func (r *Runner) keepWithin(ctx context.Context, color string, timeout time.Duration) Observation {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := r.keep(bounded, color)
	message := fmt.Sprintf("%d files of %s kept in %s", found.files, color, found.directory)
	if found.silenced != "" {
		message += ", but " + found.silenced
	}
	switch {
	case err != nil:
		return failed("%s, then: %v", message, cluster.Explain(err))
	case found.silenced != "":
		return failed("%s", message)
	}
	return succeeded("%s", message)
}

// drainReverse waits for the requests that stay on the side that is about to
// be ended, where ending it would lose them and nothing is wrong with it: a
// rollback by the gate waits for no client of a bad side, only for the proxies
// that may still send it clients of the other.
func (r *Runner) drainReverse(ctx context.Context, state State) Observation {
	if !state.Requested || state.Because != nil {
		return r.followBack(ctx, state)
	}
	if left, err := r.remaining(ctx, state.To); err == nil && left == 0 {
		return succeeded("no pod of %s is left to answer", state.To)
	}
	if err := r.reopen(ctx); err != nil {
		r.tell(DrainReverse, Warning, "going on without measurements: %v", err)
		r.reopened = true
	}
	reading := r.residual(ctx, state.To)
	if r.settling(state, reading) {
		return waiting("reading what remains on %s", state.To)
	}
	reading = whole(reading)
	seen := r.drained(reading, state.To)
	if seen.Kind == Succeeded && reading.State == measure.OK {
		seen.Learned = learnResidual(seen.Kind, reading)
		return seen
	}
	return r.mayEnd(ctx, state, seen, reading)
}

// followBack lets proxies read a route with weights anew before the side that
// they may still lead to is ended: ten seconds at most, or until nothing reaches
// it. A Service has none: the proof of its EndpointSlices is all that is waited
// for. Where both sides are kept none is ended, and nothing is waited for.
func (r *Runner) followBack(ctx context.Context, state State) Observation {
	if r.Router.Capabilities().KeepsBothSides {
		return idle("%s is left running, nothing is waited for", state.To)
	}
	most := r.followingTime()
	if !r.Router.Capabilities().Weights || r.Clock.Since(state.Entered) >= most {
		return succeeded("%s is ended at once", state.To)
	}
	if left, err := r.remaining(ctx, state.To); err == nil && left == 0 {
		return succeeded("no pod of %s is left to answer", state.To)
	}
	reading := whole(r.residual(ctx, state.To))
	if !r.settling(state, reading) && reading.State == measure.OK && reading.Value == 0 {
		return succeeded("nothing has reached %s for %s, it is ended", state.To, reading.Window)
	}
	return waiting("%s is ended once no proxy leads anything there any more, %s after the proof at most", state.To, most)
}

// followingTime is how long proxies that read a route anew are waited for at most.
func (r *Runner) followingTime() time.Duration {
	return min(lostAfter, r.Release.Spec.Traffic.Deadlines.Drain.Std()/2)
}

// mayEnd judges a side on which requests remain, or may. It is ended where
// that is known to lose nothing, or was asked for; waited for where waiting
// shows; and else left running, which is said. Where both sides are kept nothing
// ends what remains, so proxies get the time that they need to follow.
func (r *Runner) mayEnd(ctx context.Context, state State, seen Observation, reading measure.Reading) Observation {
	if r.Router.Capabilities().KeepsBothSides && seen.Kind == Waiting && r.Clock.Since(state.Entered) < r.followingTime() {
		return waiting("proxies may still lead requests to %s: %s", state.To, seen.Message)
	}
	policy := r.Release.Spec.Traffic.Drain
	if policy == release.DrainNone || policy == release.DrainRecycle {
		seen.Kind, seen.Message = Succeeded, fmt.Sprintf("not waited for (traffic.drain: %s): %s", policy, seen.Message)
		seen.Learned = learnResidual(Succeeded, reading)
		return seen
	}
	proof := state.Termination
	if proof == nil {
		proof = r.termination(ctx, state.To, nil)
	}
	kept := ""
	switch {
	case proof != nil && proof.Graceful:
		seen.Kind, seen.Message = Succeeded, state.To+" ends gracefully, ending it moves the rest"
	case seen.Kind == Waiting:
		seen.Message += "; ending it would break one request on each of them"
	default:
		kept = seen.Message + ", and that ending it loses none is not proven"
		seen.Message = kept
	}
	seen.Learned = func(s *State) { s.Termination, s.Residual, s.Kept = proof, &reading, kept }
	return seen
}

// end scales the bad side to zero, records its replicas, and waits until its
// pods are gone. Nothing is deleted. What somebody else has deleted is gone.
func (r *Runner) end(ctx context.Context, state State) Observation {
	workloads, _, err := r.present(ctx, state.To)
	if err != nil {
		return waiting("%v", err)
	}
	switch {
	case state.Kept != "":
		return r.leave(state, workloads)
	case r.Router.Capabilities().KeepsBothSides:
		seen := succeeded("%s is left running: %s", state.To, keepsBothSides)
		seen.Learned = func(s *State) { s.Kept = keepsBothSides }
		return seen
	}
	if elsewhere := r.servedElsewhere(ctx, workloads); elsewhere != "" {
		state.Kept = elsewhere
		return r.leave(state, workloads).learning(func(s *State) { s.Kept = elsewhere })
	}
	seen := r.empty(ctx, End, state.To, workloads, func(ctx context.Context) error { return r.givesNothing(ctx, state) })
	if seen.Kind != Succeeded {
		return seen
	}
	seen.Learned = func(s *State) { s.Residual = r.noPodLeft(state.To) }
	return seen
}

// noPodLeft is what remains on a side whose pods are gone.
func (r *Runner) noPodLeft(color string) *measure.Reading {
	return &measure.Reading{Query: measure.Query{Signal: measure.ResidualRate, Color: color},
		State: measure.OK, Time: r.Clock.Now(), Source: "kubernetes", Detail: "no pod is left to answer"}
}

// keepsBothSides is why a side of a route that traffic.Capabilities say so of is
// never scaled to zero.
const keepsBothSides = "the proxy drops a route of which one Service has no pods; take its Service out of the route before it is scaled to zero"

// givesNothing makes sure that the side to be ended gets nothing any more, and
// that nobody else has begun to move the route.
func (r *Runner) givesNothing(ctx context.Context, state State) error {
	route, err := r.Router.Read(ctx)
	if err != nil && len(route.Gone) == 0 { // what is gone gives nothing
		return err
	}
	if newest := route.Newest(); newest.Epoch > r.fence().Epoch {
		return fmt.Errorf("%s was taken over by %s at epoch %d", route.Object, newest.Holder, newest.Epoch)
	}
	if !route.Has(traffic.Whole(state.From), nil) {
		return fmt.Errorf("%s has %s: %s is not to be ended", route.Object, route.Shares(), state.To)
	}
	return nil
}

// leave lets the side run on and says how to end it by hand.
func (r *Runner) leave(state State, workloads []*cluster.Workload) Observation {
	for _, workload := range workloads {
		r.tell(End, Warning, "%s is left running; to end it: kubectl -n %s scale %s --replicas=0", workload.Ref, r.Release.Metadata.Namespace, workload.Ref)
	}
	return succeeded("%s is left running: %s", state.To, state.Kept)
}
