package shop

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// TraefikService shares requests in a kind of Traefik's own, behind an
// IngressRoute. Custom is the same object, of which the Release says itself
// where the weights stand.
const (
	TraefikService Route = "traefikservice"
	Custom         Route = "custom"
)

// traefikServiceManifest is one that gives everything to blue.
const traefikServiceManifest = `# The production route: the weights are the switch.
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata:
  name: %s
  namespace: %s
  labels:
    app: recommendation
spec:
  weighted:
    services:
    - {name: svc-blue, port: 80, weight: 100}
    - {name: svc-green, port: 80, weight: 0}
`

// traefikEntrance leads a shop's host to it.
const traefikEntrance = `# What leads clients to the production route.
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: entrance
  namespace: %s
spec:
  entryPoints: [web]
  routes:
  - {kind: Rule, match: "Host(` + "`%s`" + `)", services: [{kind: TraefikService, name: %s}]}
`

// traefikServiceKind is what it is made of.
func traefikServiceKind() kind {
	return weightedKind(kind{
		route:    TraefikService,
		resource: schema.GroupVersionResource{Group: "traefik.io", Version: "v1alpha1", Resource: "traefikservices"},
		manifest: func(s *Shop) ([]byte, error) {
			return fmt.Appendf(nil, traefikServiceManifest, weightedName, s.Namespace), nil
		},
		entrance: func(s *Shop) []byte {
			return fmt.Appendf(nil, traefikEntrance, s.Namespace, host(s), weightedName)
		},
		weights: traefikServiceWeights, keepsBothSides: true,
		entry: gateway,
		host:  host,
	}, func(traffic *release.Traffic) { traffic.TraefikService = namedRoute() })
}

// customKind is the same, declared as any object can be.
func customKind() kind {
	custom := weightedKind(traefikServiceKind(), func(traffic *release.Traffic) {
		traffic.Custom = &release.CustomRoute{
			APIVersion: "traefik.io/v1alpha1", Resource: "traefikservices", Name: weightedName,
			Weights: map[string][]string{Blue: {"/spec/weighted/services/0/weight"}, Green: {"/spec/weighted/services/1/weight"}},
		}
	})
	custom.route, custom.keepsBothSides = Custom, false
	return custom
}

func traefikServiceWeights(object *unstructured.Unstructured) (map[string]int64, error) {
	var service struct {
		Spec struct{ Weighted struct{ Services []backend } }
	}
	if err := decode(object, &service); err != nil {
		return nil, err
	}
	return byColor(service.Spec.Weighted.Services), nil
}
