package traffic_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

func TestHTTPRoutePlanLiterally(t *testing.T) {
	shop := openWeighted(t, routertest.HTTPRoute(), routertest.HTTPRoute().Fresh)
	route := mustRead(t, shop.router)
	patch, err := shop.router.Plan(route, traffic.Between("green", "blue", 50), cluster.Fence{Epoch: 2, Holder: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"op":"test","path":"/metadata/resourceVersion","value":"1"},{"op":"add","path":"/metadata/annotations","value":{}},` +
		`{"op":"add","path":"/spec/rules/0/backendRefs/1/weight","value":1},{"op":"add","path":"/metadata/annotations/bluegreen.dev~1scale","value":"2"},` +
		`{"op":"add","path":"/metadata/annotations/bluegreen.dev~1previous","value":"blue=100"},{"op":"add","path":"/metadata/annotations/bluegreen.dev~1switched","value":"1"},` +
		`{"op":"add","path":"/metadata/annotations/bluegreen.dev~1origin","value":"blue"},{"op":"add","path":"/metadata/annotations/bluegreen.dev~1epoch","value":"2"},{"op":"add","path":"/metadata/annotations/bluegreen.dev~1holder","value":"ann"}]`
	if diff := cmp.Diff(want, string(patch.Body)); diff != "" {
		t.Error(diff)
	}
	want = `kubectl -n shop patch httproutes.gateway.networking.k8s.io shop --type json -p ` +
		`'[{"op":"test","path":"/spec/rules/0/backendRefs/0/name","value":"svc-blue"},{"op":"test","path":"/spec/rules/0/backendRefs/1/name","value":"svc-green"},` +
		`{"op":"add","path":"/spec/rules/0/backendRefs/0/weight","value":0},{"op":"add","path":"/spec/rules/0/backendRefs/1/weight","value":1}]'`
	if diff := cmp.Diff(want, shop.router.Undo(route, "green")); diff != "" {
		t.Error(diff)
	}
}

// TestHTTPRouteProof: the weights alone prove nothing.
func TestHTTPRouteProof(t *testing.T) {
	for name, c := range map[string]struct {
		change func(text string) string
		says   string
		proven bool
	}{
		"as it should be":       {func(text string) string { return text }, "EndpointSlices hold 1/1 ready blue pods and nothing else", true},
		"no gateway":            {func(text string) string { return strings.ReplaceAll(text, routertest.Accepted, "") }, "no Gateway has taken it", false},
		"the gateway is behind": {func(text string) string { return strings.ReplaceAll(text, "generation: 3", "generation: 4") }, "gateway public has seen generation 3 of it, not 4", false},
		"a backend is not resolved": {func(text string) string {
			return strings.ReplaceAll(text, `{type: ResolvedRefs, status: "True"`, `{type: ResolvedRefs, message: no port, status: "False"`)
		}, "says ResolvedRefs=False: no port", false},
		"it says only half": {func(text string) string { return strings.ReplaceAll(text, "type: ResolvedRefs", "type: Programmed") }, "has not said ResolvedRefs", false},
		"one of two has refused": {func(text string) string {
			return text + "  - parentRef: {name: other}\n    conditions: [{type: Accepted, status: \"False\", message: no such listener, observedGeneration: 3}]\n"
		}, "gateway other says Accepted=False: no such listener", false},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openWeighted(t, routertest.HTTPRoute(), c.change(routertest.HTTPRoute().Fresh))
			proof, err := shop.router.Prove(context.Background(), traffic.Whole("blue"))
			if err != nil || proof.Proven != c.proven || !strings.Contains(proof.Message, c.says) || proof.Time.IsZero() {
				t.Errorf("proof %+v, %v, want %q", proof, err, c.says)
			}
			if proof, err := shop.router.Prove(context.Background(), traffic.Between("green", "blue", 50)); err != nil || proof.Proven {
				t.Errorf("another split: %+v, %v", proof, err)
			}
		})
	}
}

