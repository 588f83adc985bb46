package routertest

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// VirtualService is one of Istio, by hosts or by subsets of one host.
func VirtualService(subsets bool) Kind {
	destination := func(color string) map[string]any {
		if subsets {
			return map[string]any{"host": "shop", "subset": strings.TrimPrefix(color, "svc-")}
		}
		return map[string]any{"host": color + ".shop.svc.cluster.local"}
	}
	backends := Listed{
		Holder: func(object map[string]any) map[string]any { return Within(object, "spec", "http") },
		Field:  "route",
		Make: func(service string, weight int64) map[string]any {
			return map[string]any{"destination": destination(service), "weight": weight}
		},
		Service: func(backend map[string]any) string {
			found := Within(backend, "destination")
			if subset, _ := found["subset"].(string); subset == "canary" {
				return subset
			} else if subset != "" {
				return "svc-" + subset
			}
			host, _ := found["host"].(string)
			name, _, _ := strings.Cut(host, ".")
			return name
		},
	}
	const head = `
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop]
  http:
  - name: all
    route:
`
	blue, green := "    - {destination: {host: svc-blue}, weight: 1}\n", "    - {destination: {host: svc-green.shop.svc.cluster.local}}\n"
	declare := func(traffic *release.Traffic) { traffic.VirtualService = &release.VirtualServiceRoute{Name: Name} }
	missing := ""
	if subsets {
		blue, green = "    - {destination: {host: shop, subset: blue}, weight: 1}\n", "    - {destination: {host: shop, subset: green}, weight: 0}\n"
		declare = func(traffic *release.Traffic) {
			traffic.VirtualService = &release.VirtualServiceRoute{Name: Name, Host: "shop", Subsets: map[string]string{"blue": "blue", "green": "green"}}
		}
		missing = "add subset green of shop"
	}
	return Kind{
		Resource: schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1beta1", Resource: "virtualservices"},
		Declare:  declare, Fresh: head + blue + green, None: head + blue, Missing: missing,
		Backends: backends.Backends, Set: backends.Set, Insert: backends.Insert, Further: anotherHost,
		Previews: istioPreviews(destination),
	}
}

// anotherHost leads to another Service, whose subsets are called as the release's.
func anotherHost(object map[string]any) {
	to := func(subset string, weight int64) map[string]any {
		return map[string]any{"destination": map[string]any{"host": "cart", "subset": subset}, "weight": weight}
	}
	appendTo(object, map[string]any{
		"match": []any{map[string]any{"uri": map[string]any{"prefix": "/cart"}}}, "route": []any{to("blue", 100), to("green", 0)},
	}, "spec", "http")
}

// istioPreviews are HTTP routes.
func istioPreviews(destination func(color string) map[string]any) *PreviewRules {
	rule := func(entry, destination map[string]any) map[string]any {
		return map[string]any{"match": []any{entry}, "route": []any{map[string]any{"destination": destination}}}
	}
	return &PreviewRules{
		Path:    []string{"spec", "http"},
		Foreign: rule(map[string]any{"uri": map[string]any{"prefix": "/other"}}, map[string]any{"host": "canary"}),
		Wanting: func(header release.NamedValue) map[string]any {
			headers := map[string]any{strings.ToLower(header.Name): map[string]any{"exact": header.Value}}
			return rule(map[string]any{"headers": headers}, destination("svc-green"))
		},
	}
}
