package traffic

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/sticky"
)

// An HTTPProxy of Contour
// (https://projectcontour.io/docs/main/config/request-routing/) shares the
// requests of each route among its services, and the connections of its TCP
// proxy likewise. Without any weight all get the same; beside a weight, a
// service without one gets nothing. What another HTTPProxy takes in by an
// include is that one's.

func httpProxyDriver() driver {
	return weightedDriver("httpProxy", always(weightedKind{
		kind: "httpproxy", proper: "HTTPProxy",
		resource: schema.GroupVersionResource{Group: "projectcontour.io", Version: "v1", Resource: "httpproxies"},
		pools:    contourPools,
		fields:   [][]string{{"spec", "routes"}, {"spec", "tcpproxy"}},
		refused:  contourRefused,
		affinity: contourAffinity,
		split:    httpProxySplit,
		unproven: true,
	}))
}

// contourPools are the services of each route, and those of the TCP proxy.
func contourPools(object map[string]any) ([]pool, error) {
	routes, err := listAt(object, "spec", "routes")
	if err != nil {
		return nil, err
	}
	var pools []pool
	for i, route := range routes {
		one, err := contourPool(route, fmt.Sprintf("spec.routes[%d]", i), fmt.Sprintf("/spec/routes/%d", i))
		if err != nil {
			return nil, err
		}
		one.chosen = contourChosen(route)
		pools = append(pools, one)
	}
	if proxy, found, _ := unstructured.NestedMap(object, "spec", "tcpproxy"); found {
		one, err := contourPool(proxy, "spec.tcpproxy", "/spec/tcpproxy")
		if err != nil {
			return nil, err
		}
		pools = append(pools, one)
	}
	return pools, nil
}

// contourPool is one list of services. A mirror gets copies of the requests and
// no share of them, so it is not in the list.
func contourPool(holder map[string]any, name, place string) (pool, error) {
	services, err := listAt(holder, "services")
	if err != nil {
		return pool{}, fmt.Errorf("%s: %w", name, err)
	}
	one := pool{name: name}
	for at, service := range services {
		if mirror, _, _ := unstructured.NestedBool(service, "mirror"); mirror {
			continue
		}
		entryPlace := fmt.Sprintf("%s/services/%d/", place, at)
		entry := backend{pointer: entryPlace + "weight", identity: cluster.Operation{Op: "test", Path: entryPlace + "name", Value: service["name"]}}
		entry.service, _, _ = unstructured.NestedString(service, "name")
		if entry.weight, entry.stands, err = numberAt(service, "weight", 0); err != nil {
			return pool{}, fmt.Errorf("%s, services[%d]: %w", name, at, err)
		}
		one.backends = append(one.backends, entry)
	}
	return evenWithoutWeights(one), nil
}

// contourChosen reports whether a route wants a header or a parameter that a
// client sets to get here. All its conditions must hold.
func contourChosen(route map[string]any) bool {
	conditions, _ := listAt(route, "conditions")
	return slices.ContainsFunc(conditions, func(condition map[string]any) bool {
		return contourAsks(condition, "header") || contourAsks(condition, "queryParameter")
	})
}

// contourAsks reports whether a condition wants something to be there; the
// requests of everybody lack it, so they fulfil its opposite.
func contourAsks(condition map[string]any, field string) bool {
	wanted, found, _ := unstructured.NestedMap(condition, field)
	if !found {
		return false
	}
	return !slices.ContainsFunc([]string{"notpresent", "notcontains", "notexact"}, func(opposite string) bool { _, stands := wanted[opposite]; return stands })
}

// contourAffinity is a route's load balancing by a cookie or by a hash.
func contourAffinity(object map[string]any) string {
	routes, _ := listAt(object, "spec", "routes")
	for i, route := range routes {
		if strategy := sticky.HTTPProxyRoute(route); strategy != "" {
			return fmt.Sprintf("%s (spec.routes[%d].loadBalancerPolicy)", strategy, i)
		}
	}
	return ""
}

// contourRefused reads the status that Contour writes: it must have called the
// HTTPProxy valid as it stands now.
func contourRefused(object *unstructured.Unstructured) objection {
	refused := contourSays(object)
	refused.by = "Contour"
	return refused
}

func contourSays(object *unstructured.Unstructured) objection {
	conditions, err := listAt(object.Object, "status", "conditions")
	if err != nil {
		return objection{why: "Contour says nothing that can be read"}
	}
	for _, condition := range conditions {
		kind, _, _ := unstructured.NestedString(condition, "type")
		status, _, _ := unstructured.NestedString(condition, "status")
		seen, _, _ := unstructured.NestedInt64(condition, "observedGeneration")
		description, _, _ := unstructured.NestedString(object.Object, "status", "description")
		switch {
		case kind != "Valid":
		case seen < object.GetGeneration():
			return objection{why: fmt.Sprintf("Contour has seen generation %d of it, not %d", seen, object.GetGeneration())}
		case status != "True":
			return objection{why: fmt.Sprintf("Contour says Valid=%s: %s", status, description), unresolved: contourUnresolved(condition)}
		default:
			return objection{}
		}
	}
	return objection{why: "Contour has not taken it (status.conditions)"}
}

// contourUnresolved reports whether a condition speaks of services that are not
// found, and of nothing else: Contour leaves those out and serves the others. A TCP
// proxy, of which it serves none then, has errors of another type.
func contourUnresolved(condition map[string]any) bool {
	faults, err := listAt(condition, "errors")
	return err == nil && len(faults) > 0 && !slices.ContainsFunc(faults, func(fault map[string]any) bool {
		return fault["type"] != "ServiceError" || fault["reason"] != "ServiceUnresolvedReference"
	})
}