// TestHTTPRouteBeforeTheFirstRelease: the idle colour has no Service yet, which
// its gateway complains of, and whoever has everything keeps it. A part for
// nobody is not proven by that.
func TestHTTPRouteBeforeTheFirstRelease(t *testing.T) {
	complains := strings.ReplaceAll(routertest.HTTPRoute().Fresh, `{type: ResolvedRefs, status: "True"`, `{type: ResolvedRefs, message: no svc-green, status: "False"`)
	shop := openWeighted(t, routertest.HTTPRoute(), complains)
	prove := func(split traffic.Split, want bool) {
		t.Helper()
		if proof, err := shop.router.Prove(context.Background(), split); err != nil || proof.Proven != want {
			t.Errorf("proof of %s: %+v, %v, want %v", split, proof, err, want)
		}
	}
	prove(traffic.Whole("blue"), false)
	if err := shop.client.Kubernetes.CoreV1().Services("shop").Delete(context.Background(), "svc-green", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	prove(traffic.Whole("blue"), true)
	shop.edit(t, func(object map[string]any) { shop.Set(object, "svc-green", 1) })
	prove(traffic.Between("green", "blue", 50), false)
}

// TestHTTPRouteProvesBothColors: while colours share, both are looked at.
func TestHTTPRouteProvesBothColors(t *testing.T) {
	shop := openWeighted(t, routertest.HTTPRoute(), strings.ReplaceAll(routertest.HTTPRoute().Fresh, "weight: 0", "weight: 1"))
	half := traffic.Between("green", "blue", 50)
	proof, err := shop.router.Prove(context.Background(), half)
	if err != nil || !proof.Proven || len(proof.Ready) != 2 {
		t.Errorf("proof %+v, %v", proof, err)
	}
	stray := colorSlice("green")
	stray.Endpoints[0].TargetRef.Name, stray.Endpoints[0].TargetRef.UID = "shop-blue", "pod-blue"
	if _, err := shop.client.Kubernetes.DiscoveryV1().EndpointSlices("shop").Update(context.Background(), stray, updateOptions()); err != nil {
		t.Fatal(err)
	}
	proof, err = shop.router.Prove(context.Background(), half)
	if err != nil || proof.Proven || !strings.Contains(proof.Message, "not theirs: shop-blue") {
		t.Errorf("proof %+v, %v", proof, err)
	}
}

func TestHTTPRouteAffinityIsSeen(t *testing.T) {
	sticky := strings.ReplaceAll(routertest.HTTPRoute().Fresh, "  - backendRefs:", "  - name: all\n    sessionPersistence: {sessionName: shop}\n    backendRefs:")
	if got, want := mustRead(t, openWeighted(t, routertest.HTTPRoute(), sticky).router).Affinity, `Cookie (sessionPersistence of rule "all")`; got != want {
		t.Errorf("affinity %q, want %q", got, want)
	}
	if got := mustRead(t, openWeighted(t, routertest.HTTPRoute(), routertest.HTTPRoute().Fresh).router).Affinity; got != "" {
		t.Errorf("affinity %q of a route without", got)
	}
}

// TestHTTPRouteReadsBackends: what is a colour's backend, and what is not.
func TestHTTPRouteReadsBackends(t *testing.T) {
	green := `    - {group: "", kind: Service, name: svc-green, port: 80, weight: 0}`
	for name, c := range map[string]struct{ change, with, says, split string }{
		"a weight that is left out is 1":       {", weight: 0}", "}", "", "blue=50,green=50"},
		"a Service of another namespace":       {green, `    - {name: svc-green, namespace: other, port: 80}`, "has no backend for green", ""},
		"the route's own namespace by name":    {green, `    - {name: svc-green, namespace: shop, port: 80, weight: 0}`, "", "blue=100"},
		"a backend that is no Service":         {green, `    - {name: svc-green, group: example.com, kind: Bucket}`, "has no backend for green", ""},
		"a weight that is no number":           {"weight: 0}", `weight: many}`, `spec.rules[0], backendRefs[1]: read weight: many is not a number`, ""},
		"a header leads to green alone":        {green, green + "\n  - matches: [{headers: [{name: x-color, value: green}]}]\n    backendRefs: [{name: svc-green, port: 80}]", "", "blue=100"},
		"a path leads to blue alone, for good": {green, green + "\n  - name: old\n    matches: [{path: {value: /old}}]\n    backendRefs: [{name: svc-blue, port: 80}]", `rule "old" has no backend for green`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(routertest.HTTPRoute().Fresh, c.change, c.with, 1)
			if text == routertest.HTTPRoute().Fresh {
				t.Fatalf("%q is not there", c.change)
			}
			route, err := openWeighted(t, routertest.HTTPRoute(), text).router.Read(context.Background())
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "read httproute/shop in shop: ") {
					t.Errorf("err = %v, want %q", err, c.says)
				}
				return
			}
			if err != nil || route.Split.String() != c.split {
				t.Errorf("split %s, %v, want %s", route.Split, err, c.split)
			}
		})
	}
}

// TestColorsNeedServices: a route with weights has nothing else to go by.
func TestColorsNeedServices(t *testing.T) {
	rel := routertest.Release(routertest.HTTPRoute().Declare)
	green := rel.Spec.Colors["green"]
	green.Service = ""
	rel.Spec.Colors["green"] = green
	_, err := traffic.NewRouter(&cluster.Client{}, rel, nil)
	if err == nil || !strings.Contains(err.Error(), "green has no Service") || release.HintOf(err) != "set spec.colors.green.service" {
		t.Errorf("err = %v, hint %q", err, release.HintOf(err))
	}
}
