package measure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// colors finds what belongs to a colour in the cluster.
type colors struct {
	client    *cluster.Client
	release   string
	namespace string
	spec      release.Spec
}

// newColors looks in the release's namespace, or in the client's.
func newColors(client *cluster.Client, rel *release.Release) *colors {
	namespace := rel.Metadata.Namespace
	if namespace == "" {
		namespace = client.Namespace
	}
	return &colors{client: client, release: rel.Metadata.Name, namespace: namespace, spec: rel.Spec}
}

// pods are the pods of a colour, by name: those of its workloads that carry
// its labels. A colour without workloads is found by the production
// Service's selector with the colour's labels in it.
func (c *colors) pods(ctx context.Context, color string) ([]corev1.Pod, error) {
	selectors, err := c.selectors(ctx, color)
	if err != nil {
		return nil, err
	}
	found := map[string]corev1.Pod{}
	for _, selector := range selectors {
		pods, err := c.client.Pods(ctx, c.namespace, selector)
		if err != nil {
			return nil, err
		}
		for _, pod := range pods {
			found[pod.Name] = pod
		}
	}
	names := slices.Sorted(maps.Keys(found))
	pods := make([]corev1.Pod, len(names))
	for i, name := range names {
		pods[i] = found[name]
	}
	return pods, nil
}

// selectors match the pods of a colour, one for each workload.
func (c *colors) selectors(ctx context.Context, color string) ([]labels.Selector, error) {
	declared, found := c.spec.Colors[color]
	if !found {
		return nil, fmt.Errorf("find pods of %q: the release has no such colour", color)
	}
	if len(declared.Workloads) == 0 {
		return c.serviceSelector(ctx, declared)
	}
	var selectors []labels.Selector
	for _, ref := range declared.Workloads {
		workload, err := c.client.Workload(ctx, c.namespace, ref)
		if err != nil {
			return nil, err
		}
		selectors = append(selectors, withLabels(workload.Selector, declared.Selector))
	}
	return selectors, nil
}

func (c *colors) serviceSelector(ctx context.Context, declared release.Color) ([]labels.Selector, error) {
	if len(declared.Selector) == 0 {
		return nil, fmt.Errorf("find pods: the colour has neither workloads nor a selector")
	}
	set := map[string]string{}
	if route := c.spec.Traffic.Service; route != nil {
		service, err := c.client.Kubernetes.CoreV1().Services(c.namespace).Get(ctx, route.Name, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("read service %s in %s: %w", route.Name, c.namespace, err)
		}
		maps.Copy(set, service.Spec.Selector)
	}
	maps.Copy(set, declared.Selector)
	return []labels.Selector{labels.SelectorFromSet(set)}, nil
}

// withLabels narrows a selector to what also carries the labels.
func withLabels(selector labels.Selector, set map[string]string) labels.Selector {
	requirements, _ := labels.SelectorFromSet(set).Requirements()
	return selector.Add(requirements...)
}

// platformPaths are the paths of a colour's pods that only the platform asks for.
func (c *colors) platformPaths(ctx context.Context, color string) ([]string, error) {
	pods, err := c.pods(ctx, color)
	paths := []string{pathOf(c.spec.Metrics)}
	for i := range pods {
		if at, found := endpointOf(&pods[i], c.spec.Metrics); found {
			paths = append(paths, platformPaths(&pods[i], at.path)...)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths), err
}

// wanted is how many pods the workloads of a colour should have.
func (c *colors) wanted(ctx context.Context, color string) (int, error) {
	var wanted int
	for _, ref := range c.spec.Colors[color].Workloads {
		workload, err := c.client.Workload(ctx, c.namespace, ref)
		if err != nil {
			return 0, err
		}
		wanted += int(workload.Replicas)
	}
	return wanted, nil
}

// podNames is a regular expression for the names of a colour's pods, gone
// ones among them, or "" for a colour without workloads. The suffixes hold
// no dash, so that the pods of shop-green-canary are not those of shop-green.
func (c *colors) podNames(color string) string {
	var patterns []string
	for _, ref := range c.spec.Colors[color].Workloads {
		suffix := "-[a-z0-9]+-[a-z0-9]+"
		if ref.Kind == "statefulset" {
			suffix = "-[0-9]+"
		}
		patterns = append(patterns, ref.Name+suffix)
	}
	return strings.Join(patterns, "|")
}

// isReady reports whether a pod is ready and not on its way out.
func isReady(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
