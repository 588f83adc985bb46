package detect

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// sharing75 is one object of each kind that shares 75 to 25 between the colours'
// Services, or can. What follows the kind says which flavour of it.
func sharing75() map[string]string {
	return map[string]string{
		"httproute": `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  hostnames: [shop.example.com]
  rules:
  - matches: [{path: {type: PathPrefix, value: /api}}]
    backendRefs: [{name: svc-blue, port: 80, weight: 75}, {name: svc-green, port: 80, weight: 25}]
`,
		"grpcroute": `
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: shop}
spec:
  hostnames: [shop.example.com]
  rules:
  - matches: [{method: {service: shop.Cart, method: Add}}]
    backendRefs: [{name: svc-blue, port: 80, weight: 75}, {name: svc-green, port: 80, weight: 25}]
`,
		"tlsroute": `
apiVersion: gateway.networking.k8s.io/v1alpha3
kind: TLSRoute
metadata: {name: shop}
spec:
  hostnames: [shop.example.com]
  rules:
  - backendRefs: [{name: svc-blue, port: 443, weight: 75}, {name: svc-green, port: 443, weight: 25}]
`,
		"tcproute": `
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: shop}
spec:
  rules:
  - backendRefs: [{name: svc-blue, port: 5432, weight: 75}, {name: svc-green, port: 5432, weight: 25}]
`,
		"virtualservice": `
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  http:
  - match: [{uri: {prefix: /api}}]
    route: [{destination: {host: svc-blue}, weight: 75}, {destination: {host: svc-green.shop.svc.cluster.local}, weight: 25}]
`,
		"ingressroute": `
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: shop}
spec:
  routes:
  - match: Host(` + "`shop.example.com`" + `) && PathPrefix(` + "`/api`" + `)
    services: [{name: svc-blue, port: 80, weight: 75}, {name: svc-green, port: 80, weight: 25}]
`,
		"ingressroutetcp": `
apiVersion: traefik.io/v1alpha1
kind: IngressRouteTCP
metadata: {name: shop}
spec:
  routes:
  - match: HostSNI(` + "`shop.example.com`" + `)
    services: [{name: svc-blue, port: 80, weight: 75}, {name: svc-green, port: 80, weight: 25}]
`,
		"traefikservice": `
apiVersion: traefik.io/v1alpha1
kind: TraefikService
metadata: {name: shop}
spec:
  weighted:
    services: [{name: svc-blue, port: 80, weight: 75}, {name: svc-green, port: 80, weight: 25}]
`,
		"routegroup": `
apiVersion: zalando.org/v1
kind: RouteGroup
metadata: {name: shop}
spec:
  hosts: [shop.example.com]
  backends:
  - {name: old, type: service, serviceName: svc-blue, servicePort: 80}
  - {name: new, type: service, serviceName: svc-green, servicePort: 80}
  defaultBackends: [{backendName: old, weight: 75}, {backendName: new, weight: 25}]
  routes: [{pathSubtree: /api}]
`,
		"ingress": `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, annotations: {zalando.org/backend-weights: '{"svc-blue": 75, "svc-green": 25}'}}
spec:
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /api, pathType: Prefix, backend: {service: {name: svc-blue, port: {number: 80}}}}
      - {path: /api, pathType: Prefix, backend: {service: {name: svc-green, port: {number: 80}}}}
`,
		"httpproxy": `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: shop}
spec:
  virtualhost: {fqdn: shop.example.com}
  routes:
  - conditions: [{prefix: /api}]
    services: [{name: svc-blue, port: 80, weight: 75}, {name: svc-green, port: 80, weight: 25}]
`,
		"ingress of the AWS load balancer": `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations:
    alb.ingress.kubernetes.io/actions.split: '{"type": "forward", "forwardConfig": {"targetGroups": [
      {"serviceName": "svc-blue", "servicePort": 80, "weight": 75}, {"serviceName": "svc-green", "servicePort": 80, "weight": 25}]}}'
spec:
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /api, pathType: Prefix, backend: {service: {name: split, port: {name: use-annotation}}}}
`,
		"route": `
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: shop}
spec:
  host: shop.example.com
  path: /api
  to: {kind: Service, name: svc-blue, weight: 75}
  alternateBackends: [{kind: Service, name: svc-green, weight: 25}]
`,
		"trafficsplit": `
apiVersion: split.smi-spec.io/v1alpha2
kind: TrafficSplit
metadata: {name: shop}
spec:
  service: svc-production
  backends: [{service: svc-blue, weight: 75}, {service: svc-green, weight: 25}]
`,
	}
}

