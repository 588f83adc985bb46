package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// planned is the target as the shift will make it. What its manifests hold is
// judged as they have it, whatever runs now: they are applied after the checks,
// and nothing judges them again. What they leave out stays as it is, and what
// stands at zero gets its replicas back. A target without manifests that runs is
// left as it was found.
func planned(ctx context.Context, in Inputs, facts *Facts) Color {
	target := facts.target()
	files := toApply(in, facts, target.Name)
	switch {
	case len(files) > 0 && (target.Workloads.Known || target.absent):
		workloads, running, err := applied(ctx, in, target, files)
		target.Running = runningOf(ctx, in, target, running)
		target.Workloads = factOf(restored(workloads, facts), err)
	case atZero(target):
		target.Workloads = known(restored(target.Workloads.Value, facts))
	default:
		return target
	}
	if !target.Workloads.Known {
		return target
	}
	target.Planned = target.Running == nil
	target.Owned = factOf(ownedPods(ctx, in, target.Workloads))
	target.Pools = pools(ctx, in, target.Workloads.Value, readOnce(ctx, in, facts, target.Name))
	unpatched(facts, target)
	plan(&target, files)
	return target
}

// toApply are the manifests of a colour that will be applied: those of the target
// of a shift, unless it has the traffic already. A pull request has no target, and
// is judged as if each were to become it.
func toApply(in Inputs, facts *Facts, color string) []string {
	if in.Stage != StagePR && (color != facts.Target || facts.Route.Value.Live == color) {
		return nil
	}
	return in.Manifests[color]
}

// atZero reports whether a colour has workloads and wants no pod of any.
func atZero(color Color) bool {
	return color.Workloads.Known && len(color.Workloads.Value) > 0 &&
		!slices.ContainsFunc(color.Workloads.Value, func(w cluster.Workload) bool { return w.Replicas > 0 })
}

// applied are the target's workloads as they will stand when its manifests are
// applied, and those of them that run until then.
func applied(ctx context.Context, in Inputs, target Color, files []string) (workloads, running []cluster.Workload, err error) {
	objects, err := cluster.ReadManifests(files)
	if err != nil {
		return nil, nil, err
	}
	if objects, err = in.Client.WithConfiguration(ctx, in.namespace(), objects); err != nil {
		return nil, nil, err
	}
	for _, ref := range target.Declared.Workloads {
		there, err := standing(ctx, in, target, ref)
		if err != nil {
			return nil, nil, err
		}
		workload, err := appliedOver(there, objects, ref)
		if err != nil {
			return nil, nil, err
		}
		workloads = append(workloads, *workload)
		if there != nil && there.Replicas > 0 {
			running = append(running, *there)
		}
	}
	return workloads, running, nil
}

// standing is a workload of a colour as it was found, nil where there is none.
func standing(ctx context.Context, in Inputs, color Color, ref release.Workload) (*cluster.Workload, error) {
	for _, workload := range color.Workloads.Value {
		if workload.Ref == ref {
			return &workload, nil
		}
	}
	workload, err := in.Client.Workload(ctx, in.namespace(), ref)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // nothing is there, and that is no error
	}
	return workload, err
}

// appliedOver is a workload as its manifest will make it of what is there. What no
// manifest holds stays as it is.
func appliedOver(there *cluster.Workload, objects []*unstructured.Unstructured, ref release.Workload) (*cluster.Workload, error) {
	workload, err := manifestWorkload(objects, ref)
	switch {
	case there == nil:
		return workload, err
	case errors.Is(err, errNotInManifests):
		return there, nil
	case err != nil:
		return nil, err
	}
	if _, set, _ := unstructured.NestedFieldNoCopy(workload.Object.Object, "spec", "replicas"); !set {
		replicas := replicasLeft(*there)
		workload.MaxSurge, workload.Replicas = surgeAt(*workload, replicas), replicas
	}
	if recorded, found := there.Object.GetAnnotations()[cluster.AnnotationReplicas]; found {
		annotations := workload.Object.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[cluster.AnnotationReplicas] = recorded
		workload.Object.SetAnnotations(annotations)
	}
	workload.ReadyReplicas, workload.Readiness = there.ReadyReplicas, there.Readiness
	return workload, nil
}

// replicasLeft is the count of a workload once a manifest without one is applied:
// the one that it has, as is usual beside an autoscaler, but 1 where nobody set
// that but an apply of ours, which takes back what it no longer says.
func replicasLeft(there cluster.Workload) int32 {
	if cluster.OnlyApplied(there.Object, "spec", "replicas") {
		return 1
	}
	return there.Replicas
}

// runningOf is what runs of a target, as it was found, before its manifests are
// applied, nil where nothing does. Of one that was not found as a whole the pools are
// still to be found.
func runningOf(ctx context.Context, in Inputs, found Color, workloads []cluster.Workload) *Running {
	if len(workloads) == 0 {
		return nil
	}
	held := found.Pools
	if !found.Workloads.Known {
		held = pools(ctx, in, workloads, readOver(ctx, in, nil))
	}
	return &Running{Workloads: workloads, Pools: held}
}

// restored gives workloads that stand at zero the replicas that the shift
// gives them back: those that were recorded, and at least the live colour's.
func restored(workloads []cluster.Workload, facts *Facts) []cluster.Workload {
	wanted := int32(0)
	if live, ok := facts.live(); ok && len(workloads) == 1 {
		for _, workload := range live.Workloads.Value {
			wanted += workload.Replicas
		}
	}
	result := slices.Clone(workloads)
	for i := range result {
		if result[i].Replicas > 0 {
			continue
		}
		replicas := max(result[i].RecordedReplicas(), wanted)
		result[i].MaxSurge, result[i].Replicas = surgeAt(result[i], replicas), replicas
	}
	return result
}

// unpatched takes from the pools of a colour what a patch in the cluster would
// change in vain, since its manifests are applied over that.
func unpatched(facts *Facts, color Color) {
	for _, ofWorkloads := range color.Pools {
		for workload, pool := range ofWorkloads {
			if pool.Setting == nil {
				continue
			}
			object := pool.Setting.Workload
			if pool.Setting.ConfigMap != "" {
				object = "configmap/" + pool.Setting.ConfigMap
			}
			if slices.Contains(facts.Manifests[color.Name].Value, object) {
				pool.Field += " in the manifests of " + color.Name
				if at := facts.poolPosition(pool); at != nil {
					pool.Field += fmt.Sprintf(" (%s:%d)", at.File, at.Line)
				}
				pool.Setting, pool.InManifests = nil, true
				ofWorkloads[workload] = pool
			}
		}
	}
}

// plan notes what else the manifests of a colour bring. Files that can't be
// read have been told by its workloads.
func plan(color *Color, files []string) {
	objects, _ := cluster.ReadManifests(files)
	for _, object := range objects {
		switch object.GetKind() {
		case "Service":
			color.ServicePlanned = color.ServicePlanned || object.GetName() == color.Declared.Service
		case "HorizontalPodAutoscaler": // of which each version names these fields alike
			var autoscaler autoscalingv2.HorizontalPodAutoscaler
			if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &autoscaler) == nil {
				color.AutoscalersPlanned = append(color.AutoscalersPlanned, autoscaler)
			}
		case "PodDisruptionBudget":
			var budget policyv1.PodDisruptionBudget
			if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &budget) == nil {
				color.BudgetsPlanned = append(color.BudgetsPlanned, budget)
			}
		case "NetworkPolicy":
			var policy networkingv1.NetworkPolicy
			if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &policy) == nil {
				color.PoliciesPlanned = append(color.PoliciesPlanned, policy)
			}
		}
	}
}
