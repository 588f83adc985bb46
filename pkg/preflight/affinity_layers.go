package preflight

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/sticky"
)

// Layer is what was found of one kind of objects that stand before or behind the
// route and may tie clients to where they were first.
type Layer struct {
	Ties Fact[[]Tie]
	// Forbidden: they may not be listed.
	Forbidden bool `json:",omitempty"`
}

// Tie is one object that ties clients of the release.
type Tie struct {
	// Object is kind/name; By is the field or the annotation that ties.
	Object, By string
	// Alone: it leads to one colour's own Service alone, so it ties clients within
	// that colour and not to one of two.
	Alone bool `json:",omitempty"`
}

// destinations are the names, or hosts, by which clients reach the release.
type destinations struct {
	// production lead to whichever colour is live, or to both; colors to one each.
	production, colors []string
}

func (d destinations) all() []string { return slices.Concat(d.production, d.colors) }

// alone reports whether what leads to these leads to one colour and to nothing else
// of the release.
func (d destinations) alone(led []string) bool {
	found := 0
	for _, color := range d.colors {
		if slices.Contains(led, color) {
			found++
		}
	}
	return found == 1 && !anyOf(led, d.production)
}

// The kinds of layers, by their resources.
const (
	layerIngresses        = "ingresses"
	layerHTTPRoutes       = "httproutes"
	layerGRPCRoutes       = "grpcroutes"
	layerHTTPProxies      = "httpproxies"
	layerDestinationRules = "destinationrules"
	layerBackendConfigs   = "backendconfigs"
)

const albAction = "alb.ingress.kubernetes.io/actions."

// albSticky matches the stickiness of an action of AWS' load balancer between its
// target groups.
var albSticky = regexp.MustCompile(`(?i)"targetGroupStickinessConfig"\s*:\s*\{[^}]*"enabled"\s*:\s*true`)

// ingressTies are the annotations by which an Ingress ties clients, where it leads
// to one of the Services.
func ingressTies(ingress *networkingv1.Ingress, services destinations) []Tie {
	led := ledTo(ingress)
	by := sticky.Ingress(ingress.Annotations)
	for _, name := range slices.Sorted(maps.Keys(ingress.Annotations)) {
		value := ingress.Annotations[name]
		if !strings.HasPrefix(name, albAction) {
			continue
		}
		for _, service := range services.all() {
			if strings.Contains(value, `"`+service+`"`) {
				led = append(led, service)
			}
		}
		if albSticky.MatchString(value) {
			by = append(by, name+" with targetGroupStickinessConfig")
		}
	}
	if !anyOf(led, services.all()) {
		return nil
	}
	return tiesOf("ingress/"+ingress.Name, by, services.alone(led))
}

// ledTo are the Services of an Ingress' backends.
func ledTo(ingress *networkingv1.Ingress) []string {
	var led []string
	add := func(backend *networkingv1.IngressBackend) {
		if backend != nil && backend.Service != nil {
			led = append(led, backend.Service.Name)
		}
	}
	add(ingress.Spec.DefaultBackend)
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range rule.HTTP.Paths {
			add(&path.Backend)
		}
	}
	return led
}

// gatewayRouteTies are the rules of an HTTPRoute or a GRPCRoute that tie clients of
// one of the Services.
func gatewayRouteTies(route *unstructured.Unstructured, services destinations) []Tie {
	var by, tied []string
	for at, rule := range entriesAt(route.Object, "spec", "rules") {
		var led []string
		for _, backend := range entriesAt(rule, "backendRefs") {
			name, _, _ := unstructured.NestedString(backend, "name")
			if namespace, _, _ := unstructured.NestedString(backend, "namespace"); namespace == "" || namespace == route.GetNamespace() {
				led = append(led, name)
			}
		}
		if sticky.GatewayRule(rule) != "" && anyOf(led, services.all()) {
			tied = append(tied, led...)
			by = append(by, fmt.Sprintf("spec.rules[%d].sessionPersistence", at))
		}
	}
	return tiesOf(strings.ToLower(route.GetKind())+"/"+route.GetName(), by, services.alone(tied))
}

