package gitops

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Autoscalers are the names of those among objects that scale a workload of the
// release, sorted.
func Autoscalers(rel *release.Release, objects []*unstructured.Unstructured) []string {
	var names []string
	for _, object := range objects {
		if object.GetKind() != "HorizontalPodAutoscaler" {
			continue
		}
		kind, _, _ := unstructured.NestedString(object.Object, "spec", "scaleTargetRef", "kind")
		name, _, _ := unstructured.NestedString(object.Object, "spec", "scaleTargetRef", "name")
		for _, color := range rel.Spec.Colors {
			scales := func(ref release.Workload) bool { return strings.EqualFold(ref.Kind, kind) && ref.Name == name }
			if slices.ContainsFunc(color.Workloads, scales) && !slices.Contains(names, object.GetName()) {
				names = append(names, object.GetName())
			}
		}
	}
	slices.Sort(names)
	return names
}
