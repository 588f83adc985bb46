package preflight

import (
	"context"
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
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

// nodes subtracts from what every node that takes pods can give what its pods
// ask for. It needs to list the pods of all namespaces.
func nodes(ctx context.Context, in Inputs) Fact[[]Node] {
	list, err := in.Client.Kubernetes.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return notKnown[[]Node](fmt.Errorf("list nodes: %w", err))
	}
	pods, err := in.Client.Pods(ctx, metav1.NamespaceAll, labels.Everything())
	if err != nil {
		return notKnown[[]Node](err)
	}
	return known(headroom(list.Items, pods))
}

// headroom is pure.
func headroom(nodes []corev1.Node, pods []corev1.Pod) []Node {
	var left []Node
	index := map[string]int{}
	for _, node := range nodes {
		if !takesPods(node) {
			continue
		}
		index[node.Name] = len(left)
		left = append(left, Node{Name: node.Name, CPU: node.Status.Allocatable.Cpu().MilliValue(),
			Memory: node.Status.Allocatable.Memory().Value(), Pods: node.Status.Allocatable.Pods().Value()})
	}
	for i := range pods {
		at, found := index[pods[i].Spec.NodeName]
		if !found || pods[i].Status.Phase == corev1.PodSucceeded || pods[i].Status.Phase == corev1.PodFailed {
			continue
		}
		cpu, memory := podRequests(pods[i].Spec)
		left[at].CPU -= cpu
		left[at].Memory -= memory
		left[at].Pods--
	}
	return left
}

func takesPods(node corev1.Node) bool {
	if node.Spec.Unschedulable {
		return false
	}
	for _, taint := range node.Spec.Taints {
		if taint.Effect != corev1.TaintEffectPreferNoSchedule {
			return false
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
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
