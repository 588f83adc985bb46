package traffic

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Whatever stands in a route, the expression of its kind and its driver see the
// same split, or both see none.

func TestVirtualServiceDescriptionReadsAsTheDriver(t *testing.T) {
	readsAsTheDriver(t, hostSplit("object", shopServices()), shopServices(), hostPools, drawVirtualService(
		func(name string) map[string]any { return map[string]any{"host": name} },
		"", "svc-blue.shop", "svc-blue.other", "svc-blue.shop.svc", "svc-green.shop.svc.cluster.local", "svc-green.shop.example", "svc-blue-2", "svc-blue.shopping"))
}

func TestSubsetDescriptionReadsAsTheDriver(t *testing.T) {
	colors := colorServices{"blue": "subset svc-blue of shop", "green": "subset svc-green of shop"}
	readsAsTheDriver(t, subsetSplit("object", colors), colors, subsetPools, drawVirtualService(
		func(name string) map[string]any {
			host, subset, elsewhere := strings.Cut(name, "@")
			if !elsewhere {
				host, subset = "shop", name
			}
			return map[string]any{"host": host, "subset": subset}
		}, "", "v1", "cart@svc-blue", "shop.shop.svc.cluster.local@svc-green", "shop.other@svc-blue", "@svc-blue"))
}

func TestTraefikServiceDescriptionReadsAsTheDriver(t *testing.T) {
	kind, err := traefikServiceDriver().kind(release.Traffic{})
	if err != nil {
		t.Fatal(err)
	}
	readsAsTheDriver(t, traefikServiceSplit("object", shopServices()), shopServices(), kind.pools, func(t *rapid.T) map[string]any {
		if rapid.IntRange(0, 9).Draw(t, "mirrors") == 0 {
			return object("spec", map[string]any{"mirroring": map[string]any{}})
		}
		return object("spec", map[string]any{"weighted": some("services", drawTraefikServices(t))})
	})
}

func TestIngressRouteDescriptionReadsAsTheDriver(t *testing.T) {
	rules := []string{
		"", "Host(`a`)", "Host(`a`) && Header(`x`, `y`)", "Query(`a`, `b`)", "Header(`x`, `y`) || Path(`/`)", "Host(`a`) && !Header(`x`, `y`)", "! Query(`a`, `b`)",
		"(Host(`a`)) && ( HeaderRegexp(`x`, `(y|\\\"z)&&`) && !Path(\"/\\\"a\") )\n", "!(Path(`/`) || Header(`x`, `y`))", "!(Path(`/`) && Header(`x`, `y`))",
		"Path(`/ && Header(`) && Host(`a`)", "Path(\"\\\" && Header(\")", "Header(`x`, `!(a || b`)", "Headers(`x`, `y`)", "Header(`x`, `y`) && !Query(`a`)",
	}
	readsAsTheDriver(t, ingressRouteSplit("object", shopServices()), shopServices(), ingressRoutePools, func(t *rapid.T) map[string]any {
		return object("spec", some("routes", drawEach(t, func() map[string]any {
			route := some("services", drawTraefikServices(t))
			if match := rapid.SampledFrom(rules).Draw(t, "match"); match != "" {
				route["match"] = match
			}
			return route
		})))
	})
}

func TestRouteGroupDescriptionReadsAsTheDriver(t *testing.T) {
	readsAsTheDriver(t, routeGroupSplit("object", shopServices()), shopServices(), routeGroupPools, func(t *rapid.T) map[string]any {
		spec := map[string]any{"backends": []any{
			map[string]any{"name": "svc-blue", "type": "service", "serviceName": "svc-blue"},
			map[string]any{"name": "svc-green", "type": rapid.SampledFrom([]string{"service", "service", "service", "network"}).Draw(t, "type"), "serviceName": "svc-green"},
			map[string]any{"name": "canary", "type": "service", "serviceName": rapid.SampledFrom([]string{"other", "other", "svc-blue"}).Draw(t, "canary")},
			map[string]any{"name": "shunt", "type": "shunt"},
		}}
		reference := func(name string) map[string]any { return map[string]any{"backendName": name} }
		fill(spec, "defaultBackends", drawBackends(t, reference, "shunt", "unknown"))
		fill(spec, "routes", drawEach(t, func() map[string]any {
			route := map[string]any{"pathSubtree": "/"}
			if rapid.Bool().Draw(t, "own") {
				fill(route, "backends", drawBackends(t, reference, "shunt"))
			}
			if predicates := rapid.SampledFrom([][]any{nil, {"Method(\"GET\")"}, {" Header(\"a\", \"b\")"}, {"Path(\"/\")", "Cookie(\"a\", \"b\")"}, {"XHeader()"}}).Draw(t, "predicates"); predicates != nil {
				route["predicates"] = predicates
			}
			return route
		}))
		return object("spec", spec)
	})
}

