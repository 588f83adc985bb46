package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// healthySubsets is the healthy release behind a VirtualService with subsets.
func healthySubsets() *Facts {
	facts := healthyWeighted()
	facts.Release.Spec.Traffic = release.Traffic{VirtualService: &release.VirtualServiceRoute{Name: "shop", Host: "shop", Subsets: map[string]string{"blue": "v1", "green": "v2"}}}
	destination := func(subset string) any {
		return map[string]any{"destination": map[string]any{"host": "shop", "subset": subset}}
	}
	facts.Route.Value.State.Object = "virtualservice/shop"
	facts.Route.Value.State.Live = &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"http": []any{map[string]any{"route": []any{destination("v1"), destination("v2")}}}}}}
	facts.DestinationRules = known([]DestinationRule{{Name: "shop", Host: "shop.shop", Subsets: map[string]map[string]string{
		"v1": {"version": "blue"}, "v2": {"version": "green"}}}})
	return facts
}

// TestSubsets: a subset is judged by the pods that it would select.
func TestSubsets(t *testing.T) {
	for name, test := range map[string]struct {
		plant   func(*Facts)
		outcome Outcome
		says    string
	}{
		"as they should be": {func(*Facts) {}, Pass, "destinationrule/shop selects the pods of green by it and no others"},
		"the other colour's labels": {func(f *Facts) { f.DestinationRules.Value[0].Subsets["v2"] = map[string]string{"version": "blue"} }, Fail,
			`selects "version=blue" by it, and the pods of deployment/shop-blue, which is blue, are among those`},
		"labels of nobody": {func(f *Facts) { f.DestinationRules.Value[0].Subsets["v2"] = map[string]string{"version": "v2"} }, Fail,
			`selects "version=v2" by it, and the pods of deployment/shop-green are not those`},
		"no labels": {func(f *Facts) { f.DestinationRules.Value[0].Subsets["v2"] = nil }, Fail, "which is blue, are among those"},
		"no such subset": {func(f *Facts) { delete(f.DestinationRules.Value[0].Subsets, "v2") }, Fail,
			"destinationrule/shop is for host shop.shop and has no such subset"},
		"in a second rule for the host": {func(f *Facts) {
			f.DestinationRules.Value = append(f.DestinationRules.Value, DestinationRule{Name: "more", Host: "shop.shop", Subsets: map[string]map[string]string{"v2": f.DestinationRules.Value[0].Subsets["v2"]}})
			delete(f.DestinationRules.Value[0].Subsets, "v2")
		}, Pass, "destinationrule/more selects the pods of green"},
		"a rule for another host": {func(f *Facts) { f.DestinationRules.Value[0].Host = "other.shop" }, Warn,
			"no DestinationRule in namespace shop is for host shop.shop"},
		"rules that could not be read": {func(f *Facts) { f.DestinationRules = Fact[[]DestinationRule]{Problem: "no right"} }, Unknown, "no right"},
	} {
		t.Run(name, func(t *testing.T) {
			facts := healthySubsets()
			test.plant(facts)
			for _, finding := range findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-03") {
				if finding.Outcome == test.outcome && strings.Contains(finding.Cause, test.says) {
					if test.outcome == Fail && (!finding.Blocks || !strings.Contains(finding.Remedy, "version=green")) {
						t.Errorf("blocks: %t, remedy %q", finding.Blocks, finding.Remedy)
					}
					return
				}
			}
			t.Errorf("none is %s with %q: %+v", test.outcome, test.says, findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-COL-03"))
		})
	}
}

// healthySubsetsInASet is the same release with a second route, before or after the
// VirtualService.
func healthySubsetsInASet(first bool) *Facts {
	facts := healthySubsets()
	declared, state := &facts.Release.Spec.Traffic, &facts.Route.Value.State
	routes := []traffic.Route{*state, {Object: "httproute/shop", Live: &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}}}
	if subsets := declared.VirtualService; first {
		declared.Also = []release.AlsoRoute{{HTTPRoute: &release.NamedRoute{Name: "shop"}}}
	} else {
		*declared = release.Traffic{HTTPRoute: &release.NamedRoute{Name: "shop"}, Also: []release.AlsoRoute{{VirtualService: subsets}}}
		slices.Reverse(routes)
	}
	*state = traffic.Route{Object: routes[0].Object + " + " + routes[1].Object, Split: state.Split, Members: routes}
	return facts
}

// TestSubsetsInASet: the subsets are judged wherever in a set their route stands, and
// of facts that were saved.
func TestSubsetsInASet(t *testing.T) {
	for _, first := range []bool{true, false} {
		facts := healthySubsetsInASet(first)
		if report := Evaluate(facts, Catalogue(), StageDeploy); slices.Contains(report.Blocking, "BG-COL-03") {
			t.Errorf("first: %t, as they should be: %+v", first, findingsOf(report, "BG-COL-03"))
		}
		facts.DestinationRules.Value[0].Subsets["v2"] = map[string]string{"version": "blue"}
		report := Evaluate(facts, Catalogue(), StageDeploy)
		at := slices.IndexFunc(findingsOf(report, "BG-COL-03"), func(f Finding) bool { return f.Subject == "subset v2 of virtualservice/shop" })
		if at < 0 || findingsOf(report, "BG-COL-03")[at].Outcome != Fail || !slices.Contains(report.Blocking, "BG-COL-03") {
			t.Errorf("first: %t, the other colour's labels: %+v", first, findingsOf(report, "BG-COL-03"))
		}
		assertReplayed(t, facts)
		if diff := cmp.Diff([]string{"shop.shop"}, hostsOf(facts, destinations{}).production); diff != "" {
			t.Errorf("first: %t, hosts of the mesh: %s", first, diff)
		}
	}
}

