package routers

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestService: the production Service passes the suite.
func TestService(t *testing.T) {
	routertest.Run(t, func(t *testing.T) routertest.Fixture {
		caller, router := service(t)
		return routertest.ServiceFixture(router, caller.client.Kubernetes.CoreV1().Services(routertest.Namespace), caller.forbid)
	})
}

// TestKinds: so does every kind of route with weights.
func TestKinds(t *testing.T) {
	for name, kind := range routertest.Kinds() {
		t.Run(name, func(t *testing.T) {
			routertest.Run(t, func(t *testing.T) routertest.Fixture {
				caller, router := open(t, kind)
				return kind.Fixture(router, caller.objects(kind.Resource), caller.forbid)
			})
		})
	}
}

// service writes the production Service and opens its router.
func service(t *testing.T) (*caller, traffic.Router) {
	t.Helper()
	caller, written := call(t), routertest.Production()
	written.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Service"))
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(written)
	if err != nil {
		t.Fatal(err)
	}
	caller.put(t, corev1.SchemeGroupVersion.WithResource("services"), &unstructured.Unstructured{Object: object})
	router, err := traffic.NewRouter(caller.client, routertest.ServiceRelease(), clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	return caller, router
}

// open writes a route and opens its router.
func open(t *testing.T, kind routertest.Kind) (*caller, traffic.Router) {
	t.Helper()
	caller := call(t)
	caller.route(t, kind)
	router, err := kind.Router(caller.client)
	if err != nil {
		t.Fatal(err)
	}
	return caller, router
}

// TestUndoLines: the plain line that a shift prints does what it says when a
// person types it, at whatever step that is.
func TestUndoLines(t *testing.T) {
	routers := map[string]func(t *testing.T) traffic.Router{
		"service": func(t *testing.T) traffic.Router { _, router := service(t); return router },
	}
	for name, kind := range routertest.Kinds() {
		routers[name] = func(t *testing.T) traffic.Router { _, router := open(t, kind); return router }
	}
	for name, open := range routers {
		t.Run(name, func(t *testing.T) {
			router := open(t)
			route, err := router.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			line := router.Undo(route, "blue")
			to := traffic.Whole("green")
			if router.Capabilities().Weights {
				to = traffic.Between("green", "blue", 33)
			}
			patch, err := router.Plan(route, to, cluster.Fence{Epoch: 1, Holder: "ann"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := router.Write(t.Context(), patch, false); err != nil {
				t.Fatal(err)
			}
			if out, err := place(t).Command(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			if route, err = router.Read(t.Context()); err != nil || !route.Split.Equal(traffic.Whole("blue")) {
				t.Errorf("after %s the split is %s, %v", line, route.Split, err)
			}
		})
	}
}

// TestDefinitionsAreInForce: a weight that is a word is refused by every kind
// whose weights are fields, so what the suite writes is held against a schema.
// An Ingress has its weights in annotations, which nobody looks at, and the kind
// of somebody's own has no schema.
func TestDefinitionsAreInForce(t *testing.T) {
	for name, kind := range routertest.Kinds() {
		if kind.Resource.Resource == "ingresses" || strings.HasPrefix(name, "custom") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			caller, _ := open(t, kind)
			object, err := caller.objects(kind.Resource).Get(t.Context(), routertest.Name, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			text, err := object.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			wrong := strings.Replace(string(text), `"weight":1`, `"weight":"many"`, 1)
			if wrong == string(text) {
				t.Fatalf("no weight of 1 in %s", text)
			}
			if _, err := caller.objects(kind.Resource).Update(context.Background(), routertest.Object(t, wrong), metav1.UpdateOptions{}); !apierrors.IsInvalid(err) {
				t.Errorf("a weight that is a word: err = %v", err)
			}
		})
	}
}
