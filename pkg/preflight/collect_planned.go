package preflight

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
	target.ServicePlanned = manifestsHold(files, "Service", target.Declared.Service)
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
		result[i].Replicas = max(result[i].RecordedReplicas(), wanted)
	}
	return result
}

// manifestsHold reports whether files declare an object.
func manifestsHold(files []string, kind, name string) bool {
	objects, err := cluster.ReadManifests(files)
	return err == nil && slices.ContainsFunc(objects, func(object *unstructured.Unstructured) bool {
		return strings.EqualFold(object.GetKind(), kind) && object.GetName() == name
	})
}
