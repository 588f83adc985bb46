package routertest

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// traefikKind is a kind of Traefik's that holds services at a path.
func traefikKind(resource, head string, declare func(*release.Traffic), path ...string) Kind {
	indent := "    "
	backends := Listed{
		Holder: func(object map[string]any) map[string]any { return Within(object, path...) },
		Field:  "services",
		Make: func(service string, weight int64) map[string]any {
			return map[string]any{"name": service, "port": int64(80), "weight": weight}
		},
		Service: nameOf,
	}
	return Kind{
		Resource: schema.GroupVersionResource{Group: "traefik.io", Version: "v1alpha1", Resource: resource},
		Declare:  declare,
		Fresh:    head + indent + "- {name: svc-blue, port: 80, weight: 1}\n" + indent + "- {name: svc-green, kind: Service, port: 80, weight: 0}\n",
		None:     head + indent + "- {name: svc-blue, port: 80}\n" + indent + "- {name: svc-green, kind: TraefikService}\n",
		Backends: backends.Backends, Set: backends.Set, Insert: backends.Insert,
	}
}

// TraefikService is one that shares by weights.
func TraefikService() Kind {
	return traefikKind("traefikservices", `
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: shop, namespace: shop}
spec:
  weighted:
    services:
`, func(traffic *release.Traffic) { traffic.TraefikService = &release.NamedRoute{Name: Name} }, "spec", "weighted")
}

// IngressRoute is one whose route holds several services.
func IngressRoute() Kind {
	kind := traefikKind("ingressroutes", `
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: shop, namespace: shop}
spec:
  entryPoints: [web]
  routes:
  - match: Host(`+"`shop.example`"+`)
    kind: Rule
    services:
`, func(traffic *release.Traffic) { traffic.IngressRoute = &release.NamedRoute{Name: Name} }, "spec", "routes")
	kind.Further = func(object map[string]any) {
		appendTo(object, map[string]any{"match": "Host(`cart.example`)", "kind": "Rule", "services": []any{
			map[string]any{"name": "cart-a", "port": int64(80), "weight": int64(3)}, map[string]any{"name": "cart-b", "port": int64(80), "weight": int64(1)},
		}}, "spec", "routes")
	}
	return kind
}
