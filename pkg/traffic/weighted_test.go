package traffic_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// weightedShop is a cluster with a route, and the Services and pods of both
// colours.
type weightedShop struct {
	routertest.Kind
	client  *cluster.Client
	objects *clienttesting.Fake
	router  traffic.Router
}

func openWeighted(t *testing.T, kind routertest.Kind, text string) *weightedShop {
	t.Helper()
	var around []runtime.Object
	for _, color := range []string{"blue", "green"} {
		around = append(around, colorService(color), colorPod(color), colorSlice(color))
	}
	client, _ := clustertest.New(around...)
	objects := []*unstructured.Unstructured{routertest.Object(t, text)}
	for _, beside := range kind.Beside {
		objects = append(objects, routertest.Object(t, beside))
	}
	dynamic := clustertest.Dynamic(client, objects...)
	router, err := kind.Router(client)
	if err != nil {
		t.Fatal(err)
	}
	return &weightedShop{Kind: kind, client: client, objects: &dynamic.Fake, router: router}
}

func colorService(color string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "svc-" + color, Namespace: "shop"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"version": color}, Ports: []corev1.ServicePort{{Name: "http", Port: 80}},
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}},
	}
}

func colorPod(color string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-" + color, Namespace: "shop", UID: types.UID("pod-" + color), Labels: map[string]string{"version": color}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	}
}

func colorSlice(color string) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "svc-" + color + "-1", Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: "svc-" + color}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: ptr.To(int32(80))}},
		Endpoints: []discoveryv1.Endpoint{{
			Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "shop-" + color, UID: types.UID("pod-" + color)},
		}},
	}
}

// edit changes the route as another person would.
func (s *weightedShop) edit(t *testing.T, change func(object map[string]any)) {
	t.Helper()
	routertest.Edit(t, s.client.Dynamic.Resource(s.Resource).Namespace(routertest.Namespace), change)
}

func (s *weightedShop) fixture() routertest.Fixture {
	return s.Fixture(s.router, s.client.Dynamic.Resource(s.Resource).Namespace(routertest.Namespace), func(*testing.T) {
		s.objects.PrependReactor("patch", s.Resource.Resource, func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(s.Resource.GroupResource(), routertest.Name, errors.New("no"))
		})
	})
}

func updateOptions() metav1.UpdateOptions { return metav1.UpdateOptions{} }

// TestKinds: every kind of route with weights that can be declared is held to
// the same.
func TestKinds(t *testing.T) {
	declared := map[string]bool{}
	for name, kind := range routertest.Kinds() {
		t.Run(name, func(t *testing.T) { runWeighted(t, kind) })
		for _, route := range routertest.Release(kind.Declare).Spec.Traffic.Routes() {
			declared[route.Field] = true
		}
	}
	for at := range reflect.TypeFor[release.Traffic]().NumField() {
		field := reflect.TypeFor[release.Traffic]().Field(at)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if apart := name == "service" || name == "workers"; field.Type.Kind() == reflect.Pointer && !apart && !declared[name] {
			t.Errorf("spec.traffic.%s is held to nothing", name)
		}
	}
}

// runWeighted is the suite for a kind of route, and what holds beside it for
// every kind with weights.
func runWeighted(t *testing.T, kind routertest.Kind) {
	t.Run("conformance", func(t *testing.T) {
		routertest.Run(t, func(t *testing.T) routertest.Fixture { return openWeighted(t, kind, kind.Fresh).fixture() })
	})
	t.Run("a colour is missing", func(t *testing.T) {
		if kind.None == "" {
			t.Skip("this kind of route has a place for each colour")
		}
		missing := kind.Missing
		if missing == "" {
			missing = "add service svc-green"
		}
		_, err := openWeighted(t, kind, kind.None).router.Read(context.Background())
		if !errors.Is(err, traffic.ErrNoColor) || !strings.Contains(release.HintOf(err), missing) {
			t.Errorf("err = %v, hint %q", err, release.HintOf(err))
		}
	})
	t.Run("receivers", func(t *testing.T) { testReceivers(t, openWeighted(t, kind, kind.Fresh)) })
}

// testReceivers: only ready pods count that are the colour's own.
func testReceivers(t *testing.T, s *weightedShop) {
	ctx := context.Background()
	count := func(want int) {
		t.Helper()
		if got, err := s.router.Receivers(ctx, "green"); err != nil || got != want {
			t.Errorf("receivers = %d, %v, want %d", got, err, want)
		}
	}
	count(1)
	pods := s.client.Kubernetes.CoreV1().Pods("shop")
	pod := colorPod("green")
	pod.Status.Conditions[0].Status = corev1.ConditionFalse
	if _, err := pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	count(0)
	service := colorService("green")
	service.Spec.Selector = map[string]string{"version": "blue"}
	if _, err := s.client.Kubernetes.CoreV1().Services("shop").Update(ctx, service, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	count(0) // blue's pod is ready, and is not green's
}

// wantSplitOf reads a route and holds it against the split that it has, or
// against what is said of it.
func wantSplitOf(t *testing.T, kind routertest.Kind, text, split, says string) {
	t.Helper()
	route, err := openWeighted(t, kind, text).router.Read(context.Background())
	if says != "" {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("err = %v, want %q", err, says)
		}
		return
	}
	if err != nil || route.Split.String() != split {
		t.Errorf("split %s, %v, want %s", route.Split, err, split)
	}
}
