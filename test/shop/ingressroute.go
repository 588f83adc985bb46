package shop

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// IngressRoute is a route of Traefik's own that shares requests itself.
const IngressRoute Route = "ingressroute"

// ingressRouteManifest is one that gives everything to blue.
const ingressRouteManifest = `# The production route: the weights are the switch.
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: %s
  namespace: %s
  labels:
    app: recommendation
spec:
  entryPoints: [web]
  routes:
  - kind: Rule
    match: Host(` + "`%s`" + `)
    services:
    - {name: svc-blue, port: 80, weight: 100}
    - {name: svc-green, port: 80, weight: 0}
`

// ingressRouteKind is what it is made of.
func ingressRouteKind() kind {
	return weightedKind(kind{
		route:    IngressRoute,
		resource: schema.GroupVersionResource{Group: "traefik.io", Version: "v1alpha1", Resource: "ingressroutes"},
		manifest: atHost(ingressRouteManifest),
		weights:  ingressRouteWeights, keepsBothSides: true,
		entry: gateway,
		host:  host,
	}, func(traffic *release.Traffic) { traffic.IngressRoute = namedRoute() })
}

// ingressRouteWeights reads the one route of the manifest.
func ingressRouteWeights(object *unstructured.Unstructured) (map[string]int64, error) {
	var route struct {
		Spec struct {
			Routes []struct{ Services []backend }
		}
	}
	if err := decode(object, &route); err != nil {
		return nil, err
	}
	rule, err := lone(route.Spec.Routes, "routes")
	if err != nil {
		return nil, err
	}
	return byColor(rule.Services), nil
}
