package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// podsPerPage bounds one answer of the API server; 500 is kubectl's own.
const podsPerPage = 500

// Pods lists the pods of a namespace that a selector matches, page by page,
// in the API server's order (by name).
func (c *Client) Pods(ctx context.Context, namespace string, selector labels.Selector) ([]corev1.Pod, error) {
	var pods []corev1.Pod
	options := metav1.ListOptions{LabelSelector: selector.String(), Limit: podsPerPage}
	for {
		page, err := c.Kubernetes.CoreV1().Pods(namespace).List(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("list pods %s in %s: %w", selector, namespace, err)
		}
		pods = append(pods, page.Items...)
		if page.Continue == "" {
			return pods, nil
		}
		options.Continue = page.Continue
	}
}
