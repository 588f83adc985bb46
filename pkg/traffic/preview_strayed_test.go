package traffic_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// A rule that was made for a preview, and that somebody has changed so that it can't
// be told to be one, still leads requests to the colour: nothing is proven while it is
// there, and the mark by which that is known stays.
func TestPreviewThatSomebodyChanged(t *testing.T) {
	header := func(rule map[string]any) map[string]any {
		return rule["matches"].([]any)[0].(map[string]any)["headers"].([]any)[0].(map[string]any)
	}
	for name, c := range map[string]struct {
		edit func(rules []any) []any
		// stays is how many rules there are after the way back.
		stays int
		says  string
	}{
		"nothing":             {func(rules []any) []any { return rules }, 2, ""},
		"somebody removed it": {func(rules []any) []any { return append(rules[1:2:2], rules[3]) }, 2, ""},
		"another value":       {func(rules []any) []any { header(rules[0].(map[string]any))["value"] = "other"; return rules }, 3, "spec.rules[0]"},
		"anybody with the header": {func(rules []any) []any {
			header(rules[2].(map[string]any))["type"], header(rules[2].(map[string]any))["value"] = "RegularExpression", ".*"
			return rules
		}, 3, "spec.rules[1]"},
		"a backend beside": {func(rules []any) []any {
			rule := rules[0].(map[string]any)
			rule["backendRefs"] = append(rule["backendRefs"].([]any), map[string]any{"group": "", "kind": "Service", "name": "other", "port": int64(80), "weight": int64(0)})
			return rules
		}, 3, "spec.rules[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			kind := routertest.HTTPRoute()
			shop := openWeighted(t, kind, kind.Fresh)
			rules := func(change func(rules []any) []any) (found []any) {
				shop.edit(t, func(object map[string]any) {
					found, _, _ = unstructured.NestedSlice(object, "spec", "rules")
					found = change(found)
					_ = unstructured.SetNestedSlice(object, found, "spec", "rules")
				})
				return found
			}
			write := func(route traffic.Route) {
				patch, err := shop.router.Plan(route, traffic.Whole("blue"), cluster.Fence{Epoch: 2, Holder: "ann"})
				if err == nil {
					_, err = shop.router.Write(t.Context(), patch, false)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			rules(func(rules []any) []any {
				second := (&unstructured.Unstructured{Object: rules[0].(map[string]any)}).DeepCopy().Object
				second["matches"] = []any{map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/api"}}}
				return append(rules, second)
			})
			write(mustRead(t, shop.router).Previewing(byHeader()))
			rules(c.edit)
			write(mustRead(t, shop.router).Back())

			route := mustRead(t, shop.router)
			if left := rules(func(rules []any) []any { return rules }); len(left) != c.stays || route.Preview != nil {
				t.Errorf("%d rules are left, want %d, and %v: %v", len(left), c.stays, route.Preview, left)
			}
			proof, err := shop.router.Prove(t.Context(), traffic.Whole("blue"))
			if err != nil || proof.Proven != (c.says == "") || !strings.Contains(proof.Message, c.says) {
				t.Errorf("proof %+v, %v, want %q", proof, err, c.says)
			}
			_, marked := route.Live.(*unstructured.Unstructured).GetAnnotations()[cluster.AnnotationPreview]
			if marked != (c.says != "") {
				t.Errorf("the mark stands: %v", marked)
			}
			if _, err := shop.router.Plan(route.Previewing(byHeader()), traffic.Whole("blue"), cluster.Fence{Epoch: 3, Holder: "ann"}); (err == nil) != (c.says == "") {
				t.Errorf("another preview: %v", err)
			}
		})
	}
}