func TestSkipperIngressDescriptionReadsAsTheDriver(t *testing.T) {
	readsAsTheDriver(t, skipperIngressSplit("object", shopServices()), shopServices(), skipperIngressPools, func(t *rapid.T) map[string]any {
		found := object("spec", some("rules", drawEach(t, func() map[string]any {
			rule := map[string]any{"host": rapid.SampledFrom([]string{"a.example", "b.example"}).Draw(t, "host")}
			var paths []any
			for _, name := range drawNames(t) {
				path := map[string]any{"backend": map[string]any{"service": map[string]any{"name": name}}}
				if rapid.IntRange(0, 4).Draw(t, "deep") == 0 {
					path["path"] = "/deep"
				}
				paths = append(paths, path)
			}
			if paths != nil {
				rule["http"] = map[string]any{"paths": paths}
			}
			return rule
		})))
		if otherwise := rapid.SampledFrom([]string{"", "", "", "canary", "svc-blue"}).Draw(t, "default"); otherwise != "" {
			found["spec"].(map[string]any)["defaultBackend"] = map[string]any{"service": map[string]any{"name": otherwise}}
		}
		if text := rapid.SampledFrom([]string{
			"", `{"svc-blue":100,"svc-green":0}`, `{"svc-blue": 1, "svc-green": 3, "canary": 5}`, "{\n  \"svc-green\" : 7\n}", `{}`, ` { } `,
			`{"svc-blue":0,"svc-green":0}`, `{"svc-blue":1,"svc-green":99}`, `{"svc-blue":2,"svc-blue":4,"svc-green":4}`, `{"svc-blue":-1,"svc-green":4}`,
			`{"svc-blue":1.5,"svc-green":4}`, `{"svc-blue":"x"}`, `svc-blue=1`, `[]`, `{"svc-blue":1,}`, `{"svc-blue2":9,"svc-blue":50,"svc-green":50}`,
		}).Draw(t, "weights"); text != "" {
			found["metadata"].(map[string]any)["annotations"] = map[string]any{weightsAnnotation: text, "other": "x"}
		}
		return found
	})
}

func TestConnectionsDescriptionReadsAsTheDriver(t *testing.T) {
	readsAsTheDriver(t, gatewayConnectionSplit("object", shopServices()), shopServices(), gatewayPools, func(t *rapid.T) map[string]any {
		found := drawGatewayRoute(t)
		rules, _ := listAt(found, "spec", "rules")
		for _, rule := range rules {
			delete(rule, "matches") // such a rule has none
		}
		return found
	})
}

func TestHTTPProxyDescriptionReadsAsTheDriver(t *testing.T) {
	services := func(t *rapid.T) []any {
		all := drawBackends(t, func(name string) map[string]any { return map[string]any{"name": name} })
		for _, one := range all {
			if mirror := rapid.SampledFrom([]any{nil, nil, nil, false, true}).Draw(t, "mirror"); mirror != nil {
				one.(map[string]any)["mirror"] = mirror
			}
		}
		return all
	}
	conditions := [][]any{
		{}, {map[string]any{"prefix": "/a"}}, {map[string]any{"header": map[string]any{"name": "x", "exact": "y"}}},
		{map[string]any{"prefix": "/"}, map[string]any{"header": map[string]any{"name": "x", "notpresent": true}}},
		{map[string]any{"queryParameter": map[string]any{"name": "x", "contains": "y"}}}, {map[string]any{"queryParameter": map[string]any{"name": "x", "notexact": "y"}}},
	}
	readsAsTheDriver(t, httpProxySplit("object", shopServices()), shopServices(), contourPools, func(t *rapid.T) map[string]any {
		spec := some("routes", drawEach(t, func() map[string]any {
			route := some("services", services(t))
			fill(route, "conditions", rapid.SampledFrom(conditions).Draw(t, "conditions"))
			return route
		}))
		if rapid.IntRange(0, 3).Draw(t, "tcp") == 0 {
			spec["tcpproxy"] = some("services", services(t))
		}
		return object("spec", spec)
	})
}