// httpProxyTies are the routes of a Contour HTTPProxy that tie clients of one of
// the Services.
func httpProxyTies(proxy *unstructured.Unstructured, services destinations) []Tie {
	var by, tied []string
	for at, route := range entriesAt(proxy.Object, "spec", "routes") {
		strategy := sticky.HTTPProxyRoute(route)
		var led []string
		for _, service := range entriesAt(route, "services") {
			name, _, _ := unstructured.NestedString(service, "name")
			led = append(led, name)
		}
		if strategy != "" && anyOf(led, services.all()) {
			tied = append(tied, led...)
			by = append(by, fmt.Sprintf("spec.routes[%d].loadBalancerPolicy.strategy=%s", at, strategy))
		}
	}
	return tiesOf("httpproxy/"+proxy.GetName(), by, services.alone(tied))
}

// destinationRuleTies are the traffic policies of a DestinationRule that tie
// clients of one of the hosts, each service.namespace
// (https://istio.io/latest/docs/reference/config/networking/destination-rule/#LoadBalancerSettings-ConsistentHashLB).
func destinationRuleTies(rule *unstructured.Unstructured, hosts destinations) []Tie {
	named, _, _ := unstructured.NestedString(rule.Object, "spec", "host")
	covered := slices.DeleteFunc(hosts.all(), func(host string) bool { return !hostCovers(named, rule.GetNamespace(), host) })
	if len(covered) == 0 {
		return nil
	}
	var by []string
	hashed := func(where string, holder map[string]any, path ...string) {
		hash, found, _ := unstructured.NestedMap(holder, append(path, "loadBalancer", "consistentHash")...)
		if found && len(hash) > 0 {
			by = append(by, fmt.Sprintf("%s.loadBalancer.consistentHash (%s)", where, strings.Join(slices.Sorted(maps.Keys(hash)), ", ")))
		}
	}
	policy := func(where string, holder map[string]any) {
		hashed(where+"trafficPolicy", holder, "trafficPolicy")
		for at, port := range entriesAt(holder, "trafficPolicy", "portLevelSettings") {
			hashed(fmt.Sprintf("%strafficPolicy.portLevelSettings[%d]", where, at), port)
		}
	}
	spec, _, _ := unstructured.NestedMap(rule.Object, "spec")
	policy("spec.", spec)
	for at, subset := range entriesAt(spec, "subsets") {
		policy(fmt.Sprintf("spec.subsets[%d].", at), subset)
	}
	return tiesOf("destinationrule/"+rule.GetName(), by, hosts.alone(covered))
}

// hostCovers reports whether the host of a rule, which may begin with a wildcard,
// is a Service, given as service.namespace.
func hostCovers(ruled, namespace, host string) bool {
	if suffix, wild := strings.CutPrefix(ruled, "*"); wild {
		return strings.HasSuffix(host+".svc.cluster.local", suffix)
	}
	return fullHost(ruled, namespace) == host
}

// backendConfigAnnotations name, on a Service, the BackendConfigs of Google's load
// balancer.
func backendConfigAnnotations() []string {
	return []string{"cloud.google.com/backend-config", "beta.cloud.google.com/backend-config"}
}

// backendConfigsOf are the BackendConfigs that a Service names.
func backendConfigsOf(service *corev1.Service) []string {
	var names []string
	for _, annotation := range backendConfigAnnotations() {
		var named struct {
			Default string            `json:"default"`
			Ports   map[string]string `json:"ports"`
		}
		if json.Unmarshal([]byte(service.Annotations[annotation]), &named) != nil {
			continue
		}
		for _, name := range append(slices.Sorted(maps.Values(named.Ports)), named.Default) {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// backendConfigTies are those of a BackendConfig that Services name
// (https://cloud.google.com/kubernetes-engine/docs/how-to/ingress-configuration#session_affinity).
func backendConfigTies(config *unstructured.Unstructured, alone bool) []Tie {
	affinity, _, _ := unstructured.NestedString(config.Object, "spec", "sessionAffinity", "affinityType")
	if affinity == "" || strings.EqualFold(affinity, "NONE") {
		return nil
	}
	return tiesOf("backendconfig/"+config.GetName(), []string{"spec.sessionAffinity.affinityType=" + affinity}, alone)
}

func tiesOf(object string, by []string, alone bool) []Tie {
	if len(by) == 0 {
		return nil
	}
	return []Tie{{Object: object, By: strings.Join(by, ", "), Alone: alone}}
}

func anyOf(names, among []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(among, name) })
}
