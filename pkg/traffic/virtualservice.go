package traffic

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A VirtualService of Istio
// (https://istio.io/latest/docs/reference/config/networking/virtual-service/)
// shares the requests of each route among destinations, which are hosts or
// subsets of one host. Its weights need not sum to 100.

func virtualServiceDriver() driver {
	return weightedDriver("virtualService", func(traffic release.Traffic) (weightedKind, error) {
		kind := weightedKind{
			kind: "virtualservice", proper: "VirtualService",
			// v1beta1 is served by every Istio since 1.5; v1 came with 1.22.
			resource: schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1beta1", Resource: "virtualservices"},
			pools:    hostPools,
			split:    hostSplit,
			preview:  istioPreview(),
			fields:   [][]string{{"spec", "http"}, {"spec", "tls"}, {"spec", "tcp"}},
		}
		if len(traffic.VirtualService.Subsets) > 0 {
			kind.pools, kind.split, kind.colors = subsetPools, subsetSplit, colorServices{}
			for color, subset := range traffic.VirtualService.Subsets {
				kind.colors[color] = Subset{Name: subset, Service: traffic.VirtualService.Host}.String()
			}
		}
		return kind, nil
	})
}

// hostPools tells destinations apart by their hosts.
func hostPools(object map[string]any) ([]pool, error) {
	own, _, _ := unstructured.NestedString(object, "metadata", "namespace")
	return istioPools(object, func(destination map[string]any) string {
		host, _, _ := unstructured.NestedString(destination, "host")
		return serviceOfHost(host, own)
	})
}

// subsetPools tells destinations apart by their subsets, each of its host.
func subsetPools(object map[string]any) ([]pool, error) {
	own, _, _ := unstructured.NestedString(object, "metadata", "namespace")
	return istioPools(object, func(destination map[string]any) string {
		subset, _, _ := unstructured.NestedString(destination, "subset")
		host, _, _ := unstructured.NestedString(destination, "host")
		service := serviceOfHost(host, own)
		if subset == "" || service == "" {
			return ""
		}
		return Subset{Name: subset, Service: service}.String()
	})
}

// istioPools are the destinations of each route, of HTTP, TLS and TCP. A lone
// destination gets everything whatever its weight; among several one without a
// weight gets nothing, says the API.
func istioPools(object map[string]any, service func(destination map[string]any) string) ([]pool, error) {
	var pools []pool
	for _, protocol := range []string{"http", "tls", "tcp"} {
		routes, err := listAt(object, "spec", protocol)
		if err != nil {
			return nil, err
		}
		for i, route := range routes {
			one := pool{name: istioRouteName(route, protocol, i), chosen: istioChosen(route)}
			destinations, err := listAt(route, "route")
			if err != nil {
				return nil, fmt.Errorf("%s: %w", one.name, err)
			}
			otherwise := int64(0)
			if len(destinations) == 1 {
				otherwise = 1
			}
			for at, weighted := range destinations {
				destination, _, _ := unstructured.NestedMap(weighted, "destination")
				place := fmt.Sprintf("/spec/%s/%d/route/%d/", protocol, i, at)
				entry := backend{service: service(destination), pointer: place + "weight",
					identity: cluster.Operation{Op: "test", Path: place + "destination", Value: destination}}
				if entry.weight, entry.stands, err = numberAt(weighted, "weight", otherwise); err != nil {
					return nil, fmt.Errorf("%s, route[%d]: %w", one.name, at, err)
				}
				one.backends = append(one.backends, entry)
			}
			pools = append(pools, one)
		}
	}
	return pools, nil
}

// istioRouteName is a route for people, by its name where it has one.
func istioRouteName(route map[string]any, protocol string, index int) string {
	if name, _, _ := unstructured.NestedString(route, "name"); name != "" {
		return fmt.Sprintf("route %q", name)
	}
	return fmt.Sprintf("spec.%s[%d]", protocol, index)
}

// istioChosen reports whether every match of a route wants a header or a
// parameter that a client sets to get here.
func istioChosen(route map[string]any) bool {
	matches, err := listAt(route, "match")
	if err != nil || len(matches) == 0 {
		return false
	}
	for _, match := range matches {
		headers, _, _ := unstructured.NestedMap(match, "headers")
		parameters, _, _ := unstructured.NestedMap(match, "queryParams")
		if len(headers)+len(parameters) == 0 {
			return false
		}
	}
	return true
}

// serviceOfHost is the Service of a namespace that a host means: by its short
// name, or by its full one under whatever domain the cluster has.
func serviceOfHost(host, namespace string) string {
	labels := strings.Split(host, ".")
	if len(labels) > 1 && labels[1] != namespace || len(labels) > 2 && labels[2] != "svc" {
		return ""
	}
	return labels[0]
}
