package preflight

import (
	"context"
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func autoscalers(ctx context.Context, in Inputs) Fact[[]autoscalingv2.HorizontalPodAutoscaler] {
	list, err := in.Client.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(in.namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return notKnown[[]autoscalingv2.HorizontalPodAutoscaler](fmt.Errorf("list horizontalpodautoscalers in %s: %w", in.namespace(), err))
	}
	return known(list.Items)
}

func disruptionBudgets(ctx context.Context, in Inputs) Fact[[]policyv1.PodDisruptionBudget] {
	list, err := in.Client.Kubernetes.PolicyV1().PodDisruptionBudgets(in.namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return notKnown[[]policyv1.PodDisruptionBudget](fmt.Errorf("list poddisruptionbudgets in %s: %w", in.namespace(), err))
	}
	return known(list.Items)
}

func quotas(ctx context.Context, in Inputs) Fact[[]corev1.ResourceQuota] {
	list, err := in.Client.Kubernetes.CoreV1().ResourceQuotas(in.namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return notKnown[[]corev1.ResourceQuota](fmt.Errorf("list resourcequotas in %s: %w", in.namespace(), err))
	}
	return known(list.Items)
}

// podRequests are a pod's requests of CPU in millicores and of memory in bytes.
func podRequests(spec corev1.PodSpec) (cpu, memory int64) {
	millicores, bytes := podRequest(spec, corev1.ResourceCPU), podRequest(spec, corev1.ResourceMemory)
	return millicores.MilliValue(), bytes.Value()
}

// podRequest is what a pod requests of a resource, as the scheduler counts it. A
// container that has a limit alone requests as much.
func podRequest(spec corev1.PodSpec, name corev1.ResourceName) resource.Quantity {
	sum := podSum(spec, func(resources corev1.ResourceRequirements) resource.Quantity {
		if request, set := resources.Requests[name]; set {
			return request
		}
		return resources.Limits[name]
	})
	sum.Add(spec.Overhead[name])
	return sum
}

// podLimit is what a pod may take of a resource, 0 where it has no limit.
func podLimit(spec corev1.PodSpec, name corev1.ResourceName) resource.Quantity {
	sum := podSum(spec, func(resources corev1.ResourceRequirements) resource.Quantity { return resources.Limits[name] })
	if !sum.IsZero() {
		sum.Add(spec.Overhead[name])
	}
	return sum
}

// podSum is the sum of what its containers and sidecars (init containers that are
// always restarted) have, or of the largest other init container with the sidecars
// before it where that is more.
func podSum(spec corev1.PodSpec, of func(corev1.ResourceRequirements) resource.Quantity) resource.Quantity {
	var sum, starting resource.Quantity
	for _, container := range spec.InitContainers {
		beside := sum.DeepCopy() // of the sidecars so far
		beside.Add(of(container.Resources))
		if beside.Cmp(starting) > 0 {
			starting = beside
		}
		if ptr.Deref(container.RestartPolicy, "") == corev1.ContainerRestartPolicyAlways {
			sum = beside.DeepCopy()
		}
	}
	for _, container := range spec.Containers {
		sum.Add(of(container.Resources))
	}
	if starting.Cmp(sum) > 0 {
		return starting
	}
	return sum
}
