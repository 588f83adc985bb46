package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Workload is a Deployment or a StatefulSet as it was read, reduced to what
// the two have in common.
type Workload struct {
	Ref release.Workload
	// Object is the whole object, for FenceOf, FencedPatch and FieldOwners.
	Object *unstructured.Unstructured
	// Replicas is how many pods its spec wants.
	Replicas int32
	// ReadyReplicas is how many of them are ready.
	ReadyReplicas int32
	// Selector matches its pods.
	Selector labels.Selector
	// Template is what its pods are made from.
	Template corev1.PodTemplateSpec
	// MaxSurge is how many pods it may have above Replicas while it rolls
	// out: maxSurge of a Deployment, resolved; 0 for a StatefulSet and for
	// the Recreate strategy.
	MaxSurge  int32
	Readiness Readiness
}

// Workload reads a Deployment or StatefulSet.
func (c *Client) Workload(ctx context.Context, namespace string, ref release.Workload) (*Workload, error) {
	switch ref.Kind {
	case "deployment":
		deployment, err := c.Kubernetes.AppsV1().Deployments(namespace).Get(ctx, ref.Name, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("read %s in %s: %w", ref, namespace, err)
		}
		return deploymentWorkload(ref, deployment)
	case "statefulset":
		set, err := c.Kubernetes.AppsV1().StatefulSets(namespace).Get(ctx, ref.Name, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("read %s in %s: %w", ref, namespace, err)
		}
		return statefulSetWorkload(ref, set)
	}
	return nil, fmt.Errorf("read %s in %s: %s is neither a deployment nor a statefulset", ref, namespace, ref.Kind)
}

// Observed reports whether its controller has seen it as it stands. To a
// Deployment an annotation is a new generation too, so every stamp is one.
func (w *Workload) Observed() bool {
	seen, _, _ := unstructured.NestedInt64(w.Object.Object, "status", "observedGeneration")
	return seen >= w.Object.GetGeneration()
}

// AnnotationReplicas keeps the replica count of a workload that was scaled to
// zero, so that the next shift to it knows what to restore.
const AnnotationReplicas = "bluegreen.dev/replicas"

// RecordedReplicas is the count that a workload had before it was scaled to
// zero; at least 1.
func (w *Workload) RecordedReplicas() int32 {
	replicas, err := strconv.ParseInt(w.Object.GetAnnotations()[AnnotationReplicas], 10, 32)
	if err != nil || replicas < 1 {
		return 1
	}
	return int32(replicas)
}

// TemplateHash is the SHA-256 of the pod template, in hexadecimal: another one
// for every change that makes new pods.
func (w *Workload) TemplateHash() string {
	data, err := json.Marshal(w.Template)
	if err != nil {
		return "" // a template that came from JSON goes back to it
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// ManifestWorkload is a Deployment or StatefulSet as its manifest has it: it
// has no pods, and is not ready.
func ManifestWorkload(ref release.Workload, object *unstructured.Unstructured) (*Workload, error) {
	switch ref.Kind {
	case "deployment":
		deployment := &appsv1.Deployment{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, deployment); err != nil {
			return nil, fmt.Errorf("read manifest of %s: %w", ref, err)
		}
		return deploymentWorkload(ref, deployment)
	case "statefulset":
		set := &appsv1.StatefulSet{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, set); err != nil {
			return nil, fmt.Errorf("read manifest of %s: %w", ref, err)
		}
		return statefulSetWorkload(ref, set)
	}
	return nil, fmt.Errorf("read manifest of %s: %s is neither a deployment nor a statefulset", ref, ref.Kind)
}

func deploymentWorkload(ref release.Workload, deployment *appsv1.Deployment) (*Workload, error) {
	replicas := ptr.Deref(deployment.Spec.Replicas, 1)
	surge, err := maxSurge(deployment.Spec.Strategy, replicas)
	if err != nil {
		return nil, fmt.Errorf("read maxSurge of %s: %w", ref, err)
	}
	return (&Workload{
		Ref:           ref,
		Replicas:      replicas,
		ReadyReplicas: deployment.Status.ReadyReplicas,
		Template:      deployment.Spec.Template,
		MaxSurge:      surge,
		Readiness:     DeploymentReadiness(deployment),
	}).complete(deployment, "Deployment", deployment.Spec.Selector)
}

func statefulSetWorkload(ref release.Workload, set *appsv1.StatefulSet) (*Workload, error) {
	return (&Workload{
		Ref:           ref,
		Replicas:      ptr.Deref(set.Spec.Replicas, 1),
		ReadyReplicas: set.Status.ReadyReplicas,
		Template:      set.Spec.Template,
		Readiness:     StatefulSetReadiness(set),
	}).complete(set, "StatefulSet", set.Spec.Selector)
}

// complete adds the parts that are converted the same way for both kinds.
func (w *Workload) complete(object any, kind string, selector *metav1.LabelSelector) (*Workload, error) {
	var err error
	if w.Selector, err = metav1.LabelSelectorAsSelector(selector); err != nil {
		return nil, fmt.Errorf("read selector of %s: %w", w.Ref, err)
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("convert %s: %w", w.Ref, err)
	}
	w.Object = &unstructured.Unstructured{Object: content}
	w.Object.SetAPIVersion("apps/v1")
	w.Object.SetKind(kind)
	return w, nil
}

// maxSurge resolves a strategy's maxSurge as the Deployment controller does:
// 25 % when not set, percentages rounded up.
func maxSurge(strategy appsv1.DeploymentStrategy, replicas int32) (int32, error) {
	if strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return 0, nil
	}
	surge := ptr.To(intstr.FromString("25%"))
	if strategy.RollingUpdate != nil && strategy.RollingUpdate.MaxSurge != nil {
		surge = strategy.RollingUpdate.MaxSurge
	}
	value, err := intstr.GetScaledValueFromIntOrPercent(surge, int(replicas), true)
	return int32(value), err //nolint:gosec // replicas is an int32 and the share of it too
}
