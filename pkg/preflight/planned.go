package preflight

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// now is a workload as it runs until the manifests are applied; runs is false where
// nothing does, or nothing will be made of it.
func (c Color) now(ref release.Workload) (workload cluster.Workload, runs bool) {
	if c.Running == nil {
		return workload, false
	}
	at := slices.IndexFunc(c.Running.Workloads, func(w cluster.Workload) bool { return w.Ref == ref })
	if at < 0 {
		return workload, false
	}
	return c.Running.Workloads[at], true
}

// replaced reports whether the shift will replace pods that run.
func (c Color) replaced() bool {
	return slices.ContainsFunc(c.Workloads.Value, func(workload cluster.Workload) bool {
		now, runs := c.now(workload.Ref)
		return runs && replaces(workload, now)
	})
}

// replaces reports whether a manifest says something of pods that those which run
// have otherwise. What it leaves out is filled in by the API server, so a field
// that was taken out of it is not seen here. Pods of which nobody has noted what they
// were given are made anew too, but from what made them.
func replaces(planned, now cluster.Workload) bool {
	template := planned.Template
	if now.Template.Annotations[cluster.AnnotationConfiguration] == "" {
		template.Annotations = maps.Clone(template.Annotations)
		delete(template.Annotations, cluster.AnnotationConfiguration)
	}
	return !equality.Semantic.DeepDerivative(stated(template), stated(now.Template))
}

// stated are the fields of a template that stand in it: a number that a manifest
// leaves out is not a 0 that it wants.
func stated(template corev1.PodTemplateSpec) map[string]any {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&template)
	if err != nil {
		return nil // it was read from such fields
	}
	return fields
}

// overlaid are objects as they stand once those of manifests are applied over the
// ones of their names.
func overlaid[T any, P interface {
	*T
	metav1.Object
}](there, brought []T) []T {
	result := slices.Clone(there)
	for i := range brought {
		at := slices.IndexFunc(result, func(one T) bool { return P(&one).GetName() == P(&brought[i]).GetName() })
		if at < 0 {
			result = append(result, brought[i])
		} else {
			result[at] = brought[i]
		}
	}
	return result
}
