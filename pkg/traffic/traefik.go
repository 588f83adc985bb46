package traffic

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/traefikrule"
)

// Traefik's own kinds
// (https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/traefikservice/):
// a TraefikService shares requests among Services, and so does each route of
// an IngressRoute that holds several. A weight that is left out is 1. Unless
// Traefik is started with providers.kubernetescrd.allowEmptyServices, a Service
// without pods makes it drop all of them, whatever their weights (seen with
// v3.6.7).

func traefikServiceDriver() driver {
	return weightedDriver("traefikService", always(weightedKind{
		kind: "traefikservice", proper: "TraefikService", resource: traefikResource("traefikservices"),
		pools: func(object map[string]any) ([]pool, error) {
			one, err := traefikPool(object, object, "spec.weighted", "/spec/weighted", "spec", "weighted", "services")
			return []pool{one}, err
		},
		fields:         [][]string{{"spec", "weighted", "services"}},
		split:          traefikServiceSplit,
		keepsBothSides: true,
		affinity: func(object map[string]any) string {
			if _, found, _ := unstructured.NestedMap(object, "spec", "weighted", "sticky", "cookie"); found {
				return "cookie (spec.weighted.sticky)"
			}
			return ""
		},
	}))
}

func ingressRouteDriver() driver {
	return weightedDriver("ingressRoute", always(weightedKind{
		kind: "ingressroute", proper: "IngressRoute", resource: traefikResource("ingressroutes"),
		pools: ingressRoutePools, fields: [][]string{{"spec", "routes"}}, split: ingressRouteSplit, keepsBothSides: true,
	}))
}

func traefikResource(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "traefik.io", Version: "v1alpha1", Resource: resource}
}

// ingressRoutePools are the services of each route.
func ingressRoutePools(object map[string]any) ([]pool, error) {
	routes, err := listAt(object, "spec", "routes")
	if err != nil {
		return nil, err
	}
	var pools []pool
	for i, route := range routes {
		one, err := traefikPool(object, route, fmt.Sprintf("spec.routes[%d]", i), fmt.Sprintf("/spec/routes/%d", i), "services")
		if err != nil {
			return nil, err
		}
		match, _, _ := unstructured.NestedString(route, "match")
		one.chosen = traefikChosen(match)
		pools = append(pools, one)
	}
	return pools, nil
}

// traefikPool is one list of services, at a path below what holds it.
func traefikPool(object, holder map[string]any, name, place string, path ...string) (pool, error) {
	services, err := listAt(holder, path...)
	if err != nil {
		return pool{}, fmt.Errorf("%s: %w", name, err)
	}
	own, _, _ := unstructured.NestedString(object, "metadata", "namespace")
	one := pool{name: name}
	for at, service := range services {
		entryPlace := fmt.Sprintf("%s/services/%d/", place, at)
		entry := backend{pointer: entryPlace + "weight", identity: cluster.Operation{Op: "test", Path: entryPlace + "name", Value: service["name"]}}
		kind, _, _ := unstructured.NestedString(service, "kind")
		namespace, _, _ := unstructured.NestedString(service, "namespace")
		if (kind == "" || kind == "Service") && (namespace == "" || namespace == own) {
			entry.service, _, _ = unstructured.NestedString(service, "name")
		}
		if entry.weight, entry.stands, err = numberAt(service, "weight", 1); err != nil {
			return pool{}, fmt.Errorf("%s, services[%d]: %w", name, at, err)
		}
		one.backends = append(one.backends, entry)
	}
	return one, nil
}

// traefikAsked are the matchers of what a client sets; those with Headers are of
// version 2.
func traefikAsked() []string {
	return []string{"Header", "HeaderRegexp", "Headers", "HeadersRegexp", "Query", "QueryRegexp"}
}

// traefikChosen reports whether a rule wants a header or a parameter that a
// client sets, on every way into it. The requests of everybody lack it, so
// they are what its opposite takes.
func traefikChosen(match string) bool {
	return traefikrule.Always(match, func(matcher traefikrule.Matcher) bool {
		return !matcher.Negated && slices.Contains(traefikAsked(), matcher.Name)
	})
}
