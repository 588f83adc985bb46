package preflight

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// healthySubsets is the healthy release behind a VirtualService with subsets.
func healthySubsets() *Facts {
	facts := healthyWeighted()
	facts.Release.Spec.Traffic = release.Traffic{VirtualService: &release.VirtualServiceRoute{Name: "shop", Host: "shop", Subsets: map[string]string{"blue": "v1", "green": "v2"}}}
	destination := func(subset string) any {
		return map[string]any{"destination": map[string]any{"host": "shop", "subset": subset}}
	}
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
		"a route that leads elsewhere": {func(f *Facts) { f.Route.Value.State.Live = &unstructured.Unstructured{} }, Skip, "the route can't be seen to lead to it"},
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

// TestDestinationRulesAreCollected: hosts are compared as they are meant, and
// nobody without subsets is asked for any rule.
func TestDestinationRulesAreCollected(t *testing.T) {
	in := inputs(t, "", "3", func(*fake.Clientset) {})
	if rules := destinationRules(t.Context(), in); rules.Known {
		t.Errorf("without subsets: %+v", rules)
	}
	in.Release.Spec.Traffic = release.Traffic{VirtualService: &release.VirtualServiceRoute{Name: "shop", Host: "shop", Subsets: map[string]string{"blue": "v1", "green": "v2"}}}
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
