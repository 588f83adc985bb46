package shop

import (
	"context"
	"fmt"
	"net"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
)

// ServiceURL is where a Service is asked, such as a colour's own.
func (s *Shop) ServiceURL(ctx context.Context, name, path string) (string, error) {
	service, err := s.service(ctx, name)
	if err != nil {
		return "", err
	}
	return "http://" + net.JoinHostPort(service.Spec.ClusterIP, "80") + path, nil
}

func (s *Shop) service(ctx context.Context, name string) (*corev1.Service, error) {
	service, err := s.place.Client.Kubernetes.CoreV1().Services(s.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read Service %s: %w", name, err)
	}
	return service, nil
}

// Endpoints are the names of the ready pods in a Service's EndpointSlices,
// sorted.
func (s *Shop) Endpoints(ctx context.Context, service string) ([]string, error) {
	slicesFound, err := s.place.Client.EndpointSlices(ctx, s.Namespace, service)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, slice := range slicesFound {
		for _, endpoint := range slice.Endpoints {
			if ptr.Deref(endpoint.Conditions.Ready, true) && endpoint.TargetRef != nil {
				names = append(names, endpoint.TargetRef.Name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// Pods are a colour's pods that are not going away.
func (s *Shop) Pods(ctx context.Context, color string) ([]corev1.Pod, error) {
	pods, err := s.place.Client.Pods(ctx, s.Namespace, labels.SelectorFromSet(labels.Set{"app": "recommendation", "version": color}))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(pods, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil }), nil
}

// PodNames are the names of those pods, sorted.
func (s *Shop) PodNames(ctx context.Context, color string) ([]string, error) {
	pods, err := s.Pods(ctx, color)
	return sortedBy(pods, func(pod corev1.Pod) string { return pod.Name }), err
}

// PodUIDs tell pods from others that came after them, sorted.
func (s *Shop) PodUIDs(ctx context.Context, color string) ([]string, error) {
	pods, err := s.Pods(ctx, color)
	return sortedBy(pods, func(pod corev1.Pod) string { return string(pod.UID) }), err
}

func sortedBy(pods []corev1.Pod, key func(corev1.Pod) string) []string {
	keys := make([]string, 0, len(pods))
	for _, pod := range pods {
		keys = append(keys, key(pod))
	}
	slices.Sort(keys)
	return keys
}

// deployment reads a colour's Deployment.
func (s *Shop) deployment(ctx context.Context, color string) (*appsv1.Deployment, error) {
	deployment, err := s.place.Client.Kubernetes.AppsV1().Deployments(s.Namespace).Get(ctx, Deployment(color), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read Deployment %s: %w", Deployment(color), err)
	}
	return deployment, nil
}

// Replicas are what a colour's Deployment wants.
func (s *Shop) Replicas(ctx context.Context, color string) (int, error) {
	deployment, err := s.deployment(ctx, color)
	if err != nil {
		return 0, err
	}
	return int(ptr.Deref(deployment.Spec.Replicas, 1)), nil
}

// Ready are how many pods of a colour its Deployment counts as ready, which it
// learns a little after the pods.
func (s *Shop) Ready(ctx context.Context, color string) (int, error) {
	deployment, err := s.deployment(ctx, color)
	if err != nil {
		return 0, err
	}
	return int(deployment.Status.ReadyReplicas), nil
}

// Annotation reads an annotation of a colour's Deployment.
func (s *Shop) Annotation(ctx context.Context, color, name string) (string, error) {
	deployment, err := s.deployment(ctx, color)
	if err != nil {
		return "", err
	}
	return deployment.Annotations[name], nil
}
