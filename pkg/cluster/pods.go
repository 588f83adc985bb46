package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
)

// podsPerPage bounds one answer of the API server; 500 is kubectl's own.
const podsPerPage = 500

// Pods lists the pods of a namespace that a selector matches, page by page,
// in the API server's order (by name).
func (c *Client) Pods(ctx context.Context, namespace string, selector labels.Selector) ([]corev1.Pod, error) {
	pods, err := c.pages(ctx, namespace, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return nil, fmt.Errorf("list pods %s in %s: %w", selector, namespace, err)
	}
	return pods, nil
}

// PodsOn lists the pods of all namespaces that are bound to a node and have not
// ended, page by page.
func (c *Client) PodsOn(ctx context.Context, node string) ([]corev1.Pod, error) {
	selector := fields.AndSelectors(
		fields.OneTermEqualSelector("spec.nodeName", node),
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
		fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)))
	pods, err := c.pages(ctx, metav1.NamespaceAll, metav1.ListOptions{FieldSelector: selector.String()})
	if err != nil {
		return nil, fmt.Errorf("list pods on node %s: %w", node, err)
	}
	return pods, nil
}

// pages lists pods page by page.
func (c *Client) pages(ctx context.Context, namespace string, options metav1.ListOptions) ([]corev1.Pod, error) {
	var pods []corev1.Pod
	options.Limit = podsPerPage
	for {
		page, err := c.Kubernetes.CoreV1().Pods(namespace).List(ctx, options)
		if err != nil {
			return nil, err
		}
		pods = append(pods, page.Items...)
		if page.Continue == "" {
			return pods, nil
		}
		options.Continue = page.Continue
	}
}
