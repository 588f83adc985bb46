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
			return andOther(text) + "  - parentRef: {name: other}\n    conditions: [{type: Accepted, status: \"False\", message: no such listener, observedGeneration: 3}]\n"
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

// andOther asks for a second Gateway.
func andOther(route string) string {
	return strings.Replace(route, "{name: public, namespace: gateway}", "{name: public, namespace: gateway}, {name: other}", 1)
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

// TestGatewayRefusesBeforeTheFirstRelease: that the idle colour has no Service yet
// excuses a backend that is not found, and nothing else.
func TestGatewayRefusesBeforeTheFirstRelease(t *testing.T) {
	const unresolved = "    - {type: ResolvedRefs, message: no svc-green, status: \"False\", observedGeneration: 3}\n"
	const accepted = "    - {type: Accepted, status: \"True\", observedGeneration: 3}\n"
	for name, c := range map[string]struct{ status, says string }{
		"a backend is not found":        {accepted + unresolved, ""},
		"it is not accepted":            {"    - {type: Accepted, message: no listener, status: \"False\", observedGeneration: 3}\n" + unresolved, "gateway public says Accepted=False: no listener"},
		"it is not accepted, said last": {unresolved + "    - {type: Accepted, message: no listener, status: \"False\", observedGeneration: 3}\n", "gateway public says Accepted=False: no listener"},
		"nothing is said of accepting":  {unresolved, "gateway public has not said Accepted"},
		"the gateway is behind":         {strings.ReplaceAll(accepted+unresolved, "observedGeneration: 3", "observedGeneration: 2"), "gateway public has seen generation 2 of it, not 3"},
		"backends are not known yet":    {accepted + strings.Replace(unresolved, "False", "Unknown", 1), "gateway public says ResolvedRefs=Unknown"},
		"another one has refused":       {accepted + unresolved + "  - parentRef: {name: other}\n    conditions: [{type: Accepted, status: \"False\", message: closed, observedGeneration: 3}]\n", "gateway other says Accepted=False: closed"},
		"no gateway":                    {"", "no Gateway has taken it"},
	} {
		t.Run(name, func(t *testing.T) {
			spec, _, _ := strings.Cut(routertest.HTTPRoute().Fresh, "\nstatus:")
			if strings.Contains(c.status, "{name: other}") {
				spec = andOther(spec)
			}
			if c.status != "" {
				spec += "\nstatus:\n  parents:\n  - parentRef: {name: public, namespace: gateway}\n    conditions:\n" + c.status
			}
			shop := openWeighted(t, routertest.HTTPRoute(), spec)
			if err := shop.client.Kubernetes.CoreV1().Services("shop").Delete(t.Context(), "svc-green", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			proof, err := shop.router.Prove(t.Context(), traffic.Whole("blue"))
			if err != nil || proof.Proven != (c.says == "") || !strings.Contains(proof.Message, c.says) {
				t.Errorf("proof %+v, %v, want %q", proof, err, c.says)
			}
		})
	}
}

// TestEveryParentHasTakenTheRoute: a parent that says nothing has not, whichever
// others have; defaults that stand in one place only make no other parent.
func TestEveryParentHasTakenTheRoute(t *testing.T) {
	const said = "    conditions: [{type: Accepted, status: \"True\", observedGeneration: 3}, {type: ResolvedRefs, status: \"True\", observedGeneration: 3}]\n"
	for name, c := range map[string]struct {
		asked    string
		answered []string
		says     string
	}{
		"one of two":              {"{name: public}, {name: internal}", []string{"{name: public}"}, "gateway internal has not taken it (status.parents has no entry for it)"},
		"both":                    {"{name: public}, {name: internal}", []string{"{name: internal}", "{name: public}"}, ""},
		"the same in full":        {"{name: public}", []string{"{group: gateway.networking.k8s.io, kind: Gateway, namespace: shop, name: public}"}, ""},
		"in short":                {"{group: gateway.networking.k8s.io, kind: Gateway, namespace: shop, name: public}", []string{"{name: public}"}, ""},
		"of another namespace":    {"{name: public}", []string{"{name: public, namespace: gateway}"}, "gateway public has not taken it"},
		"one of two listeners":    {"{name: public, sectionName: web}, {name: public, sectionName: secure}", []string{"{name: public, sectionName: web}"}, "gateway public section secure has not taken it"},
		"one of two ports":        {"{name: public, port: 80}, {name: public, port: 443}", []string{"{name: public, port: 80}"}, "gateway public port 443 has not taken it"},
		"a mesh":                  {`{group: "", kind: Service, name: svc-production}`, []string{`{group: "", kind: Service, name: svc-production}`}, ""},
		"a mesh and a Gateway":    {`{name: public}, {group: "", kind: Service, name: svc-production}`, []string{"{name: public}"}, "service svc-production has not taken it"},
		"a group of another kind": {`{group: "", kind: Service, name: public}`, []string{"{kind: Service, name: public}"}, "service public has not taken it"},
	} {
		for _, kind := range []routertest.Kind{routertest.HTTPRoute(), routertest.GRPCRoute(), routertest.TCPRoute(""), routertest.TLSRoute("")} {
			t.Run(name+"/"+kind.Resource.Resource, func(t *testing.T) {
				text, _, _ := strings.Cut(kind.Fresh, "\nstatus:")
				text = strings.Replace(text, "{name: public, namespace: gateway}", c.asked, 1) + "\nstatus:\n  parents:\n"
				for _, parent := range c.answered {
					text += "  - parentRef: " + parent + "\n" + said
				}
				proof, err := openWeighted(t, kind, text).router.Prove(t.Context(), traffic.Whole("blue"))
				if err != nil || proof.Proven != (c.says == "") || !strings.Contains(proof.Message, c.says) {
					t.Errorf("proof %+v, %v, want %q", proof, err, c.says)
				}
			})
		}
	}
}

// A proxy that has not taken the route is told beside the pods, which are looked at all
// the same; what it leaves open is told too.
func TestProofTellsProxyAndPodsApart(t *testing.T) {
	fresh := routertest.HTTPRoute().Fresh
	for name, c := range map[string]struct {
		text, says, remedy string
		gone               bool
	}{
		"the Gateway is behind":            {strings.ReplaceAll(fresh, "observedGeneration: 3", "observedGeneration: 1"), "but gateway public has seen generation 1 of it, not 3", "gateway public has to take the route as it stands: kubectl -n shop describe httproutes.gateway.networking.k8s.io shop tells what keeps it", false},
		"the Gateway is behind, and a pod": {strings.ReplaceAll(fresh, "observedGeneration: 3", "observedGeneration: 1"), "not 3; EndpointSlices hold 0/1 ready blue pods; missing: shop-blue", "gateway public has to take", true},
		"a pod":                            {fresh, "EndpointSlices hold 0/1 ready blue pods; missing: shop-blue", "", true},
		"no generation is told":            {strings.ReplaceAll(fresh, ", observedGeneration: 3", ""), "and nothing else; gateway public does not say which generation of the route it has taken", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			shop := openWeighted(t, routertest.HTTPRoute(), c.text)
			if c.gone {
				empty := colorSlice("blue")
				empty.Endpoints = nil
				if _, err := shop.client.Kubernetes.DiscoveryV1().EndpointSlices("shop").Update(t.Context(), empty, updateOptions()); err != nil {
					t.Fatal(err)
				}
			}
			proof, err := shop.router.Prove(t.Context(), traffic.Whole("blue"))
			if err != nil || !strings.Contains(proof.Message, c.says) || !strings.HasPrefix(proof.Remedy, c.remedy) || (proof.Remedy == "") != (c.remedy == "") {
				t.Errorf("proof %+v, %v", proof, err)
			}
			if !c.gone && len(proof.Ready) != 1 {
				t.Errorf("the pods are not told: %+v", proof)
			}
		})
	}
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

// TestParentsThatHaveTakenTheRoute: controllers spell the group, the listener and the
// port of a parent in their own ways, and leave entries behind.
func TestParentsThatHaveTakenTheRoute(t *testing.T) {
	const said = "    conditions: [{type: Accepted, status: \"True\", observedGeneration: 3}, {type: ResolvedRefs, status: \"True\", observedGeneration: 3}]\n"
	const linkerd = "    controllerName: linkerd.io/policy-controller\n    conditions: [{type: Accepted, status: \"True\"}, {type: ResolvedRefs, status: \"True\"}]\n"
	const old = "    controllerName: old.example/controller\n    conditions: [{type: Accepted, status: \"True\", observedGeneration: 1}, {type: ResolvedRefs, status: \"True\", observedGeneration: 1}]\n"
	for name, c := range map[string]struct{ asked, status string }{
		"linkerd, asked by the group of the API":                             {`{group: "", kind: Service, name: shop, port: 80}`, "  - parentRef: {group: core, kind: Service, namespace: shop, name: shop, port: 80}\n" + linkerd},
		"linkerd, asked as its manual does":                                  {`{group: core, kind: Service, name: shop, port: 80}`, "  - parentRef: {group: core, kind: Service, namespace: shop, name: shop, port: 80}\n" + linkerd},
		"an entry of a controller that is gone, of a parent nobody asks for": {`{name: public}`, "  - parentRef: {name: public}\n" + said + "  - parentRef: {name: former}\n" + old},
		"a second controller that has left its entry of the same parent":     {`{name: public}`, "  - parentRef: {name: public}\n" + said + "  - parentRef: {name: public}\n" + old},
		"a controller that leaves the port out":                              {`{name: public, port: 80}`, "  - parentRef: {name: public}\n" + said},
		"a controller that names each listener":                              {`{name: public}`, "  - parentRef: {name: public, sectionName: web}\n" + said + "  - parentRef: {name: public, sectionName: secure}\n" + said},
		"a controller that has not got to it, beside one that has":           {`{name: public}`, "  - parentRef: {name: public}\n" + old + "  - parentRef: {name: public}\n" + said},
	} {
		t.Run(name, func(t *testing.T) {
			kind := routertest.HTTPRoute()
			text, _, _ := strings.Cut(kind.Fresh, "\nstatus:")
			text = strings.Replace(text, "{name: public, namespace: gateway}", c.asked, 1) + "\nstatus:\n  parents:\n" + c.status
			proof, err := openWeighted(t, kind, text).router.Prove(t.Context(), traffic.Whole("blue"))
			if err != nil || !proof.Proven {
				t.Errorf("%v %s", err, proof.Message)
			}
		})
	}
}
