package traffic

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Entrance is a Service, as one by which clients may come in.
type Entrance struct {
	Name     string
	Selector map[string]string `json:",omitempty"`
	// Ports are those of the pods that it leads to.
	Ports []intstr.IntOrString `json:",omitempty"`
	// Moved: it carries the stamp of a shift, so it is, or was, the production
	// route of a release.
	Moved bool `json:",omitempty"`
}

// EntranceOf is what of a Service matters to that.
func EntranceOf(service *corev1.Service) Entrance {
	stamp, err := cluster.FenceOf(service)
	entrance := Entrance{Name: service.Name, Selector: service.Spec.Selector, Moved: err == nil && stamp.Epoch > 0}
	for _, port := range service.Spec.Ports {
		if port.TargetPort == (intstr.IntOrString{}) {
			port.TargetPort = intstr.FromInt32(port.Port)
		}
		entrance.Ports = append(entrance.Ports, port.TargetPort)
	}
	return entrance
}

// Entrances are the Services of a namespace.
func Entrances(ctx context.Context, client *cluster.Client, namespace string) ([]Entrance, error) {
	services, err := client.Kubernetes.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list services in %s: %w", namespace, err)
	}
	var found []Entrance
	for index := range services.Items {
		found = append(found, EntranceOf(&services.Items[index]))
	}
	return found, nil
}

// LeadsWhere reports whether two Services lead to a port of pods alike.
func (e Entrance) LeadsWhere(other Entrance) bool {
	return slices.ContainsFunc(e.Ports, func(port intstr.IntOrString) bool { return slices.Contains(other.Ports, port) })
}

// PassesBy reports whether a Service selects pods with labels past the routes of a
// release: whoever comes in by it is moved by no shift.
func (e Entrance) PassesBy(rel *release.Release, pods labels.Set) bool {
	return len(e.Selector) > 0 && !isNamed(rel, e.Name) && labels.SelectorFromSet(e.Selector).Matches(pods)
}

// isNamed reports whether a release names a Service, as a route or as a colour's own.
func isNamed(rel *release.Release, service string) bool {
	for _, color := range rel.Spec.Colors {
		if color.Service == service {
			return true
		}
	}
	return slices.ContainsFunc(rel.Spec.Traffic.Set(), func(route release.Traffic) bool {
		return route.Service != nil && route.Service.Name == service
	})
}