// TestEachSubsetsAreItsRoutes: routes of a set may name their subsets as they like.
func TestEachSubsetsAreItsRoutes(t *testing.T) {
	facts := healthySubsets()
	inside := facts.Route.Value.State
	inside.Object = "virtualservice/inside"
	inside.Live = &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"http": []any{map[string]any{"route": []any{
		map[string]any{"destination": map[string]any{"host": "inside", "subset": "v1"}}, map[string]any{"destination": map[string]any{"host": "inside", "subset": "v2"}}}}}}}}
	facts.Release.Spec.Traffic.Also = []release.AlsoRoute{{VirtualService: &release.VirtualServiceRoute{Name: "inside", Host: "inside", Subsets: map[string]string{"blue": "v2", "green": "v1"}}}}
	facts.Route.Value.State = traffic.Route{Members: []traffic.Route{facts.Route.Value.State, inside}}
	facts.DestinationRules.Value = append(facts.DestinationRules.Value, DestinationRule{Name: "inside", Host: "inside.shop",
		Subsets: map[string]map[string]string{"v1": {"version": "green"}, "v2": {"version": "blue"}}})
	passed := 0
	for _, finding := range subsetsApart(facts) {
		if finding.Outcome != Pass {
			t.Errorf("%+v", finding)
		}
		passed++
	}
	if passed != 4 {
		t.Errorf("%d subsets are judged, want 4", passed)
	}
}

// TestASetIsReadWithItsSubsets: a VirtualService that is a route of a set is seen in a
// cluster, whichever it is, and what is said of the host that it alone leads to.
func TestASetIsReadWithItsSubsets(t *testing.T) {
	rules := schema.GroupVersion{Group: "networking.istio.io", Version: "v1beta1"}
	kinds := []routertest.Kind{routertest.VirtualService(true), routertest.HTTPRoute()}
	for name, also := range map[string]release.AlsoRoute{
		"first":    {HTTPRoute: &release.NamedRoute{Name: routertest.Name}},
		"the last": {VirtualService: &release.VirtualServiceRoute{Name: routertest.Name, Host: "shop", Subsets: map[string]string{"blue": "blue", "green": "green"}}},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, "", "3", func(client *fake.Clientset) {
				client.Resources = append(client.Resources, &metav1.APIResourceList{GroupVersion: rules.String(), APIResources: []metav1.APIResource{{Name: layerDestinationRules}}})
			})
			clustertest.Dynamic(in.Client, routertest.Object(t, kinds[0].Fresh), routertest.Object(t, kinds[1].Fresh), routertest.Object(t, `
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: shop, namespace: shop}
spec:
  host: shop
  trafficPolicy: {loadBalancer: {consistentHash: {useSourceIp: true}}}
  subsets: [{name: blue, labels: {version: blue}}, {name: green, labels: {version: blue}}]
`))
			spec := &in.Release.Spec.Traffic
			spec.Service, spec.Also = nil, []release.AlsoRoute{also}
			if also.HTTPRoute != nil {
				kinds[0].Declare(spec)
			} else {
				kinds[1].Declare(spec)
			}
			report := Evaluate(Collect(t.Context(), in), Catalogue(), StageDeploy)
			for id, subject := range map[string]string{"BG-COL-03": "subset green of virtualservice/shop", "BG-NET-01": "destinationrule/shop"} {
				if !slices.ContainsFunc(findingsOf(report, id), func(f Finding) bool { return f.Subject == subject && f.Outcome == Fail }) {
					t.Errorf("%s does not fail of %s: %+v", id, subject, findingsOf(report, id))
				}
			}
		})
	}
}

// TestDestinationRulesAreCollected: hosts are compared as they are meant, and
// nobody without subsets is asked for any rule.
func TestDestinationRulesAreCollected(t *testing.T) {
	in := inputs(t, "", "3", func(*fake.Clientset) {})
	if rules := destinationRules(t.Context(), in); rules.Known {
		t.Errorf("without subsets: %+v", rules)
	}
	in.Release.Spec.Traffic.Also = []release.AlsoRoute{{VirtualService: &release.VirtualServiceRoute{Name: "shop", Host: "shop", Subsets: map[string]string{"blue": "v1", "green": "v2"}}}}
	var objects []runtime.Object
	for name, host := range map[string]string{"short": "shop", "full": "shop.shop.svc.cluster.local", "outside": "shop.example.com"} {
		objects = append(objects, &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "networking.istio.io/v1beta1", "kind": "DestinationRule", "metadata": map[string]any{"name": name, "namespace": "shop"},
			"spec": map[string]any{"host": host, "subsets": []any{map[string]any{"name": "v1", "labels": map[string]any{"version": "blue"}}}}}})
	}
	in.Client.Dynamic = dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		{Group: "networking.istio.io", Version: "v1beta1", Resource: "destinationrules"}: "DestinationRuleList"}, objects...)
	rules := destinationRules(t.Context(), in)
	hosts := map[string]string{}
	for _, rule := range rules.Value {
		hosts[rule.Name] = rule.Host
		if diff := cmp.Diff(map[string]map[string]string{"v1": {"version": "blue"}}, rule.Subsets); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"short": "shop.shop", "full": "shop.shop", "outside": "shop.example.com"}, hosts); diff != "" {
		t.Errorf("%s %s", rules.Problem, diff)
	}
}
