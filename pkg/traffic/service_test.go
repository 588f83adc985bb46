package traffic_test

import (
	"context"
	"errors"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

func shopRelease(blue, green map[string]string) *release.Release {
	return &release.Release{
		Metadata: release.Metadata{Name: "shop", Namespace: "shop"},
		Spec: release.Spec{
			Colors:  map[string]release.Color{"blue": {Selector: blue}, "green": {Selector: green}},
			Traffic: release.Traffic{Service: &release.ServiceRoute{Name: "svc-production"}},
		},
	}
}

func production(selector map[string]string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "svc-production", Namespace: "shop", UID: "u1"},
		Spec:       corev1.ServiceSpec{Selector: selector, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}
}

func plainRouter(t *testing.T) (traffic.Router, *fake.Clientset) {
	t.Helper()
	client, clientset := clustertest.New(production(map[string]string{"app": "shop", "version": "blue"}))
	router, err := traffic.NewRouter(client, shopRelease(map[string]string{"version": "blue"}, map[string]string{"version": "green"}), clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	return router, clientset
}

func TestServiceConformance(t *testing.T) {
	routertest.Run(t, func(t *testing.T) routertest.Fixture {
		client, clientset := clustertest.New(routertest.Production())
		router, err := traffic.NewRouter(client, routertest.ServiceRelease(), clock.RealClock{})
		if err != nil {
			t.Fatal(err)
		}
		return routertest.ServiceFixture(router, clientset.CoreV1().Services(routertest.Namespace), func(*testing.T) {
			clientset.PrependReactor("patch", "services", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "svc-production", errors.New("no"))
			})
		})
	})
}

func mustRead(t *testing.T, router traffic.Router) traffic.Route {
	t.Helper()
	route, err := router.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return route
}

