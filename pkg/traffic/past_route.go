package traffic

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// PastRoute are those of the Services of a release's namespace that select pods with
// labels, and that the release does not name: whoever comes in by one of them is
// moved by no shift.
func PastRoute(rel *release.Release, services []corev1.Service, pods labels.Set) []corev1.Service {
	var found []corev1.Service
	for _, service := range services {
		if len(service.Spec.Selector) > 0 && !names(rel, service.Name) && labels.SelectorFromSet(service.Spec.Selector).Matches(pods) {
			found = append(found, service)
		}
	}
	return found
}

// names reports whether a release names a Service, as a route or as a colour's own.
func names(rel *release.Release, service string) bool {
	for _, color := range rel.Spec.Colors {
		if color.Service == service {
			return true
		}
	}
	return slices.ContainsFunc(rel.Spec.Traffic.Set(), func(route release.Traffic) bool {
		return route.Service != nil && route.Service.Name == service
	})
}

// Moved reports whether a Service carries the stamp of a shift: it is, or was, the
// production route of a release.
func Moved(service *corev1.Service) bool {
	stamp, err := cluster.FenceOf(service)
	return err == nil && stamp.Epoch > 0
}

// ShareAPort reports whether two Services lead to a port of pods alike.
func ShareAPort(one, other *corev1.Service) bool {
	return slices.ContainsFunc(one.Spec.Ports, func(port corev1.ServicePort) bool {
		return slices.ContainsFunc(other.Spec.Ports, func(its corev1.ServicePort) bool { return ofPods(port) == ofPods(its) })
	})
}

// ofPods is the port of the pods behind a port of a Service.
func ofPods(port corev1.ServicePort) intstr.IntOrString {
	if port.TargetPort == (intstr.IntOrString{}) {
		return intstr.FromInt32(port.Port)
	}
	return port.TargetPort
}
