package traffic_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestAPreviewOfASetIsCompensated: where a later route refuses, the first has what
// it had, a preview among it.
func TestAPreviewOfASetIsCompensated(t *testing.T) {
	blue, fence := traffic.Whole("blue"), cluster.Fence{Epoch: 2, Holder: "ann"}
	for name, test := range map[string]struct {
		before *traffic.Preview
		wants  func(traffic.Route) traffic.Route
		to     traffic.Split
	}{
		"given":                   {nil, func(route traffic.Route) traffic.Route { return route.Previewing(byHeader()) }, blue},
		"left for half of all":    {byHeader(), func(route traffic.Route) traffic.Route { return route }, traffic.Between("green", "blue", 50)},
		"taken away beside blue":  {byHeader(), func(route traffic.Route) traffic.Route { return route.Previewing(nil) }, blue},
		"half of all without one": {nil, func(route traffic.Route) traffic.Route { return route }, traffic.Between("green", "blue", 50)},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := clustertest.New(colorService("blue"), colorService("green"), colorPod("blue"), colorPod("green"))
			objects := clustertest.Dynamic(client, routertest.Object(t, routertest.HTTPRoute().Fresh), routertest.Object(t, routertest.VirtualService(false).Fresh))
			rel := routertest.Release(routertest.HTTPRoute().Declare)
			rel.Spec.Traffic.Also = []release.AlsoRoute{{VirtualService: &release.VirtualServiceRoute{Name: routertest.Name}}}
			router, err := traffic.NewRouter(client, rel, clock.RealClock{})
			if err != nil {
				t.Fatal(err)
			}
			move := func(wants func(traffic.Route) traffic.Route, to traffic.Split) error {
				patch, err := router.Plan(wants(mustRead(t, router)), to, fence)
				if err != nil {
					t.Fatal(err)
				}
				_, err = router.Write(context.Background(), patch, false)
				return err
			}
			if err := move(func(route traffic.Route) traffic.Route { return route.Previewing(test.before) }, blue); err != nil {
				t.Fatal(err)
			}
			refused := apierrors.NewForbidden(routertest.VirtualService(false).Resource.GroupResource(), routertest.Name, errors.New("no"))
			objects.PrependReactor("patch", "virtualservices", func(action clienttesting.Action) (bool, runtime.Object, error) {
				patch, is := action.(clienttesting.PatchActionImpl)
				tried := is && len(patch.PatchOptions.DryRun) > 0
				return !tried, nil, refused
			})
			partial := (*traffic.PartialError)(nil)
			if err := move(test.wants, test.to); !errors.As(err, &partial) || !slices.Equal(partial.Back, []string{"httproute/shop"}) || len(partial.Left) > 0 {
				t.Errorf("err = %v", err)
			}
			if route := mustRead(t, router); !route.Has(blue, test.before) {
				t.Errorf("the routes have %s, want the preview %v", route.Shares(), test.before)
			}
		})
	}
}
