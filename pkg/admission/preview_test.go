package admission

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestAPreviewPasses: the rules of a preview change no split, so they may come and
// go; a weight beside them may not be moved by hand.
func TestAPreviewPasses(t *testing.T) {
	for name, kind := range map[string]routertest.Kind{"httpRoute": routertest.HTTPRoute(), "grpcRoute": routertest.GRPCRoute()} {
		t.Run(name, func(t *testing.T) {
			client, _ := clustertest.New()
			clustertest.Dynamic(client, routertest.Object(t, kind.Fresh))
			router, err := kind.Router(client)
			if err != nil {
				t.Fatal(err)
			}
			evaluator := evaluatorOf(t, routertest.Release(kind.Declare))
			objects := client.Dynamic.Resource(kind.Resource).Namespace(routertest.Namespace)
			read := func() *unstructured.Unstructured {
				object, err := objects.Get(t.Context(), routertest.Name, metav1.GetOptions{})
				if err != nil {
					t.Fatal(err)
				}
				return object
			}
			fence := cluster.Fence{Epoch: 1, Holder: "ana"}
			preview := &traffic.Preview{Color: "green", Match: release.Match{Header: &release.NamedValue{Name: "X-Version", Value: "next"}}}
			move := func(what string, as func(traffic.Route) traffic.Route, to traffic.Split) {
				t.Helper()
				before := read()
				route, err := router.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				patch, err := router.Plan(as(route), to, fence)
				if err == nil {
					_, err = router.Write(t.Context(), patch, false)
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := evaluator.judgeContents(before.Object, read().Object, update{user: "ana"}); got.refused != nil {
					t.Errorf("%s is refused: %q", what, got.messages)
				}
			}
			as := func(route traffic.Route) traffic.Route { return route }
			given := func(route traffic.Route) traffic.Route { return route.Previewing(preview) }
			move("the preview", given, traffic.Whole("blue"))
			move("a stamp beside it", as, traffic.Whole("blue"))
			before := read()
			routertest.Edit(t, objects, func(object map[string]any) {
				rules, _, _ := unstructured.NestedSlice(object, "spec", "rules")
				for at, weight := range []int64{0, 1} {
					rules[1].(map[string]any)["backendRefs"].([]any)[at].(map[string]any)["weight"] = weight
				}
				_ = unstructured.SetNestedSlice(object, rules, "spec", "rules")
			})
			if got := evaluator.judgeContents(before.Object, read().Object, update{user: "bob"}); len(got.refused) != 1 || got.refused[0] != splitRule {
				t.Errorf("a weight that is moved by hand: %+v", got)
			}
			if _, err := objects.Update(t.Context(), reversioned(before, read()), metav1.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			move("half of everything, without it", as, traffic.Between("green", "blue", 50))
			move("the way back", traffic.Route.Back, traffic.Whole("blue"))
			move("the preview again", given, traffic.Whole("blue"))
			move("its way back", traffic.Route.Back, traffic.Whole("blue"))
		})
	}
}

// reversioned is an object in place of another version of it.
func reversioned(object, now *unstructured.Unstructured) *unstructured.Unstructured {
	object = object.DeepCopy()
	object.SetResourceVersion(now.GetResourceVersion())
	return object
}
