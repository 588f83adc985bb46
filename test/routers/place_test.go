package routers

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// around is what stands in the cluster for all tests: a namespace, a kind of
// somebody's own, and a user who may read everything and write nothing.
const around = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: lanes.toys.example}
spec:
  group: toys.example
  scope: Namespaced
  names: {kind: Lane, listKind: LaneList, plural: lanes, singular: lane}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: ` + reader + `}]
`

// reader is that user.
const reader = "reader"

// prepared is the lab with all of it, and the one way to its API server.
var prepared struct {
	once sync.Once
	next http.RoundTripper
	err  error
}

// place is the lab, once what all tests need stands there.
func place(t *testing.T) *lab.Lab {
	t.Helper()
	current := lab.Current(t)
	prepared.once.Do(func() {
		if prepared.next, prepared.err = rest.TransportFor(current.RESTConfig()); prepared.err == nil {
			prepared.err = current.Apply(t.Context(), around)
		}
	})
	if prepared.err != nil {
		t.Fatal(prepared.err)
	}
	return current
}

// caller is a client whose rights can be taken away.
type caller struct {
	client *cluster.Client
	bare   atomic.Bool
}

// call connects to the lab as somebody who may do everything.
func call(t *testing.T) *caller {
	t.Helper()
	config, found := place(t).RESTConfig(), &caller{}
	config.QPS, config.Burst = -1, -1
	through := &http.Client{Transport: transport{prepared.next, &found.bare}}
	typed, err := kubernetes.NewForConfigAndClient(config, through)
	if err != nil {
		t.Fatal(err)
	}
	untyped, err := dynamic.NewForConfigAndClient(config, through)
	if err != nil {
		t.Fatal(err)
	}
	found.client = &cluster.Client{Config: config, Kubernetes: typed, Dynamic: untyped, Namespace: routertest.Namespace}
	return found
}

// transport asks as the reader once rights are taken away.
type transport struct {
	next http.RoundTripper
	bare *atomic.Bool
}

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.bare.Load() {
		request = request.Clone(request.Context())
		request.Header.Set("Impersonate-User", reader)
	}
	return t.next.RoundTrip(request)
}

// forbid takes them away: the API server itself refuses what comes then.
func (c *caller) forbid(*testing.T) { c.bare.Store(true) }

// objects are those of a kind in the routes' namespace.
func (c *caller) objects(resource schema.GroupVersionResource) dynamic.ResourceInterface {
	return c.client.Dynamic.Resource(resource).Namespace(routertest.Namespace)
}

// put writes an object anew, and removes it when the test ends. A field that
// its definition does not know is refused. A definition that was applied just
// before takes a moment to be served.
func (c *caller) put(t *testing.T, resource schema.GroupVersionResource, object *unstructured.Unstructured) {
	t.Helper()
	objects, admin := c.objects(resource), call(t).objects(resource)
	remove := func() {
		if err := admin.Delete(context.WithoutCancel(t.Context()), object.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			t.Fatal(err)
		}
	}
	remove()
	t.Cleanup(remove)
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, err := objects.Create(ctx, object, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// route writes a route of a kind, and what stands beside it.
func (c *caller) route(t *testing.T, kind routertest.Kind) {
	t.Helper()
	for _, text := range append([]string{kind.Fresh}, kind.Beside...) {
		c.put(t, kind.Resource, routertest.Object(t, text))
	}
}
