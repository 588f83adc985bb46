package preflight

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// stickyAnnotation is one by which what stands in front of a Service ties clients
// to where they were first: a load balancer of a cloud, or a proxy that reads it.
// Each is by that controller's own documentation.
type stickyAnnotation struct {
	name string
	// off are the values that say that it does not, beside "".
	off []string
	// part, where set, is what must stand in the value.
	part string
}

func stickyAnnotations() []stickyAnnotation {
	return []stickyAnnotation{
		{name: "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes", part: "stickiness.enabled=true"},
		{name: "service.beta.kubernetes.io/do-loadbalancer-sticky-sessions-type", off: []string{"none"}},
		{name: "service.beta.kubernetes.io/scw-loadbalancer-sticky-sessions", off: []string{"none"}},
		{name: "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-sticky-session", off: []string{"off"}},
		{name: "service.beta.kubernetes.io/vultr-loadbalancer-sticky-session-enabled", off: []string{"off", "false"}},
		{name: "service.beta.kubernetes.io/osc-load-balancer-affinity"},
		{name: "load-balancer.hetzner.cloud/http-sticky-sessions", off: []string{"false"}},
		{name: "kubernetes.io/elb.session-affinity-mode"},
		{name: "traefik.ingress.kubernetes.io/service.sticky.cookie", off: []string{"false"}},
		{name: "haproxy.org/cookie-persistence"},
	}
}

// stickyBy are the annotations of a Service that tie its clients, as name=value.
// They are read when facts are collected: in facts that are kept, the values of
// annotations are hidden.
func stickyBy(service *corev1.Service) []string {
	return tiedBy(service.Annotations, stickyAnnotations())
}

// tiedBy are those of the annotations that tie clients, as name=value.
func tiedBy(annotations map[string]string, known []stickyAnnotation) []string {
	found := []string{}
	for _, sticky := range known {
		value, has := annotations[sticky.name]
		value = strings.TrimSpace(value)
		switch {
		case !has, value == "", slices.Contains(sticky.off, strings.ToLower(value)):
		case !strings.Contains(strings.ReplaceAll(value, " ", ""), sticky.part):
		case sticky.part != "":
			found = append(found, sticky.name+" with "+sticky.part)
		default:
			found = append(found, sticky.name+"="+value)
		}
	}
	return found
}