func TestServicePlanLiterally(t *testing.T) {
	fence := cluster.Fence{Epoch: 2, Holder: "ann"}
	const head = `[{"op":"test","path":"/metadata/resourceVersion","value":"1"},{"op":"add","path":"/metadata/annotations","value":{}},`
	const tail = `{"op":"add","path":"/metadata/annotations/bluegreen.dev~1epoch","value":"2"},{"op":"add","path":"/metadata/annotations/bluegreen.dev~1holder","value":"ann"}]`
	const previous = `{"op":"add","path":"/metadata/annotations/bluegreen.dev~1previous","value":"blue=100"},` +
		`{"op":"add","path":"/metadata/annotations/bluegreen.dev~1switched","value":"1"},`
	for name, test := range map[string]struct {
		blue, green map[string]string
		to          string
		want, undo  string
	}{
		"one key": {
			map[string]string{"version": "blue"}, map[string]string{"version": "green"}, "green",
			head + `{"op":"replace","path":"/spec/selector/version","value":"green"},` + previous + tail,
			`kubectl -n shop patch service svc-production --type merge -p '{"spec":{"selector":{"version":"blue"}}}'`,
		},
		"there already": {
			map[string]string{"version": "blue"}, map[string]string{"version": "green"}, "blue", head + tail,
			`kubectl -n shop patch service svc-production --type merge -p '{"spec":{"selector":{"version":"blue"}}}'`,
		},
		"a key that green alone has": {
			map[string]string{"version": "blue"}, map[string]string{"version": "green", "x/track": "next"}, "green",
			head + `{"op":"replace","path":"/spec/selector/version","value":"green"},{"op":"add","path":"/spec/selector/x~1track","value":"next"},` + previous + tail,
			`kubectl -n shop patch service svc-production --type merge -p '{"spec":{"selector":{"version":"blue","x/track":null}}}'`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := clustertest.New(production(map[string]string{"app": "shop", "version": "blue"}))
			router, err := traffic.NewRouter(client, shopRelease(test.blue, test.green), clock.RealClock{})
			if err != nil {
				t.Fatal(err)
			}
			patch, err := router.Plan(mustRead(t, router), traffic.Whole(test.to), fence)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(patch.Body)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.undo, router.Undo(traffic.Route{}, "blue")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestServiceSaysWhichKeyIsMissing(t *testing.T) {
	client, _ := clustertest.New(production(map[string]string{"app": "shop"}))
	router, err := traffic.NewRouter(client, shopRelease(map[string]string{"version": "blue"}, map[string]string{"version": "green"}), clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = router.Read(context.Background())
	if err == nil || err.Error() != "read service/svc-production in shop: its selector has no key version, so it may send traffic to every colour" {
		t.Errorf("err = %v", err)
	}
	const line = `: kubectl -n shop patch service svc-production --type merge -p '{"spec":{"selector":{"version":"`
	want := "set key version of its selector to the colour that is to be live; blue" + line + `blue"}}}'; green` + line + `green"}}}'`
	if diff := cmp.Diff(want, release.HintOf(err)); diff != "" {
		t.Error(diff)
	}
}

// A Service that somebody has made select no colour is given back all the same,
// on the version that was read and past no newer stamp; it is moved no other way.
func TestServiceThatSelectsNoColourIsGivenBack(t *testing.T) {
	fence := cluster.Fence{Epoch: 8, Holder: "ann"}
	for name, test := range map[string]struct {
		selector map[string]string
		epoch    string
		refused  bool
	}{
		"the key is gone":        {map[string]string{"app": "shop"}, "7", false},
		"the value is of nobody": {map[string]string{"app": "shop", "version": "x"}, "7", false},
		"its epoch is no number": {map[string]string{"app": "shop"}, "x", false},
		"somebody is newer":      {map[string]string{"app": "shop"}, "9", true},
		"it selects by nothing":  {nil, "7", true},
	} {
		t.Run(name, func(t *testing.T) {
			object := production(test.selector)
			object.Annotations = map[string]string{cluster.AnnotationEpoch: test.epoch, cluster.AnnotationHolder: "bob", cluster.AnnotationPrevious: "blue=100"}
			client, _ := clustertest.New(object)
			router, err := traffic.NewRouter(client, shopRelease(map[string]string{"version": "blue"}, map[string]string{"version": "green"}), clock.RealClock{})
			if err != nil {
				t.Fatal(err)
			}
			route, err := router.Read(t.Context())
			if !errors.Is(err, traffic.ErrNoColor) || route.Object != "service/svc-production" || len(route.Split) != 0 {
				t.Fatalf("read %+v, %v", route, err)
			}
			if _, err := router.Plan(route, traffic.Whole("blue"), fence); !errors.Is(err, traffic.ErrNoColor) {
				t.Errorf("a plan that is no way back: %v", err)
			}
			patch, err := router.Plan(route.Back(), traffic.Whole("blue"), fence)
			if (err != nil) != test.refused {
				t.Fatalf("plan: %v", err)
			}
			if test.refused {
				return
			}
			written, err := router.Write(t.Context(), patch, false)
			if err != nil || written.Split.Sole() != "blue" || written.Fence != fence || written.Origin != "blue" {
				t.Errorf("written %+v, %v", written, err)
			}
			if _, err := router.Write(t.Context(), patch, false); !errors.Is(err, cluster.ErrFenced) {
				t.Errorf("written twice: %v", err)
			}
		})
	}
}

// What somebody has made unreadable of a Service's annotations is as if it were
// not there.
func TestServiceWithAnnotationsThatCannotBeRead(t *testing.T) {
	object := production(map[string]string{"version": "green"})
	object.Annotations = map[string]string{cluster.AnnotationEpoch: "x", cluster.AnnotationHolder: "bob", cluster.AnnotationPrevious: "junk"}
	client, _ := clustertest.New(object)
	router, err := traffic.NewRouter(client, shopRelease(map[string]string{"version": "blue"}, map[string]string{"version": "green"}), clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	route := mustRead(t, router)
	if route.Fence.Epoch != 0 || route.Previous != nil || route.Origin != "" || route.Split.Sole() != "green" {
		t.Errorf("read %+v", route)
	}
	patch, err := router.Plan(route, traffic.Whole("blue"), cluster.Fence{Epoch: 8, Holder: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	if written, err := router.Write(t.Context(), patch, false); err != nil || written.Fence.Epoch != 8 || written.Origin != "green" {
		t.Errorf("written %+v, %v", written, err)
	}
}

// TestServiceInvariants: whatever is planned and written in whatever order,
// by runs of any epoch and beside the edits of others, the route selects
// exactly one colour and no selector key of others is touched.
func TestServiceInvariants(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		router, clientset := plainRouter(t)
		foreign := map[string]string{"app": "shop"}
		var planned []traffic.Patch
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"plan", "write", "edit", "stop"}).Draw(rt, "step") {
			case "plan":
				to := traffic.Whole(rapid.SampledFrom([]string{"blue", "green", "purple"}).Draw(rt, "to"))
				fence := cluster.Fence{Epoch: rapid.Int64Range(0, 4).Draw(rt, "epoch"), Holder: rapid.SampledFrom([]string{"ann", "bob"}).Draw(rt, "holder")}
				if patch, err := router.Plan(mustRead(t, router), to, fence); err == nil {
					planned = append(planned, patch)
				}
			case "write":
				if len(planned) == 0 {
					continue
				}
				patch := rapid.SampledFrom(planned).Draw(rt, "patch")
				if _, err := router.Write(context.Background(), patch, false); err != nil && !errors.Is(err, cluster.ErrFenced) {
					rt.Fatal(err)
				}
			case "edit":
				key := rapid.SampledFrom([]string{"tier", "zone"}).Draw(rt, "key")
				foreign[key] = rapid.StringMatching(`[a-z]{1,5}`).Draw(rt, "value")
				routertest.EditService(t, clientset.CoreV1().Services("shop"), func(service *corev1.Service) { service.Spec.Selector[key] = foreign[key] })
			case "stop":
				if err := router.Stop(context.Background(), "why"); err != nil {
					rt.Fatal(err)
				}
			}
			route := mustRead(t, router)
			if err := route.Split.Validate(); err != nil || route.Split.Sole() == "" {
				rt.Fatalf("split %s: %v", route.Split, err)
			}
			selector := maps.Clone(route.Live.(*corev1.Service).Spec.Selector)
			delete(selector, "version")
			if diff := cmp.Diff(foreign, selector); diff != "" {
				rt.Fatal(diff)
			}
		}
	})
}

// A stop that was obeyed without a switch is taken off under the fence, and
// nothing else is changed; a newer holder's route refuses it.
func TestServiceStopIsTakenOff(t *testing.T) {
	router, _ := plainRouter(t)
	if err := router.Stop(t.Context(), "orders are doubled"); err != nil {
		t.Fatal(err)
	}
	before := mustRead(t, router)
	stale, err := router.Obeyed(before, cluster.Fence{Epoch: 1, Holder: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	patch, err := router.Obeyed(before, cluster.Fence{Epoch: 2, Holder: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	after, err := router.Write(t.Context(), patch, false)
	if err != nil || before.Stop == "" || after.Stop != "" || after.Fence.Epoch != 2 || !after.Split.Equal(before.Split) {
		t.Errorf("%+v became %+v, %v", before, after, err)
	}
	if _, err := router.Write(t.Context(), stale, false); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("a stale one: %v, want it refused", err)
	}
}
