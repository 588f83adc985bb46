package rollout

import (
	"context"
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Workers take their jobs from a queue, so a pod has traffic as soon as it runs,
// and the switch is what starts it. What other releases look at before the switch
// is looked at after it then, and what they do about connections is not asked:
// nobody opens any to a worker.

// scales reports whether the switch starts and ends pods.
func (r *Runner) scales() bool { return r.Router.Capabilities().Scales }

// beforeWorkers is the performance of a phase that has nothing to look at before
// the switch starts the target.
func (r *Runner) beforeWorkers(state State) (seen Observation, is bool) {
	if !r.scales() {
		return Observation{}, false
	}
	switch state.Phase {
	case WaitReady, CleanLogs, Health, Synthetic:
		return idle("%s takes jobs as soon as it runs, so the switch starts it, and this is looked at after that", state.To), true
	case HoldFloor:
		return idle("no autoscaler is held: one of a side without replicas does nothing"), true
	case DrainReverse:
		return idle("%s was ended by the switch", state.To), true
	}
	return Observation{}, false
}

// startedWell looks at the target once its pods take jobs: at what the phases
// before the switch look at otherwise. What fails here sends it back.
func (r *Runner) startedWell(ctx context.Context, state State, proof traffic.Proof) Observation {
	said := proof.Message
	for _, look := range []func(context.Context, State) Observation{r.cleanLogs, r.health, r.confirm} {
		seen := look(ctx, state)
		if seen.Kind != Succeeded {
			return seen
		}
		if !seen.Quiet {
			said += "; " + seen.Message
		}
	}
	return succeeded("%s", said)
}

// unjudged is what is known of the share of workers.
const unjudged = "workers take their jobs themselves, so who gets how many is not judged: a side that takes none has no data for the gate, and nothing advances"

// deployedDown makes sure that the target is deployed. It gets its replicas by
// the switch.
func (r *Runner) deployedDown(ctx context.Context, state State) error {
	_, err := r.workloads(ctx, state.To)
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("%w; name its manifests in spec.colors.%s.manifests or deploy it first, with replicas: 0", err, state.To)
	}
	return err
}

// keptDown are the objects of a colour's manifests with the replicas of its workers
// as they are now, and those of the manifests on record, for the switch to give.
// An object that says none is made with 1, and a worker that is made takes jobs.
func (r *Runner) keptDown(ctx context.Context, color string, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	if !r.scales() {
		return objects, nil
	}
	kept := make([]*unstructured.Unstructured, len(objects))
	for index, object := range objects {
		kept[index] = object
		for _, ref := range r.Release.Spec.Colors[color].Workloads {
			if objectName(object) != ref.String() {
				continue
			}
			live, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, ref)
			if err != nil && !apierrors.IsNotFound(err) {
				return nil, err
			}
			if kept[index], err = keptAt(object, live); err != nil {
				return nil, err
			}
		}
	}
	return kept, nil
}

// keptAt is a manifest of workers that changes no replicas. live is nil where it is
// not deployed.
func keptAt(object *unstructured.Unstructured, live *cluster.Workload) (*unstructured.Unstructured, error) {
	object = object.DeepCopy()
	replicas, recorded := int64(0), ""
	if live != nil {
		replicas, recorded = int64(live.Replicas), live.Object.GetAnnotations()[cluster.AnnotationReplicas]
	}
	wanted, says, err := unstructured.NestedFieldNoCopy(object.Object, "spec", "replicas")
	if err != nil {
		return nil, fmt.Errorf("read spec.replicas of %s: %w", objectName(object), err)
	}
	if says && wanted != nil && fmt.Sprint(wanted) != "0" {
		recorded = fmt.Sprint(wanted)
	}
	if recorded != "" {
		annotations := object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[cluster.AnnotationReplicas] = recorded
		object.SetAnnotations(annotations)
	}
	return object, unstructured.SetNestedField(object.Object, replicas, "spec", "replicas")
}

// drainWorkers waits until the pods of the old side are gone: until then each may
// have a job that it took before.
func (r *Runner) drainWorkers(ctx context.Context, state State) Observation {
	left, err := r.remaining(ctx, state.From)
	switch {
	case err != nil:
		return hampered(err)
	case left == 0:
		seen := succeeded("%s is drained: none of its pods is left to end a job", state.From)
		seen.Learned = func(s *State) { s.Residual = r.noPodLeft(state.From) }
		return seen
	case r.Release.Spec.Traffic.Drain == release.DrainNone:
		return succeeded("not waited for (traffic.drain: none): %d pods of %s still end", left, state.From)
	}
	return waiting("%d pods of %s still end, and may have a job", left, state.From)
}

// revertWorkers scales the old side up and, once it is ready, the other to zero.
// While it starts, what the bad side leaves is kept, for its pods are gone after
// that. An old side that is not ready after half of the time gets no more: a queue
// keeps what nobody takes, and bad workers don't. They may also be what keeps it
// from being ready, where they hold the connections that it needs.
func (r *Runner) revertWorkers(ctx context.Context, state State, route traffic.Route) Observation {
	patience := r.policy.Deadlines.Rollback.Std() / 2
	if r.unready || r.Clock.Since(state.Entered) > patience {
		route = route.Unready()
	}
	seen := r.move(ctx, "revert", route, traffic.Whole(state.From), "")
	if seen.Kind == Waiting && !seen.Unseen && r.kept == nil && r.Artefacts != "" {
		kept := r.keepWithin(ctx, state.To, keepWorkers)
		r.kept = &kept
	}
	return seen
}

// mayStart refuses to go back to workers that can't be started, because they are
// not deployed any more.
func (r *Runner) mayStart(route traffic.Route, state State) error {
	anybody := cluster.Fence{Epoch: math.MaxInt64} // the lease is not ours yet
	_, err := r.Router.Plan(route.Back(), traffic.Whole(state.From), anybody)
	return err
}

// keepWorkers bounds what is kept of workers that are about to end.
const keepWorkers = 10 * time.Second

// tellPart says what of a move is written while the rest has to wait.
func (r *Runner) tellPart(before, after traffic.Route, patch traffic.Patch) {
	if after.Shares() != before.Shares() {
		r.tell(r.announced, Info, "%s: %s → %s; %s", before.Object, before.Shares(), after.Shares(), patch.Awaits)
	}
}
