package detect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShadows: whose requests of shop.example.com another object takes, as
// OBJECT < BY: WHICH -> WHERE, and ? where that is not certain.
func TestShadows(t *testing.T) {
	ingressFor := func(name, host, path, service string) string {
		return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ` + name + `}
spec: {rules: [{host: "` + host + `", http: {paths: [{path: ` + path + `, pathType: Prefix, backend: {service: {name: ` + service + `}}}]}}]}
`
	}
	virtualServiceFor := func(name, path, service string) string {
		return `
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: ` + name + `}
spec: {hosts: [shop.example.com], http: [{match: [{uri: {prefix: ` + path + `}}], route: [{destination: {host: ` + service + `}}]}]}
`
	}
	ingressRouteFor := func(name, rule, priority, service string) string {
		return `
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: ` + name + `}
spec: {routes: [{match: "` + rule + `", priority: ` + priority + `, services: [{name: ` + service + `}]}]}
`
	}
	const host = "shop.example.com"
	aged := func(text, when string) string {
		return strings.Replace(text, "}\nspec", ", creationTimestamp: '"+when+"'}\nspec", 1)
	}
	header := strings.Replace(only("canary", host, "/", "svc-canary"), "value: /}", "value: /}, headers: [{name: X-Canary, value: always}]", 1)
	tests := map[string]struct {
		objects []string
		want    []string
	}{
		"a more exact path": {
			[]string{only("shop", host, "/", "svc-production"), only("api", host, "/api", "svc-api")},
			[]string{"httproute/shop < httproute/api: /api and below -> service/svc-api"},
		},
		"a header": {
			[]string{only("shop", host, "/", "svc-production"), header},
			[]string{"httproute/shop < httproute/canary: every path, header x-canary always -> service/svc-canary"},
		},
		"a name before a star, whatever the path": {
			[]string{only("any", "*.example.com", "/api", "svc-any"), only("shop", host, "/", "svc-production")},
			[]string{"httproute/any < httproute/shop: /api and below -> service/svc-production"},
		},
		"the older of two that are alike": {
			[]string{aged(only("a", host, "/", "svc-a"), "2026-02-01T00:00:00Z"), aged(only("b", host, "/", "svc-b"), "2026-01-01T00:00:00Z")},
			[]string{"httproute/a < httproute/b: every path -> service/svc-b"},
		},
		"it leads to the same": {
			[]string{only("shop", host, "/", "svc-production"), only("api", host, "/api", "svc-production")}, nil,
		},
		"its own rules": {
			[]string{strings.Replace(only("shop", host, "/", "svc-production"), "  rules:\n", "  rules:\n  - matches: [{path: {value: /api}}]\n    backendRefs: [{name: svc-api}]\n", 1)}, nil,
		},
		"another path":    {[]string{only("cart", host, "/cart", "svc-a"), only("api", host, "/api", "svc-b")}, nil},
		"another host":    {[]string{only("shop", host, "/", "svc-a"), only("other", "other.example.com", "/", "svc-b")}, nil},
		"one label alone": {[]string{only("shop", host, "/", "svc-a"), ingressFor("wild", "*.com", "/", "svc-b")}, nil},
		"between kinds": {
			[]string{only("shop", host, "/", "svc-production"), ingressFor("api", host, "/api", "svc-api")},
			[]string{"httproute/shop < ingress/api: /api and below -> service/svc-api ?"},
		},
		"Istio promises no order": {
			[]string{virtualServiceFor("a", "/", "svc-a"), virtualServiceFor("b", "/api", "svc-b")},
			[]string{"virtualservice/a < virtualservice/b: paths that begin with /api -> service/svc-b ?"},
		},
		"a canary of ingress-nginx": {
			[]string{ingressFor("shop", host, "/", "svc-production"), strings.Replace(ingressFor("canary", host, "/", "svc-canary"), "{name: canary}",
				`{name: canary, annotations: {nginx.ingress.kubernetes.io/canary: "true", nginx.ingress.kubernetes.io/canary-weight: "30", nginx.ingress.kubernetes.io/canary-by-header: x-try}}`, 1)},
			[]string{"ingress/shop < ingress/canary: every path, canary-weight 30, header x-try chooses it -> service/svc-canary"},
		},
		"Traefik's priority": {
			[]string{ingressRouteFor("low", "Host(`shop.example.com`) && PathPrefix(`/api`)", "5", "svc-a"), ingressRouteFor("high", "Host(`shop.example.com`)", "10", "svc-b")},
			[]string{"ingressroute/low < ingressroute/high: paths that begin with /api -> service/svc-b"},
		},
		"Traefik's length of a rule": {
			[]string{ingressRouteFor("short", "Host(`shop.example.com`)", "0", "svc-a"), ingressRouteFor("long", "Host(`shop.example.com`) && PathPrefix(`/api`)", "0", "svc-b")},
			[]string{"ingressroute/short < ingressroute/long: paths that begin with /api -> service/svc-b"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			report := Evaluate(aboutHost(t, host, strings.Join(test.objects, "\n---\n")))
			if diff := cmp.Diff(test.want, shadowsTold(report)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func shadowsTold(report *Report) []string {
	var told []string
	for _, one := range report.Shadows {
		text := one.Object + " < " + one.By + ": " + one.Taken + " -> " + strings.Join(one.To, " ")
		if !one.Certain {
			text += " ?"
		}
		told = append(told, text)
	}
	return told
}

// TestShadowsOfAService: what takes requests from the routes of a Service is
// named, though it doesn't lead there; what they take from others is not.
func TestShadowsOfAService(t *testing.T) {
	report := Evaluate(aboutService(t, "svc-production",
		only("shop", "*.example.com", "/cart", "svc-production")+"\n---\n"+only("special", "vip.example.com", "/cart/pay", "svc-pay")+"\n---\n"+only("rest", "*.example.com", "/", "svc-rest")))
	if diff := cmp.Diff([]string{"httproute/shop", "service/svc-production"}, objectsFound(report)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"httproute/shop < httproute/special: /cart/pay and below -> service/svc-pay"}, shadowsTold(report)); diff != "" {
		t.Error(diff)
	}
	if len(report.Shadows) == 1 && report.Shadows[0].Hosts != "vip.example.com" {
		t.Errorf("hosts %q", report.Shadows[0].Hosts)
	}
}

// TestPrecedence: those of a kind are told in the order in which they win, and
// what the kind promises is told beside them.
func TestPrecedence(t *testing.T) {
	report := Evaluate(aboutHost(t, "shop.example.com",
		only("a-star", "*.example.com", "/", "svc-a")+"\n---\n"+only("b-root", "shop.example.com", "/", "svc-b")+"\n---\n"+only("c-api", "shop.example.com", "/api", "svc-c")+"\n---\n"+only("d-none", "*", "/", "svc-d")))
	if diff := cmp.Diff([]string{"httproute/c-api", "httproute/b-root", "httproute/a-star", "httproute/d-none"}, objectsFound(report)); diff != "" {
		t.Error(diff)
	}
	if report.Precedence["httproute"] == "" || len(report.Precedence) != 1 {
		t.Errorf("precedence %v", report.Precedence)
	}
}

// TestRouteWithoutHosts takes those of its Gateway, which are not looked at.
func TestRouteWithoutHosts(t *testing.T) {
	report := Evaluate(aboutHost(t, "shop.example.com", strings.Replace(sharing75()["httproute"], "  hostnames: [shop.example.com]\n", "", 1)))
	route := found(t, report, "httproute/shop")
	if len(route.Ways[0].Hosts) > 0 || len(route.Notes) != 1 || !strings.HasPrefix(route.Notes[0], "it names no host") {
		t.Errorf("%+v", route)
	}
}