func TestNginxIngressDescriptionReadsAsTheDriver(t *testing.T) {
	colors := shopServices()
	pools := func(object map[string]any) ([]pool, error) {
		found, err := nginxPools(object)
		if err != nil {
			return nil, err
		}
		return nginxCompleted(found, colors), nil
	}
	readsAsTheDriver(t, nginxSplit("object", colors), colors, pools, func(t *rapid.T) map[string]any {
		backend := func(name string) map[string]any { return map[string]any{"service": map[string]any{"name": name}} }
		names := func() []string {
			return rapid.SampledFrom([][]string{{"svc-green"}, {"svc-green"}, {"svc-blue"}, {"svc-green", "svc-green"}, {"svc-green", "svc-pay"}, {"svc-pay"}, nil}).Draw(t, "names")
		}
		spec := some("rules", drawEach(t, func() map[string]any {
			var paths []any
			for _, name := range names() {
				paths = append(paths, map[string]any{"path": "/", "backend": backend(name)})
			}
			return map[string]any{"host": "shop.example", "http": some("paths", paths)}
		}))
		if name := rapid.SampledFrom([]string{"", "", "", "svc-green", "svc-pay"}).Draw(t, "default"); name != "" {
			spec["defaultBackend"] = backend(name)
		}
		found, annotations := object("spec", spec), map[string]any{}
		annotated := func(key string, values ...string) {
			if text := rapid.SampledFrom(values).Draw(t, key); text != "" {
				annotations[key] = text
			}
		}
		annotated(nginxCanary, "true", "true", "true", "1", "True", "false", "yes")
		annotated(nginxWeight, "", "0", "30", "50", "100", "007", "few", "-1", "1000000000")
		annotated(nginxTotal, "", "", "", "100", "200", "0", "x")
		if len(annotations) > 0 {
			found["metadata"].(map[string]any)["annotations"] = annotations
		}
		return found
	})
}

func TestCustomDescriptionReadsAsTheDriver(t *testing.T) {
	weights := map[string][]string{
		"blue":  {"/spec/lanes/0/share", "/metadata/annotations/toys.example~1blue"},
		"green": {"/spec/lanes/1/share", "/metadata/annotations/toys.example~1green"},
	}
	colors := colorServices{"blue": "blue", "green": "green"}
	pools := func(object map[string]any) ([]pool, error) { return customPools(object, weights) }
	readsAsTheDriver(t, customSplit(weights)("object", colors), colors, pools, func(t *rapid.T) map[string]any {
		share := func(name string, values ...any) any { return rapid.SampledFrom(values).Draw(t, name) }
		blue := share("blue", int64(0), int64(0), int64(1), int64(50), "50", "0", "x", int64(-1), true)
		green := share("green", int64(0), int64(0), int64(3), int64(50), int64(50), "50")
		text := func(name string, like any) any { return share(name, fmt.Sprint(like), fmt.Sprint(like), "50", "") }
		lane := func(weight any) any {
			if rapid.IntRange(0, 19).Draw(t, "none") == 0 {
				return map[string]any{}
			}
			return map[string]any{"share": weight}
		}
		found := object("spec", map[string]any{"lanes": []any{lane(blue), lane(green)}})
		if rapid.IntRange(0, 19).Draw(t, "short") == 0 {
			found = object("spec", map[string]any{"lanes": []any{lane(blue)}})
		}
		found["metadata"].(map[string]any)["annotations"] = map[string]any{"toys.example/blue": text("its blue", blue), "toys.example/green": text("its green", green)}
		return found
	})
}

