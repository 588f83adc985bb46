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

// podRequests are a pod's requests as the scheduler counts them: the sum of
// its containers and sidecars (init containers that are always restarted), or
// the largest other init container with the sidecars before it where that
// asks for more, and the overhead. CPU is in millicores, memory in bytes.
func podRequests(spec corev1.PodSpec) (cpu, memory int64) {
	return requestsOf(spec, corev1.ResourceCPU, (*resource.Quantity).MilliValue),
		requestsOf(spec, corev1.ResourceMemory, (*resource.Quantity).Value)
}

func requestsOf(spec corev1.PodSpec, name corev1.ResourceName, value func(*resource.Quantity) int64) int64 {
	of := func(list corev1.ResourceList) int64 {
		quantity := list[name]
		return value(&quantity)
	}
	var sum, starting, sidecars int64
	for _, container := range spec.InitContainers {
		request := of(container.Resources.Requests)
		starting = max(starting, sidecars+request)
		if ptr.Deref(container.RestartPolicy, "") == corev1.ContainerRestartPolicyAlways {
			sidecars += request
		}
	}
	for _, container := range spec.Containers {
		sum += of(container.Resources.Requests)
	}
	return max(sum+sidecars, starting) + of(spec.Overhead)
}
