package measure

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// unheard reports whether pods count as not ready though all their containers are:
// that is what the node controller makes of pods whose node it has not heard of for
// a while. After an API server was away that may be every node of a cluster.
func unheard(pods []corev1.Pod) bool {
	return len(pods) > 0 && !slices.ContainsFunc(pods, func(pod corev1.Pod) bool {
		return pod.DeletionTimestamp != nil || isReady(&pod) || !containersReady(&pod)
	})
}

func containersReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
		return condition.Type == corev1.ContainersReady && condition.Status == corev1.ConditionTrue
	})
}

// othersUnheard reports whether the other colour's pods are unheard of as well. Where
// it has pods that are heard of, or none, the nodes of all are not what is wrong.
func (k *kubernetesSource) othersUnheard(ctx context.Context, color string) bool {
	pods, err := k.colors.pods(ctx, k.colors.spec.Other(color))
	return err == nil && unheard(pods)
}