// A token that is a number is an index of a list, and else a field.
func TestCustomPlaces(t *testing.T) {
	colors := colorServices{"blue": "blue", "green": "green"}
	text := customSplit(map[string][]string{"blue": {"/0/in"}, "green": {"/0/x~1y"}})("object", colors)
	if got := evaluate(t, text, map[string]any{"0": map[string]any{"in": int64(1), "x/y": int64(3)}}); got != "blue=25,green=75" {
		t.Errorf("%q by %s", got, text)
	}
}

// A route that is large as routes go costs an API server a part of what it lets
// an expression cost.
func TestExpressionsAreCheap(t *testing.T) {
	repeated := func(times int, one func(i int) any) []any {
		var all []any
		for i := range times {
			all = append(all, one(i))
		}
		return all
	}
	named := func(field string, services ...string) []any {
		return repeated(len(services), func(i int) any { return map[string]any{field: services[i], "weight": int64(1 + i)} })
	}
	services := named("name", "svc-blue", "svc-green", "canary", "old")
	custom := map[string][]string{"blue": {"/spec/weighted/services/0/weight"}, "green": {"/spec/weighted/services/1/weight"}}
	const routes = 60
	for name, test := range map[string]struct {
		text   string
		object map[string]any
	}{
		"HTTPRoute": {gatewaySplit("object", shopServices()), object("spec", map[string]any{"rules": repeated(16, func(int) any { // more no rule may be
			return map[string]any{"backendRefs": services, "matches": repeated(8, func(int) any { return map[string]any{"headers": []any{map[string]any{}}} })}
		})})},
		"VirtualService": {hostSplit("object", shopServices()), object("spec", map[string]any{"http": repeated(routes, func(int) any {
			return map[string]any{"route": repeated(4, func(i int) any {
				return map[string]any{"destination": map[string]any{"host": []string{"svc-blue", "svc-green", "canary", "old"}[i]}, "weight": int64(25)}
			}), "match": repeated(8, func(int) any { return map[string]any{"headers": map[string]any{"x": map[string]any{}}} })}
		})})},
		"TraefikService": {traefikServiceSplit("object", shopServices()), object("spec", map[string]any{"weighted": map[string]any{"services": services}})},
		"IngressRoute": {ingressRouteSplit("object", shopServices()), object("spec", map[string]any{"routes": repeated(routes, func(int) any {
			return map[string]any{"match": "Host(`a.example`) && Header(`x`, `y`)", "services": services}
		})})},
		"RouteGroup": {routeGroupSplit("object", shopServices()), object("spec", map[string]any{
			"backends": repeated(4, func(i int) any {
				return map[string]any{"name": fmt.Sprint(i), "type": "service", "serviceName": []string{"svc-blue", "svc-green", "canary", "old"}[i]}
			}),
			"routes": repeated(routes, func(int) any {
				return map[string]any{"backends": named("backendName", "0", "1", "2", "3"), "predicates": []any{"Header(\"x\", \"y\")"}}
			}),
		})},
		"Ingress": {skipperIngressSplit("object", shopServices()), map[string]any{
			"metadata": map[string]any{"namespace": "shop", "annotations": map[string]any{weightsAnnotation: `{"svc-blue": 100, "svc-green": 0, "canary": 5, "old": 7}`}},
			"spec": map[string]any{"rules": repeated(routes, func(i int) any {
				return map[string]any{"host": fmt.Sprintf("host-%d.example", i), "http": map[string]any{"paths": repeated(4, func(i int) any {
					return map[string]any{"path": "/", "backend": map[string]any{"service": map[string]any{"name": []string{"svc-blue", "svc-green", "canary", "old"}[i]}}}
				})}}
			})},
		}},
		"HTTPProxy": {httpProxySplit("object", shopServices()), object("spec", map[string]any{"routes": repeated(routes, func(int) any {
			return map[string]any{"services": services, "conditions": repeated(4, func(int) any { return map[string]any{"header": map[string]any{"name": "x", "exact": "y"}} })}
		})})},
		"canary": {nginxSplit("object", shopServices()), map[string]any{
			"metadata": map[string]any{"namespace": "shop", "annotations": map[string]any{nginxCanary: "true", nginxWeight: "30"}},
			"spec": map[string]any{"rules": repeated(routes, func(int) any {
				return map[string]any{"http": map[string]any{"paths": repeated(4, func(int) any {
					return map[string]any{"path": "/", "backend": map[string]any{"service": map[string]any{"name": "svc-green"}}}
				})}}
			})},
		}},
		"custom": {customSplit(custom)("object", shopServices()), object("spec", map[string]any{"weighted": map[string]any{"services": services}})},
	} {
		got, cost := evaluated(t, test.text, test.object)
		t.Logf("%s: %v costs %d", name, got, cost)
		if cost > perExpression/4 {
			t.Errorf("%s costs %d, want a fourth of %d at most", name, cost, perExpression)
		}
		if got == "" {
			t.Errorf("%s: no split is read", name)
		}
	}
}

