package shop

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// HTTPRoute is a route of the Gateway API, on the Gateway of the lab's addon
// gateway.
const HTTPRoute Route = "httproute"

// gatewayRoute is the manifest of a route of the Gateway API that gives everything
// to blue, at a port of the colours' Services.
func gatewayRoute(kind string, port int) func(*Shop) ([]byte, error) {
	return func(s *Shop) ([]byte, error) {
		return fmt.Appendf(nil, gatewayRouteManifest, kind, weightedName, s.Namespace, host(s), port), nil
	}
}

const gatewayRouteManifest = `# The production route: the weights are the switch.
apiVersion: gateway.networking.k8s.io/v1
kind: %[1]s
metadata:
  name: %[2]s
  namespace: %[3]s
  labels:
    app: recommendation
spec:
  parentRefs: [{name: public, namespace: gateway}]
  hostnames: [%[4]s]
  rules:
  - backendRefs:
    - {name: svc-blue, port: %[5]d, weight: 100}
    - {name: svc-green, port: %[5]d, weight: 0}
`

// httpRouteKind is what it is made of.
func httpRouteKind() kind {
	return weightedKind(kind{
		route:    HTTPRoute,
		resource: schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"},
		manifest: gatewayRoute("HTTPRoute", 80),
		weights:  httpRouteWeights,
		entry:    gateway,
		host:     host,
	}, func(traffic *release.Traffic) { traffic.HTTPRoute = namedRoute() })
}

// httpRouteWeights reads the one rule of the manifest. Beside it there may be that
// of a preview, which some requests alone come to.
func httpRouteWeights(object *unstructured.Unstructured) (map[string]int64, error) {
	type rule struct {
		Matches     []struct{ Headers []any }
		BackendRefs []backend
	}
	var route struct{ Spec struct{ Rules []rule } }
	if err := decode(object, &route); err != nil {
		return nil, err
	}
	forAll := slices.DeleteFunc(route.Spec.Rules, func(one rule) bool { return len(one.Matches) > 0 && len(one.Matches[0].Headers) > 0 })
	one, err := lone(forAll, "rules")
	if err != nil {
		return nil, err
	}
	return byColor(one.BackendRefs), nil
}