// TestEveryKindIsServed: an object that shares between the colours is found by
// either Service, its shares are read, and what is told to write under
// spec.traffic is a valid document with which the driver reads the same shares.
func TestEveryKindIsServed(t *testing.T) {
	fields := map[string]string{
		"httproute": "httpRoute", "grpcroute": "grpcRoute", "tlsroute": "tlsRoute", "tcproute": "tcpRoute", "virtualservice": "virtualService",
		"ingressroute": "ingressRoute", "ingressroutetcp": "custom", "traefikservice": "traefikService", "routegroup": "routeGroup",
		"ingress": "skipperIngress", "ingress of the AWS load balancer": "albIngress", "httpproxy": "httpProxy", "route": "custom", "trafficsplit": "custom",
	}
	unproven := []string{"tlsRoute", "tcpRoute", "albIngress", "httpProxy", "custom"}
	for name, text := range sharing75() {
		t.Run(name, func(t *testing.T) {
			kind, _, _ := strings.Cut(name, " ")
			for _, asked := range []string{"svc-blue", "svc-green"} {
				facts := aboutService(t, asked, text)
				facts.Release, facts.Origin = declared(release.Traffic{}), "bluegreen.yaml"
				report := Evaluate(facts)
				if report.Verdict != Served {
					t.Fatalf("%s: %s: %s\n%+v", asked, report.Verdict, report.Answer, report.Findings)
				}
				finding := report.Findings[0]
				want := Finding{Object: kind + "/shop", Namespace: "shop",
					Driver: &Driver{Field: fields[name], Traffic: finding.Driver.Traffic, Unproven: slices.Contains(unproven, fields[name])},
					Colors: &Colors{Standing: StandBoth, Split: "blue=75,green=25", Message: "both stand in it: blue=75,green=25"}}
				finding.Ways, finding.Notes = nil, nil
				if diff := cmp.Diff(want, finding); diff != "" {
					t.Errorf("%s: %s", asked, diff)
				}
				readsTheSame(t, finding.Driver.Traffic, facts.Objects[kind][0])
			}
		})
	}
}

// readsTheSame puts what is told to write into a document, and has the driver
// read the object by it.
func readsTheSame(t *testing.T, snippet string, object *unstructured.Unstructured) {
	t.Helper()
	loaded, err := release.Parse("bluegreen.yaml", []byte(`apiVersion: bluegreen.dev/v1alpha1
kind: Release
metadata: {name: shop, namespace: shop}
spec:
  colors:
    blue: {workloads: [deployment/shop-blue], selector: {version: blue}, service: svc-blue}
    green: {workloads: [deployment/shop-green], selector: {version: green}, service: svc-green}
`+indent(snippet)))
	if err != nil {
		t.Fatalf("what is told to write is no valid document: %v\n%s", err, snippet)
	}
	split, err := traffic.SplitOf(loaded.Release, object)
	if err != nil || split.String() != "blue=75,green=25" {
		t.Errorf("read %s, %v by\n%s", split, err, snippet)
	}
}

// indent puts a text one level deeper.
func indent(text string) string {
	lines := ""
	for line := range strings.Lines(text) {
		lines += "  " + line
	}
	return lines
}

// TestEveryKindClaimsItsHost: what each kind takes of a host, and what it leads
// to.
func TestEveryKindClaimsItsHost(t *testing.T) {
	matches := map[string]string{
		"httproute": "/api and below", "grpcroute": "exactly /shop.Cart/Add", "tlsroute": "every path", "virtualservice": "paths that begin with /api",
		"ingressroute": "paths that begin with /api", "ingressroutetcp": "every path", "routegroup": "/api and below", "ingress": "/api and below", "ingress of the AWS load balancer": "/api and below",
		"httpproxy": "/api and below", "route": "/api and below",
	}
	for name, match := range matches {
		t.Run(name, func(t *testing.T) {
			kind, _, _ := strings.Cut(name, " ")
			report := Evaluate(aboutHost(t, "shop.example.com", sharing75()[name]))
			ways := found(t, report, kind+"/shop").Ways
			if len(ways) != 1 {
				t.Fatalf("ways %+v", ways)
			}
			want := Way{Place: ways[0].Place, Hosts: []string{"shop.example.com"}, Match: match,
				Backends: []Backend{{To: "service/svc-blue", Weight: 75}, {To: "service/svc-green", Weight: 25}}}
			if diff := cmp.Diff(want, ways[0]); diff != "" {
				t.Error(diff)
			}
			if other := Evaluate(aboutHost(t, "other.example.com", sharing75()[name])); other.Verdict != Nothing || len(other.Findings) > 0 {
				t.Errorf("another host: %+v", other)
			}
		})
	}
}
