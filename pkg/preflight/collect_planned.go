package preflight

import (
	"context"
	"slices"

	policyv1 "k8s.io/api/policy/v1"
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
		target.Workloads = factOf(manifestWorkloads(files, target.Declared))
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

// restored gives workloads the replicas that the shift gives them back: those
// that were recorded, and at least the live colour's.
func restored(workloads []cluster.Workload, facts *Facts) []cluster.Workload {
	wanted := int32(0)
	if live, ok := facts.live(); ok && len(workloads) == 1 {
		for _, workload := range live.Workloads.Value {
			wanted += workload.Replicas
		}
	}
	result := slices.Clone(workloads)
	for i := range result {
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
		}
	}
}
