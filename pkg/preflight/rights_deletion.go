package preflight

import (
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// DeletionRights are what finish --delete takes beyond Rights: to delete what is
// one side's alone. Of autoscalers and disruption budgets those are known that
// the manifests declare, and those of Inputs.Live. A Service is deleted only
// where the production route is a Service too, and names no colour's. An error
// means that manifests could not be read.
func DeletionRights(in Inputs) ([]Right, error) {
	all := &rights{namespace: in.namespace()}
	spec := in.Release.Spec
	autoscalers, budgets := slices.Clone(in.Live.Autoscalers), slices.Clone(in.Live.Budgets)
	for _, name := range spec.ColorNames() {
		color := spec.Colors[name]
		for _, ref := range color.Workloads {
			all.toDelete("apps", ref.Kind+"s", ref.Name)
		}
		if color.Service != "" && !spec.Traffic.Needs(color.Service) {
			all.toDelete("", "services", color.Service)
		}
		objects, err := cluster.ReadManifests(in.Manifests[name])
		if err != nil {
			return nil, fmt.Errorf("read manifests of %s: %w", name, err)
		}
		for _, object := range objects {
			switch object.GroupVersionKind().GroupKind().String() {
			case "HorizontalPodAutoscaler.autoscaling":
				autoscalers = append(autoscalers, object.GetName())
			case "PodDisruptionBudget.policy":
				budgets = append(budgets, object.GetName())
			}
		}
	}
	for _, autoscaler := range autoscalers {
		all.toDelete("autoscaling", "horizontalpodautoscalers", autoscaler)
	}
	for _, budget := range budgets {
		all.toDelete("policy", "poddisruptionbudgets", budget)
	}
	return all.list, nil
}

// toDelete adds the rights to read one object and to delete it as it was read.
func (r *rights) toDelete(group, resource, name string) {
	r.want("delete a side that was decommissioned", "finish --delete is held at it; finish alone scales to zero", r.in(group, resource, name), "get", "delete")
}