// drawVirtualService draws routes of every protocol, whose destinations are made
// of names.
func drawVirtualService(destination func(name string) map[string]any, odd ...string) func(*rapid.T) map[string]any {
	return func(t *rapid.T) map[string]any {
		spec := map[string]any{}
		for _, protocol := range []string{"http", "http", "tls", "tcp"} {
			if protocol != "http" && rapid.IntRange(0, 3).Draw(t, protocol) > 0 {
				continue
			}
			fill(spec, protocol, drawEach(t, func() map[string]any {
				route := map[string]any{}
				fill(route, "route", drawBackends(t, func(name string) map[string]any { return map[string]any{"destination": destination(name)} }, odd...))
				if rapid.Bool().Draw(t, "matches") && protocol == "http" {
					route["match"] = rapid.SampledFrom([][]any{
						{}, {map[string]any{"uri": map[string]any{"prefix": "/a"}}}, {map[string]any{"headers": map[string]any{"x-color": map[string]any{"exact": "a"}}}},
						{map[string]any{"queryParams": map[string]any{"c": map[string]any{}}}, map[string]any{"headers": map[string]any{}}},
					}).Draw(t, "match")
				}
				return route
			}))
		}
		return object("spec", spec)
	}
}

// drawTraefikServices draws the services of a kind of Traefik's.
func drawTraefikServices(t *rapid.T) []any {
	services := drawBackends(t, func(name string) map[string]any { return map[string]any{"name": name} })
	for _, service := range services {
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			key := rapid.SampledFrom([]string{"kind", "namespace"}).Draw(t, "key")
			service.(map[string]any)[key] = rapid.SampledFrom([]string{"", "Service", "TraefikService", "shop", "other"}).Draw(t, "value")
		}
	}
	return services
}

// drawNames draws whom a list leads to: mostly both colours.
func drawNames(t *rapid.T) []string {
	return rapid.SampledFrom([][]string{
		{"svc-blue", "svc-green"}, {"svc-blue", "svc-green"}, {"svc-green", "svc-blue", "canary"}, {"svc-blue"}, {"canary"}, {"svc-blue", "svc-green", "svc-blue"}, nil,
	}).Draw(t, "names")
}

// drawBackends draws a list of backends with weights, some of whose names may be
// odd.
func drawBackends(t *rapid.T, made func(name string) map[string]any, odd ...string) []any {
	var backends []any
	for _, name := range drawNames(t) {
		if len(odd) > 0 && rapid.IntRange(0, 5).Draw(t, "odd name") == 0 {
			name = rapid.SampledFrom(odd).Draw(t, "its name")
		}
		one := made(name)
		if weight := rapid.SampledFrom([]int64{-1, 0, 1, 1, 3, 50, 1000000}).Draw(t, "weight"); weight >= 0 {
			one["weight"] = weight
		}
		backends = append(backends, one)
	}
	return backends
}

// drawEach draws up to three of something.
func drawEach(t *rapid.T, one func() map[string]any) []any {
	var all []any
	for range rapid.IntRange(0, 3).Draw(t, "how many") {
		all = append(all, one())
	}
	return all
}

// object is one of the namespace shop with a field.
func object(field string, value any) map[string]any {
	return map[string]any{"metadata": map[string]any{"namespace": "shop"}, field: value}
}

// some is an object with a list, where that has entries.
func some(field string, list []any) map[string]any {
	found := map[string]any{}
	fill(found, field, list)
	return found
}

// fill puts a list into an object, where that has entries.
func fill(object map[string]any, field string, list []any) {
	if len(list) > 0 {
		object[field] = list
	}
}
