package preflight

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// collectManifests reads the workloads of each colour from its manifests: all
// that a pull request may be judged by.
func collectManifests(in Inputs, facts *Facts) {
	for name, color := range facts.Colors {
		color.Workloads = factOf(manifestWorkloads(in.Manifests[name], color.Declared))
		facts.Colors[name] = color
	}
}

func manifestWorkloads(files []string, declared release.Color) ([]cluster.Workload, error) {
	if len(files) == 0 {
		return nil, errors.New("the Release names no manifests for it")
	}
	objects, err := cluster.ReadManifests(files)
	if err != nil {
		return nil, err
	}
	var workloads []cluster.Workload
	for _, ref := range declared.Workloads {
		index := slices.IndexFunc(objects, func(object *unstructured.Unstructured) bool {
			return strings.EqualFold(object.GetKind(), ref.Kind) && object.GetName() == ref.Name
		})
		if index < 0 {
			return nil, fmt.Errorf("its manifests hold no %s", ref)
		}
		workload, err := manifestWorkload(ref, objects[index])
		if err != nil {
			return nil, err
		}
		workloads = append(workloads, workload)
	}
	return workloads, nil
}

func manifestWorkload(ref release.Workload, object *unstructured.Unstructured) (cluster.Workload, error) {
	var spec struct {
		Replicas *int32
		Selector *metav1.LabelSelector
		Template corev1.PodTemplateSpec
	}
	var err error
	if ref.Kind == "statefulset" {
		var set appsv1.StatefulSet
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &set)
		spec.Replicas, spec.Selector, spec.Template = set.Spec.Replicas, set.Spec.Selector, set.Spec.Template
	} else {
		var deployment appsv1.Deployment
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &deployment)
		spec.Replicas, spec.Selector, spec.Template = deployment.Spec.Replicas, deployment.Spec.Selector, deployment.Spec.Template
	}
	if err != nil {
		return cluster.Workload{}, fmt.Errorf("read %s: %w", ref, err)
	}
	selector, err := metav1.LabelSelectorAsSelector(spec.Selector)
	if err != nil {
		return cluster.Workload{}, fmt.Errorf("read selector of %s: %w", ref, err)
	}
	return cluster.Workload{Ref: ref, Object: object, Replicas: ptr.Deref(spec.Replicas, 1), Selector: selector, Template: spec.Template}, nil
}
