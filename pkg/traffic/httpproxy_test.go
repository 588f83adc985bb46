package traffic_test

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestHTTPProxyReadsServices: what is a colour's part of the requests, and what
// is not.
func TestHTTPProxyReadsServices(t *testing.T) {
	const green = "    - {name: svc-green, port: 80, weight: 0}\n"
	for name, c := range map[string]struct{ change, with, says, split string }{
		"one without a weight gets nothing":        {", weight: 0}", "}", "", "blue=100"},
		"none has a weight":                        {", weight: 1}\n" + green, "}\n    - {name: svc-green, port: 80}\n", "", "blue=50,green=50"},
		"a mirror gets copies":                     {green, green + "    - {name: svc-green, port: 80, weight: 10, mirror: true}\n", "", "blue=100"},
		"a mirror's weight is no share of anybody": {", weight: 1}\n" + green, "}\n    - {name: svc-green, port: 80}\n    - {name: copies, port: 80, weight: 10, mirror: true}\n", "", "blue=50,green=50"},
		"a mirror alone is no backend":             {green, "    - {name: svc-green, port: 80, mirror: true}\n", "spec.routes[0] has no backend for green", ""},
		"a header leads to green alone":            {green, green + "  - conditions: [{prefix: /}, {header: {name: x-color, exact: green}}]\n    services: [{name: svc-green, port: 80}]\n", "", "blue=100"},
		"a parameter leads to green alone":         {green, green + "  - conditions: [{queryParameter: {name: color, exact: green}}]\n    services: [{name: svc-green, port: 80}]\n", "", "blue=100"},
		"who has no header, to green alone":        {green, green + "  - conditions: [{header: {name: x-color, notpresent: true}}]\n    services: [{name: svc-green, port: 80}]\n", "spec.routes[1] has no backend for blue", ""},
		"a path leads to blue alone, for good":     {green, green + "  - conditions: [{prefix: /old}]\n    services: [{name: svc-blue, port: 80}]\n", "spec.routes[1] has no backend for green", ""},
		"TCP leads to blue alone, for good":        {green, green + "  tcpproxy:\n    services: [{name: svc-blue, port: 80}]\n", "spec.tcpproxy has no backend for green", ""},
		"TCP shares in other parts":                {green, green + "  tcpproxy:\n    services: [{name: svc-blue, port: 80}, {name: svc-green, port: 80}]\n", "spec.routes[0] is blue=100 and spec.tcpproxy is blue=50,green=50", ""},
		"a weight that is no number":               {"weight: 0}", "weight: many}", "spec.routes[0], services[1]: read weight: many is not a number", ""},
	} {
		t.Run(name, func(t *testing.T) {
			fresh := routertest.HTTPProxy().Fresh
			text := strings.Replace(fresh, c.change, c.with, 1)
			if text == fresh {
				t.Fatalf("%q is not there", c.change)
			}
			wantSplitOf(t, routertest.HTTPProxy(), text, c.split, c.says)
		})
	}
}

// TestHTTPProxyProof: the weights alone prove nothing.
func TestHTTPProxyProof(t *testing.T) {
	for name, c := range map[string]struct{ change, with, says string }{
		"as it should be":   {"", "", ""},
		"Contour is behind": {"generation: 3}", "generation: 4}", "Contour has seen generation 3 of it, not 4"},
		"it is invalid": {`currentStatus: valid
  conditions: [{type: Valid, status: "True"`, `currentStatus: invalid
  description: Spec.Routes unresolved service reference
  conditions: [{type: Valid, status: "False"`, "Contour says Valid=False: Spec.Routes unresolved service reference"},
		"nobody serves it": {"type: Valid", "type: Other", "Contour has not taken it"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(routertest.HTTPProxy().Fresh, c.change, c.with, 1)
			proof, err := openWeighted(t, routertest.HTTPProxy(), text).router.Prove(context.Background(), traffic.Whole("blue"))
			if err != nil || proof.Proven != (c.says == "") || !strings.Contains(proof.Message, c.says) {
				t.Errorf("proof %+v, %v, want %q", proof, err, c.says)
			}
		})
	}
}

// TestHTTPProxyBeforeTheFirstRelease: that the idle colour has no Service yet
// excuses a service of a route that Contour does not find, and nothing else.
func TestHTTPProxyBeforeTheFirstRelease(t *testing.T) {
	const unresolved, route = "{type: ServiceError, reason: ServiceUnresolvedReference}", "{type: RouteError, reason: HeaderDuplicate}"
	for name, c := range map[string]struct {
		seen, errors string
		proven       bool
	}{
		"a service is not found": {"3", unresolved, true},
		"and something else":     {"3", unresolved + ", " + route, false},
		"something else":         {"3", route, false},
		"one of the TCP proxy":   {"3", "{type: TCPProxyError, reason: ServiceUnresolvedReference}", false},
		"for no reason":          {"3", "", false},
		"as it stood before":     {"2", unresolved, false},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(routertest.HTTPProxy().Fresh, `status: "True", observedGeneration: 3`, `status: "False", observedGeneration: `+c.seen+`, errors: [`+c.errors+`]`, 1)
			shop := openWeighted(t, routertest.HTTPProxy(), text)
			for _, there := range []bool{true, false} {
				if proof, err := shop.router.Prove(t.Context(), traffic.Whole("blue")); err != nil || proof.Proven != (c.proven && !there) {
					t.Errorf("with the Service %v: proof %+v, %v", there, proof, err)
				}
				if there {
					if err := shop.client.Kubernetes.CoreV1().Services("shop").Delete(t.Context(), "svc-green", metav1.DeleteOptions{}); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

func TestHTTPProxyAffinityIsSeen(t *testing.T) {
	by := func(strategy string) string {
		return strings.Replace(routertest.HTTPProxy().Fresh, "    services:\n", "    loadBalancerPolicy: {strategy: "+strategy+"}\n    services:\n", 1)
	}
	for text, want := range map[string]string{
		routertest.HTTPProxy().Fresh: "", by("Random"): "",
		by("Cookie"): "Cookie (spec.routes[0].loadBalancerPolicy)", by("RequestHash"): "RequestHash (spec.routes[0].loadBalancerPolicy)",
	} {
		if got := mustRead(t, openWeighted(t, routertest.HTTPProxy(), text).router).Affinity; got != want {
			t.Errorf("affinity %q, want %q", got, want)
		}
	}
}
