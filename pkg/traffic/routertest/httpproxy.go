package routertest

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// HTTPProxy is one of Contour.
func HTTPProxy() Kind {
	backends := Listed{
		Holder: func(object map[string]any) map[string]any { return Within(object, "spec", "routes") },
		Field:  "services",
		Make: func(service string, weight int64) map[string]any {
			return map[string]any{"name": service, "port": int64(80), "weight": weight}
		},
		Service: nameOf,
	}
	const head = `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: shop, namespace: shop, generation: 3}
status:
  currentStatus: valid
  conditions: [{type: Valid, status: "True", observedGeneration: 3, reason: Valid, message: Valid HTTPProxy}]
spec:
  virtualhost: {fqdn: shop.example}
  routes:
  - conditions: [{prefix: /}]
    services:
    - {name: svc-blue, port: 80, weight: 1}
`
	return Kind{
		Resource: schema.GroupVersionResource{Group: "projectcontour.io", Version: "v1", Resource: "httpproxies"},
		Declare:  func(traffic *release.Traffic) { traffic.HTTPProxy = &release.NamedRoute{Name: Name} },
		Fresh:    head + "    - {name: svc-green, port: 80, weight: 0}\n",
		None:     head + "    - {name: svc-green, port: 80, mirror: true, weight: 10}\n",
		Backends: backends.Backends, Set: backends.Set, Insert: backends.Insert,
		Further: func(object map[string]any) {
			appendTo(object, map[string]any{"conditions": []any{map[string]any{"prefix": "/cart"}}, "services": []any{
				map[string]any{"name": "cart-a", "port": int64(80), "weight": int64(3)}, map[string]any{"name": "cart-b", "port": int64(80), "weight": int64(1)},
			}}, "spec", "routes")
		},
	}
}
