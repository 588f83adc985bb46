package rollout

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// unready is the command that goes back to a side without a ready pod.
const unready = "kubectl bluegreen rollback --force=ready-endpoints"

// mayReceive says how ready the side to go back to is, and refuses to go where
// no pod would answer, unless that is overruled by name. What its workloads say is only
// told: they may be unreadable, and the route decides.
func (r *Runner) mayReceive(ctx context.Context, route traffic.Route, state State, request RollbackRequest) (*Outcome, error) {
	ready, wanted, err := r.readiness(ctx, state.From)
	if r.scales() {
		r.tell(Revert, Info, "%s→%s, %d/%d ready; what is missing is started first", state.To, state.From, ready, wanted)
		return nil, r.mayStart(route, state)
	}
	switch {
	case err != nil:
		r.tell(Revert, Warning, "%s→%s, how many pods are ready can't be read: %v", state.To, state.From, cluster.Explain(err))
	case ready < wanted, ready == 0:
		r.tell(Revert, Warning, "%s→%s, only %d/%d ready", state.To, state.From, ready, wanted)
	default:
		r.tell(Revert, Info, "%s→%s, %d/%d ready", state.To, state.From, ready, wanted)
	}
	if request.Unready {
		return r.notTheirs(ctx, route, state), nil
	}
	receivers, err := r.Router.Receivers(ctx, state.From)
	if err != nil {
		return nil, release.WithHint(cluster.Explain(err), unready)
	}
	if receivers > 0 {
		return nil, nil
	}
	if refusal := r.notTheirs(ctx, route, state); refusal != nil {
		return refusal, nil
	}
	return r.nothingThere(ctx, route, state), nil
}

// notTheirs refuses to go where the Release leads past all pods of its own workloads:
// it is wrong about their labels, and to overrule that would give the traffic to nobody.
func (r *Runner) notTheirs(ctx context.Context, route traffic.Route, state State) *Outcome {
	selector := labels.SelectorFromSet(r.Release.Spec.Colors[state.From].Selector)
	pods, err := r.pods(ctx, state.From)
	if err != nil || len(pods) == 0 || slices.ContainsFunc(pods, func(pod corev1.Pod) bool { return selector.Matches(labels.Set(pod.Labels)) }) {
		return nil
	}
	return &Outcome{Code: CodeBlocked, Next: "kubectl bluegreen rollback -f FILE", Message: fmt.Sprintf(
		"%s would lead to nobody: this Release tells %s by %s, and none of its %d pods has that; go back with the Release that they were deployed for",
		route.Object, state.From, selector, len(pods))}
}

// nothingThere refuses to go where no pod would answer. Where a finished run
// has left the side without any, as finish does, that takes a shift, which gives
// it its pods back, checks and watches it.
func (r *Runner) nothingThere(ctx context.Context, route traffic.Route, state State) *Outcome {
	refusal := &Outcome{Code: CodeBlocked,
		Message: fmt.Sprintf("no pod of %s is ready: going back would leave %s with nothing", state.From, route.Object), Next: unready}
	if _, wanted, err := r.readiness(ctx, state.From); err != nil || wanted > 0 {
		return refusal
	}
	refusal.Message += fmt.Sprintf("; %s was scaled to zero or deleted, and a shift to it gives it its pods back first", state.From)
	switch {
	case r.resumed == "":
		refusal.Next = "kubectl bluegreen shift --to " + state.From
	case state.Finish != nil:
		refusal.Message += ", once its decommission has ended"
		refusal.Next = "kubectl bluegreen resume"
	}
	return refusal
}
