// Package sticky tells by what an object ties clients to where they were first.
// Each annotation and each field is by that controller's own documentation.
package sticky

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// annotation is one by which a load balancer of a cloud, or a proxy, ties clients.
type annotation struct {
	name string
	// off are the values that say that it does not, beside "".
	off []string
	// part, where set, is what must stand in the value.
	part string
}

// ofServices are those of what stands in front of a Service.
func ofServices() []annotation {
	return []annotation{
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

func ofIngresses() []annotation {
	return []annotation{
		{name: "nginx.ingress.kubernetes.io/affinity"},
		{name: "nginx.ingress.kubernetes.io/upstream-hash-by"},
		{name: "nginx.com/sticky-cookie-services"},
		{name: "nginx.org/lb-method", part: "hash"},
		{name: "traefik.ingress.kubernetes.io/affinity", off: []string{"false"}},
		{name: "traefik.ingress.kubernetes.io/service.sticky.cookie", off: []string{"false"}},
		{name: "ingress.kubernetes.io/affinity"},
		{name: "haproxy.org/cookie-persistence"},
		{name: "haproxy-ingress.github.io/affinity"},
		{name: "alb.ingress.kubernetes.io/target-group-attributes", part: "stickiness.enabled=true"},
		{name: "appgw.ingress.kubernetes.io/cookie-based-affinity", off: []string{"false"}},
	}
}

// Service are the annotations of a Service that tie its clients, as name=value.
func Service(annotations map[string]string) []string { return tied(annotations, ofServices()) }

// Ingress are those of an Ingress.
func Ingress(annotations map[string]string) []string { return tied(annotations, ofIngresses()) }

// HTTPProxyRoute is the strategy by which a route of Contour's HTTPProxy ties its
// clients, "" for none (https://projectcontour.io/docs/main/config/request-routing/#session-affinity).
func HTTPProxyRoute(route map[string]any) string {
	strategy, _, _ := unstructured.NestedString(route, "loadBalancerPolicy", "strategy")
	if strategy == "Cookie" || strategy == "RequestHash" {
		return strategy
	}
	return ""
}

// GatewayRule is by what a rule of an HTTPRoute or a GRPCRoute ties its clients, "" for
// nothing: its session persistence, an experimental part of the Gateway API, of which a
// cookie is the default (https://gateway-api.sigs.k8s.io/geps/gep-1619/).
func GatewayRule(rule map[string]any) string {
	persistence, found, _ := unstructured.NestedMap(rule, "sessionPersistence")
	if !found {
		return ""
	}
	kind, _, _ := unstructured.NestedString(persistence, "type")
	return cmp.Or(kind, "Cookie")
}

// tied are those of the annotations that tie clients, as name=value.
func tied(annotations map[string]string, known []annotation) []string {
	found := []string{}
	for _, one := range known {
		value, has := annotations[one.name]
		value = strings.TrimSpace(value)
		switch {
		case !has, value == "", slices.Contains(one.off, strings.ToLower(value)):
		case !strings.Contains(strings.ReplaceAll(value, " ", ""), one.part):
		case one.part != "":
			found = append(found, one.name+" with "+one.part)
		default:
			found = append(found, one.name+"="+value)
		}
	}
	return found
}
