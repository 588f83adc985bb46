package preflight

import (
	"context"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// planned is the target as the shift will make it. A colour that is not
// deployed, or that stands at zero since a rollback, is judged by what will
// run: its manifests where it declares them, else the replicas that it gets
// back. A colour that runs is left as it was found.
func planned(ctx context.Context, in Inputs, facts *Facts) Color {
	target := facts.target()
	if !target.absent && !atZero(target) {
		return target
	}
	files := in.Manifests[target.Name]
	switch {
	case len(files) > 0:
		target.Workloads = factOf(applied(ctx, in, facts, files))
	case target.absent:
		return target
	default:
		target.Workloads = known(restored(target.Workloads.Value, facts))
	}
	target.Planned = target.Workloads.Known
	if !target.Planned {
		return target
	}
	target.Owned = factOf(ownedPods(ctx, in, target.Workloads))
	target.Pools = pools(ctx, in, target.Workloads)
	plan(&target, files)
	return target
}

// atZero reports whether a colour has workloads and wants no pod of any.
func atZero(color Color) bool {
	return color.Workloads.Known && len(color.Workloads.Value) > 0 &&
		!slices.ContainsFunc(color.Workloads.Value, func(w cluster.Workload) bool { return w.Replicas > 0 })
}

// applied are the target's workloads as they will stand when its manifests are
// applied. A count that a manifest leaves out, as is usual beside an
// autoscaler, is the one that the workload has, and 1 for one that is made
// anew. What then stands at zero gets its replicas back.
func applied(ctx context.Context, in Inputs, facts *Facts, files []string) ([]cluster.Workload, error) {
	workloads, err := manifestWorkloads(files, facts.target().Declared)
	if err != nil {
		return nil, err
	}
	for i, manifest := range workloads {
		live, err := in.Client.Workload(ctx, in.namespace(), manifest.Ref)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if _, set, _ := unstructured.NestedFieldNoCopy(manifest.Object.Object, "spec", "replicas"); !set {
			workloads[i].MaxSurge, workloads[i].Replicas = surgeAt(manifest, live.Replicas), live.Replicas
		}
		if recorded, found := live.Object.GetAnnotations()[cluster.AnnotationReplicas]; found {
			annotations := manifest.Object.GetAnnotations()
			if annotations == nil {
				annotations = map[string]string{}
			}
			annotations[cluster.AnnotationReplicas] = recorded
			workloads[i].Object.SetAnnotations(annotations)
		}
	}
	return restored(workloads, facts), nil
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

// plan notes what else the manifests of a colour bring. Files that can't be
// read have been told by its workloads.
func plan(color *Color, files []string) {
	objects, _ := cluster.ReadManifests(files)
	for _, object := range objects {
		switch object.GetKind() {
		case "Service":
			color.ServicePlanned = color.ServicePlanned || object.GetName() == color.Declared.Service
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
