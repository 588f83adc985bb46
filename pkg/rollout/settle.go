package rollout

import (
	"context"
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// settle gives every intent that a killed process has left without a result
// the result that is found: what the object holds now, whoever wrote it. By
// then every object has this run's stamp, so that nothing of before can still
// land on it. What was made for a trial is removed. A run that nobody was
// killed in has nothing to settle.
func (r *Runner) settle(ctx context.Context, phase Phase) error {
	var results []journal.Entry
	for _, intent := range journal.Open(r.tenure.Run().Entries) {
		result := journal.Entry{
			Time: r.Clock.Now(), Kind: journal.Result, Action: intent.Action, Object: intent.Object,
			Message: "left without a result, found: " + r.found(ctx, intent),
		}
		r.tell(phase, Info, "%s %s was %s", intent.Action, intent.Object, result.Message)
		results = append(results, result)
	}
	if len(results) == 0 {
		return nil
	}
	return r.insist(ctx, phase, func(ctx context.Context) error { return r.tenure.Record(ctx, results...) })
}

// found is what came of an intent, in words.
func (r *Runner) found(ctx context.Context, intent journal.Entry) string {
	switch intent.Action {
	case "switch", "revert":
		route, err := r.Router.Read(ctx)
		if err != nil {
			return cluster.Explain(err).Error()
		}
		return fmt.Sprintf("%s has %s", route.Object, route.Shares())
	case "scale":
		workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, workloadOf(intent))
		if err != nil {
			return cluster.Explain(err).Error()
		}
		return fmt.Sprintf("%s wants %d replicas", workload.Ref, workload.Replicas)
	case "trial":
		return r.sweep(ctx, intent)
	}
	return "what it did is read from the objects where it matters"
}

// sweep removes the spare pods that a trial has left: nobody will ask them
// anything any more, and they take connections from those that have users.
func (r *Runner) sweep(ctx context.Context, intent journal.Entry) string {
	namespace, workload := r.Release.Metadata.Namespace, workloadOf(intent)
	spares, err := traffic.SparePods(ctx, r.Client, namespace, workload)
	switch {
	case err != nil:
		return cluster.Explain(err).Error()
	case len(spares) == 0:
		return "no spare pod"
	}
	names := make([]string, 0, len(spares))
	for _, spare := range spares {
		names = append(names, spare.Name)
	}
	err = r.intend(ctx, "sweep", intent.Object, map[string][]string{"removes": names}, func() error {
		return traffic.RemoveSparePods(ctx, r.Client, namespace, spares)
	})
	if err != nil {
		return fmt.Sprintf("%d spare pods, which end by themselves: %v", len(spares), cluster.Explain(err))
	}
	return fmt.Sprintf("%d spare pods, which were removed", len(spares))
}

// sweepBefore removes what a killed trial of a workload has left before the next
// one, whose result answers for both, and which on the way back comes before
// everything is settled.
func (r *Runner) sweepBefore(ctx context.Context, ref release.Workload) {
	for _, intent := range journal.Open(r.tenure.Run().Entries) {
		if intent.Action == "trial" && intent.Object == ref.String() {
			r.sweep(ctx, intent)
		}
	}
}

// workloadOf is the workload that an intent names as kind/name.
func workloadOf(intent journal.Entry) release.Workload {
	kind, name, _ := strings.Cut(intent.Object, "/")
	return release.Workload{Kind: kind, Name: name}
}
