package routertest

import (
	"encoding/json"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// RouteGroup is one of Skipper, with default backends.
func RouteGroup() Kind {
	backends := Listed{
		Holder: func(object map[string]any) map[string]any { return Within(object, "spec") },
		Field:  "defaultBackends",
		Make: func(service string, weight int64) map[string]any {
			return map[string]any{"backendName": strings.TrimPrefix(service, "svc-"), "weight": weight}
		},
		Service: func(backend map[string]any) string {
			name, _ := backend["backendName"].(string)
			if name == "canary" {
				return name
			}
			return "svc-" + name
		},
	}
	const head = `
apiVersion: zalando.org/v1
kind: RouteGroup
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop.example]
  backends:
  - {name: blue, type: service, serviceName: svc-blue, servicePort: 80}
  - {name: green, type: service, serviceName: svc-green, servicePort: 80}
  - {name: canary, type: network, address: "http://example.com"}
  routes:
  - pathSubtree: /
  defaultBackends:
  - {backendName: blue, weight: 1}
`
	return Kind{
		Resource: schema.GroupVersionResource{Group: "zalando.org", Version: "v1", Resource: "routegroups"},
		Declare:  func(traffic *release.Traffic) { traffic.RouteGroup = &release.NamedRoute{Name: Name} },
		Fresh:    head + "  - {backendName: green, weight: 0}\n", None: head,
		Backends: backends.Backends, Set: backends.Set, Insert: backends.Insert,
		Further: func(object map[string]any) {
			appendTo(object, map[string]any{"name": "cart", "type": "service", "serviceName": "cart", "servicePort": int64(80)}, "spec", "backends")
			appendTo(object, map[string]any{"pathSubtree": "/cart", "backends": []any{
				map[string]any{"backendName": "cart", "weight": int64(3)}, map[string]any{"backendName": "canary", "weight": int64(1)},
			}}, "spec", "routes")
		},
	}
}

// SkipperIngress is an Ingress that holds its weights in an annotation.
func SkipperIngress() Kind {
	weights := func(object map[string]any) map[string]int64 {
		found := map[string]int64{}
		text, _ := Within(object, "metadata", "annotations")["zalando.org/backend-weights"].(string)
		_ = json.Unmarshal([]byte(text), &found)
		return found
	}
	set := func(object map[string]any, service string, weight int64) {
		all := weights(object)
		all[service] = weight
		text, _ := json.Marshal(all)
		Within(object, "metadata", "annotations")["zalando.org/backend-weights"] = string(text)
	}
	paths := ingressPaths()
	const head = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: shop
  annotations: {zalando.org/backend-weights: '{"svc-blue": 1, "svc-green": 0}'}
spec:
  rules:
  - host: shop.example
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: svc-blue, port: {number: 80}}}}
`
	return Kind{
		Resource: ingresses(),
		Declare:  func(traffic *release.Traffic) { traffic.SkipperIngress = &release.NamedRoute{Name: Name} },
		Fresh:    head + "      - {path: /, pathType: Prefix, backend: {service: {name: svc-green, port: {number: 80}}}}\n",
		None:     head,
		Backends: func(object map[string]any) []Backend {
			var found []Backend
			for _, entry := range paths.List(object) {
				if one, _ := entry.(map[string]any); one["path"] == "/" {
					found = append(found, Backend{Color: paths.Service(one), Weight: weights(object)[paths.Service(one)]})
				}
			}
			return found
		},
		Set: set,
		Insert: func(object map[string]any, service string, weight int64) {
			set(object, service, weight)
			paths.Insert(object, service, weight)
		},
		Tied: true,
		Further: func(object map[string]any) {
			for service, weight := range map[string]int64{"cart-a": 3, "cart-b": 1} {
				set(object, service, weight)
				path := paths.Make(service, weight)
				path["path"] = "/cart"
				appendTo(object, path, "spec", "rules", "http", "paths")
			}
		},
	}
}

func ingresses() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}
}

// ingressPaths are the backends of an Ingress, which have no weights.
func ingressPaths() Listed {
	return Listed{
		Holder: func(object map[string]any) map[string]any { return Within(object, "spec", "rules", "http") }, Field: "paths",
		Make: func(service string, _ int64) map[string]any {
			return map[string]any{"path": "/", "pathType": "Prefix", "backend": map[string]any{"service": map[string]any{
				"name": service, "port": map[string]any{"number": int64(80)}}}}
		},
		Service: func(entry map[string]any) string { return nameOf(Within(entry, "backend", "service")) },
	}
}
