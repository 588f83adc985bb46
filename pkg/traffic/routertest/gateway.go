package routertest

import (
	"cmp"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Accepted is what a Gateway's controller says of a route of generation 3.
const Accepted = `
status:
  parents:
  - parentRef: {name: public, namespace: gateway}
    controllerName: traefik.io/gateway-controller
    conditions:
    - {type: Accepted, status: "True", observedGeneration: 3, reason: Accepted}
    - {type: ResolvedRefs, status: "True", observedGeneration: 3, reason: ResolvedRefs}
`

// gatewayKind is a route of the Gateway API of one kind.
func gatewayKind(kind, resource, version string, declare func(*release.Traffic)) Kind {
	head := `
apiVersion: gateway.networking.k8s.io/` + version + `
kind: ` + kind + `
metadata: {name: shop, namespace: shop, generation: 3}
spec:
  parentRefs: [{name: public, namespace: gateway}]
  rules:
  - backendRefs:
    - {group: "", kind: Service, name: svc-blue, port: 80, weight: 1}
`
	backends := Listed{
		Holder: func(object map[string]any) map[string]any { return Within(object, "spec", "rules") },
		Field:  "backendRefs",
		Make: func(service string, weight int64) map[string]any {
			return map[string]any{"name": service, "port": int64(80), "weight": weight}
		},
		Service: nameOf,
	}
	return Kind{
		Resource: schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: version, Resource: resource},
		Declare:  declare,
		Fresh:    head + `    - {group: "", kind: Service, name: svc-green, port: 80, weight: 0}` + Accepted,
		None:     head + Accepted,
		Backends: backends.Backends, Set: backends.Set, Insert: backends.Insert,
	}
}

// HTTPRoute is one of the Gateway API.
func HTTPRoute() Kind {
	kind := gatewayKind("HTTPRoute", "httproutes", "v1", func(traffic *release.Traffic) { traffic.HTTPRoute = &release.NamedRoute{Name: Name} })
	kind.Further = anotherRule
	kind.Previews = gatewayPreviews(map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/other"}})
	return kind
}

// GRPCRoute is one of the Gateway API.
func GRPCRoute() Kind {
	kind := gatewayKind("GRPCRoute", "grpcroutes", "v1", func(traffic *release.Traffic) { traffic.GRPCRoute = &release.NamedRoute{Name: Name} })
	kind.Further = anotherRule
	kind.Previews = gatewayPreviews(map[string]any{"method": map[string]any{"type": "Exact", "service": "other.Other"}})
	return kind
}

// anotherRule leads to two others.
func anotherRule(object map[string]any) {
	appendTo(object, map[string]any{"backendRefs": []any{
		map[string]any{"group": "", "kind": "Service", "name": "cart-a", "port": int64(80), "weight": int64(3)},
		map[string]any{"group": "", "kind": "Service", "name": "cart-b", "port": int64(80), "weight": int64(1)},
	}}, "spec", "rules")
}

// gatewayPreviews are rules of the Gateway API; some takes a part of the requests.
func gatewayPreviews(some map[string]any) *PreviewRules {
	rule := func(entry map[string]any, service string) map[string]any {
		return map[string]any{"matches": []any{entry}, "backendRefs": []any{map[string]any{"name": service, "port": int64(80)}}}
	}
	return &PreviewRules{
		Path: []string{"spec", "rules"}, Foreign: rule(some, "canary"),
		Wanting: func(header release.NamedValue) map[string]any {
			return rule(map[string]any{"headers": []any{map[string]any{"name": header.Name, "value": header.Value}}}, "svc-green")
		},
	}
}

// TCPRoute is one of the Gateway API, in a version or in that of a Release
// which names none.
func TCPRoute(version string) Kind {
	return gatewayKind("TCPRoute", "tcproutes", cmp.Or(version, "v1alpha2"), func(traffic *release.Traffic) {
		traffic.TCPRoute = &release.VersionedRoute{Name: Name, Version: version}
	})
}

// TLSRoute is one of the Gateway API, in a version likewise.
func TLSRoute(version string) Kind {
	kind := gatewayKind("TLSRoute", "tlsroutes", cmp.Or(version, "v1alpha2"), func(traffic *release.Traffic) {
		traffic.TLSRoute = &release.VersionedRoute{Name: Name, Version: version}
	})
	for _, text := range []*string{&kind.Fresh, &kind.None} {
		*text = strings.Replace(*text, "  rules:\n", "  hostnames: [shop.example]\n  rules:\n", 1)
	}
	return kind
}
