package detect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// waysOf reads one object and tells its claims: HOSTS: MATCH -> LEADS.
func waysOf(t *testing.T, kindName, text string) []string {
	t.Helper()
	found, err := kindNamed(kindName).read(parsed(t, text)[kindName][0])
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, one := range found.claims {
		var hosts, leads []string
		for _, host := range one.hosts {
			hosts = append(hosts, host.String())
		}
		for _, lead := range one.leads {
			leads = append(leads, lead.to.String())
		}
		told = append(told, strings.Join(hosts, " ")+": "+one.match.String()+" -> "+strings.Join(leads, " "))
	}
	return told
}

// TestMatchesOfEachKind: what a kind can ask of a request beyond its host.
func TestMatchesOfEachKind(t *testing.T) {
	tests := []struct{ name, kind, text, head string }{
		{"HTTPRoute", "httproute", `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  hostnames: [a.com, "*.b.com"]
  rules:
  - matches:
    - {path: {type: Exact, value: /x}, method: GET}
    - {path: {type: RegularExpression, value: "/v[0-9]"}, queryParams: [{name: beta, value: "1"}]}
    - {headers: [{type: RegularExpression, name: X-User, value: "a.*"}]}
    backendRefs: [{name: one, namespace: other}]
`, `
a.com *.b.com: exactly /x, method GET -> service/one
a.com *.b.com: paths like /v[0-9], parameter beta 1 -> service/one
a.com *.b.com: every path, header x-user like a.* -> service/one`},
		{"GRPCRoute", "grpcroute", `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: shop}
spec:
  hostnames: [a.com]
  rules:
  - matches: [{method: {service: shop.Cart}}, {method: {method: Add}}, {method: {type: RegularExpression, service: "shop.*", method: A}}]
    backendRefs: [{name: one}]
  - backendRefs: [{name: two}]
`, `
a.com: /shop.Cart and below -> service/one
a.com: paths like /[^/]+/Add -> service/one
a.com: paths like /shop.*/A -> service/one
a.com: every path -> service/two`},
		{"VirtualService", "virtualservice", `
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [a.com]
  http:
  - match: [{uri: {exact: /x}, headers: {X-Canary: {exact: always}}, withoutHeaders: {x-no: {}}}, {uri: {regex: /y.*}, queryParams: {beta: {prefix: b}}, method: {exact: GET}}]
    route: [{destination: {host: one}}]
  - route: [{destination: {host: two.other.svc.cluster.local}}]
  tls:
  - match: [{sniHosts: [b.com]}]
    route: [{destination: {host: three}}]
  tcp:
  - route: [{destination: {host: api.elsewhere.com}}]
`, `
a.com: exactly /x, header x-canary always, header x-no not as written -> service/one
a.com: paths like /y.*, method GET, parameter beta begins with b -> service/one
a.com: every path -> service/two
b.com: every path -> service/three
a.com: every path -> something else`},
		{"RouteGroup", "routegroup", `
apiVersion: zalando.org/v1
kind: RouteGroup
metadata: {name: shop}
spec:
  hosts: [a.com]
  backends: [{name: one, type: service, serviceName: one}, {name: two, type: service, serviceName: two}, {name: gone, type: shunt}]
  defaultBackends: [{backendName: one}]
  routes:
  - {path: /x, methods: [GET, HEAD]}
  - {pathRegexp: /y.*, predicates: ['Header("x-canary", "always")'], backends: [{backendName: two}]}
  - {pathSubtree: /z, backends: [{backendName: gone}]}
`, `
a.com: exactly /x, method GET or HEAD -> service/one
a.com: paths like /y.*, predicate Header("x-canary", "always") -> service/two
a.com: /z and below -> something else`},
		{"a RouteGroup without routes", "routegroup", `
apiVersion: zalando.org/v1
kind: RouteGroup
metadata: {name: shop}
spec: {hosts: [a.com], backends: [{name: one, type: service, serviceName: one}], defaultBackends: [{backendName: one}]}
`, `
a.com: every path -> service/one`},
		{"Ingress", "ingress", `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  defaultBackend: {service: {name: rest}}
  rules:
  - host: a.com
    http: {paths: [{path: /x, pathType: Exact, backend: {service: {name: one}}}, {path: /y, pathType: ImplementationSpecific, backend: {resource: {kind: Bucket, name: assets}}}]}
`, `
a.com: exactly /x -> service/one
a.com: /y and below -> resource/assets
: every path -> service/rest`},
		{"HTTPProxy", "httpproxy", `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: shop}
spec:
  virtualhost: {fqdn: a.com}
  routes:
  - conditions: [{prefix: /x}, {header: {name: X-Canary, exact: always}}, {queryParameter: {name: beta, present: true}}]
    services: [{name: one}, {name: copy, mirror: true}]
  - {conditions: [{exact: /y}, {header: {name: x-user, contains: bot}}], services: [{name: two}]}
  - {conditions: [{regex: /z.*}], services: [{name: three}]}
  includes: [{name: rest, namespace: other, conditions: [{prefix: /rest}]}]
  tcpproxy: {services: [{name: four}]}
`, `
a.com: /x and below, header x-canary always, parameter beta is there -> service/one
a.com: exactly /y, header x-user contains bot -> service/two
a.com: paths like /z.* -> service/three
a.com: every path -> service/four
a.com: /rest and below -> httpproxy/rest`},
		{"a mirroring TraefikService", "traefikservice", `
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: shop}
spec: {mirroring: {name: one, mirrors: [{name: copy, percent: 10}]}}
`, `
: every path -> service/one`},
		{"an OpenShift route for a whole domain", "route", `
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: shop}
spec: {host: www.a.com, wildcardPolicy: Subdomain, to: {kind: Service, name: one}}
`, `
www.a.com *.a.com: every path -> service/one`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(strings.Split(strings.TrimPrefix(test.head, "\n"), "\n"), waysOf(t, test.kind, test.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatControllersMove: every field in which a Rollout or a Canary names what
// it moves.
func TestWhatControllersMove(t *testing.T) {
	tests := []struct{ name, kind, spec, want string }{
		{"blue-green", "Rollout", `{strategy: {blueGreen: {activeService: a, previewService: p}}}`, "service/a, service/p"},
		{"ping-pong", "Rollout", `{strategy: {canary: {pingPong: {pingService: a, pongService: b}}}}`, "service/a, service/b"},
		{"nginx", "Rollout", `{strategy: {canary: {trafficRouting: {nginx: {stableIngress: a, stableIngresses: [b]}}}}}`, "ingress/a, ingress/b"},
		{"alb", "Rollout", `{strategy: {canary: {trafficRouting: {alb: {ingress: a, ingresses: [b]}}}}}`, "ingress/a, ingress/b"},
		{"istio", "Rollout", `{strategy: {canary: {trafficRouting: {istio: {virtualService: {name: a}, virtualServices: [{name: b}]}}}}}`, "virtualservice/a, virtualservice/b"},
		{"traefik", "Rollout", `{strategy: {canary: {trafficRouting: {traefik: {weightedTraefikServiceName: a}}}}}`, "traefikservice/a"},
		{"smi", "Rollout", `{strategy: {canary: {trafficRouting: {smi: {trafficSplitName: a}}}}}`, "trafficsplit/a"},
		{"gateway", "Rollout", `{strategy: {canary: {trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: a, httpRoutes: [{name: b}], grpcRoutes: [{name: c}], tcpRoutes: [{name: d}]}}}}}}`,
			"httproute/a, httproute/b, grpcroute/c, tcproute/d"},
		{"by the Service's name", "Canary", `{targetRef: {name: x}, service: {name: a}, ingressRef: {name: i}}`,
			"service/a, service/a-primary, service/a-canary, httproute/a, virtualservice/a, traefikservice/a, httpproxy/a, trafficsplit/a, ingress/i, ingress/i-canary"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			name := strings.ToLower(test.kind)
			found, err := kindNamed(name).read(parsed(t, "kind: "+test.kind+"\nmetadata: {name: shop}\nspec: "+test.spec)[name][0])
			if err != nil || listed(found.moves) != test.want || !found.inner {
				t.Errorf("%s, %v; want %s", listed(found.moves), err, test.want)
			}
		})
	}
}

// TestKindsAreWhole: each has what collecting and telling need.
func TestKindsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range kinds() {
		if kind.name == "" || kind.resource == "" || len(kind.versions) == 0 || kind.read == nil || kind.order.compare == nil || seen[kind.name] {
			t.Errorf("%+v", kind)
		}
		seen[kind.name] = true
	}
}
