package rollout

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// preserveTimeout bounds what is kept of the bad side; keeping it never
// delays traffic, which is back by then (second seed: "Preserve v2 logs").
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
	if err := r.reopen(ctx); err != nil {
		r.tell(DrainReverse, Warning, "going on without measurements: %v", err)
		r.reopened = true
	}
	reading := r.residual(ctx, state.To)
	if r.settling(state, reading) {
		return waiting("reading what remains on %s", state.To)
	}
	seen := r.drained(reading, state.To)
	seen.Learned = learnResidual(seen.Kind, reading)
	if seen.Kind != Waiting {
		return seen
	}
	if state.Termination == nil {
		state.Termination = r.termination(ctx, state.To, nil)
		seen.Learned = func(s *State) { s.Termination, s.Residual = state.Termination, &reading }
	}
	if state.Termination != nil && state.Termination.Graceful {
		seen.Kind, seen.Message = Succeeded, state.To+" ends gracefully, ending it moves the rest"
		return seen
	}
	seen.Message += "; ending it would break one request on each of them"
	return seen
}

// end scales the bad side to zero, records its replicas, and waits until its
// pods are gone. Nothing is deleted.
func (r *Runner) end(ctx context.Context, state State) Observation {
	workloads, err := r.workloads(ctx, state.To)
	if err != nil {
		return waiting("%v", err)
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
		case errors.Is(err, cluster.ErrFenced), err != nil && cluster.Transient(err):
			return waiting("%v", err)
		case err != nil:
			return failed("%v", err)
		}
		r.tell(End, Info, "%s scaled from %d to 0", workload.Ref, workload.Replicas)
	}
	for _, workload := range workloads {
		pods, err := r.Client.Pods(ctx, r.Release.Metadata.Namespace, workload.Selector)
		if err != nil {
			return waiting("%v", err)
		}
		if len(pods) > 0 {
			return waiting("%d pods of %s are still ending", len(pods), state.To)
		}
	}
	seen := succeeded("%s is ended, its pods are gone", state.To)
	seen.Learned = func(s *State) {
		s.Residual = &measure.Reading{Query: measure.Query{Signal: measure.ResidualRate, Color: state.To},
			State: measure.OK, Time: r.Clock.Now(), Source: "kubernetes", Detail: "no pod is left to answer"}
	}
	return seen
}
