package rollout

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// preserveTimeout bounds what is kept of the bad side; keeping it never
// delays traffic, which is back by then (second runbook: "Preserve v2 logs").
const preserveTimeout = 20 * time.Second

// preserve keeps logs, events and specs of the bad side.
func (r *Runner) preserve(ctx context.Context, state State) Observation {
	if r.Artefacts == "" {
		return succeeded("nothing kept: no local directory was given")
	}
	bounded, cancel := context.WithTimeout(ctx, preserveTimeout)
	defer cancel()
	directory, files, err := r.keep(bounded, state.To)
	if err != nil {
		return failed("kept %d files in %s, then: %v", files, directory, err)
	}
	return succeeded("%d files of %s kept in %s", files, state.To, directory)
}

// drainReverse waits for the requests that stay on the side that is about to
// be ended, where ending it would lose them and nothing is wrong with it: a
// rollback by the gate never waits for a bad side.
func (r *Runner) drainReverse(ctx context.Context, state State) Observation {
	if !state.Requested || state.Because != nil {
		return succeeded("%s is ended at once", state.To)
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

// mayEnd judges a side on which requests remain, or may. It is ended where
// that is known to lose nothing, or was asked for; waited for where waiting
// shows; and else left running, which is said.
func (r *Runner) mayEnd(ctx context.Context, state State, seen Observation, reading measure.Reading) Observation {
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
	if state.Kept != "" {
		return r.leave(state, workloads)
	}
	for _, workload := range workloads {
		if workload.Replicas == 0 {
			continue
		}
		err := r.intend(ctx, "scale", workload.Ref.String(), map[string]int{"from": int(workload.Replicas), "replicas": 0}, func() error {
			return r.Client.Scale(ctx, r.Release.Metadata.Namespace, workload.Ref, 0, r.fence(),
				cluster.Annotate(cluster.AnnotationReplicas, strconv.Itoa(int(workload.Replicas))))
		})
		switch {
		case errors.Is(err, cluster.ErrFenced), err != nil && cluster.Transient(err), apierrors.IsNotFound(err):
			return waiting("%v", err)
		case err != nil:
			return failed("%v", cluster.Explain(err))
		}
		r.tell(End, Info, "%s scaled from %d to 0", workload.Ref, workload.Replicas)
	}
	left, err := r.remaining(ctx, state.To)
	switch {
	case err != nil:
		return waiting("%v", err)
	case left > 0:
		return waiting("%d pods of %s are still ending", left, state.To)
	}
	seen := succeeded("%s is ended, its pods are gone", state.To)
	seen.Learned = func(s *State) {
		s.Residual = &measure.Reading{Query: measure.Query{Signal: measure.ResidualRate, Color: state.To},
			State: measure.OK, Time: r.Clock.Now(), Source: "kubernetes", Detail: "no pod is left to answer"}
	}
	return seen
}

// leave lets the side run on and says how to end it by hand.
func (r *Runner) leave(state State, workloads []*cluster.Workload) Observation {
	for _, workload := range workloads {
		r.tell(End, Warning, "%s is left running; to end it: kubectl -n %s scale %s --replicas=0", workload.Ref, r.Release.Metadata.Namespace, workload.Ref)
	}
	return succeeded("%s is left running: %s", state.To, state.Kept)
}
