package detect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// stage is a cluster that is not there.
type stage struct {
	client     *cluster.Client
	kubernetes *fake.Clientset
	dynamic    *dynamicfake.FakeDynamicClient
}

// staged is a cluster that serves some versions of kinds, and holds objects of
// them beside the Services of shop.
func staged(t *testing.T, versions []string, objects string) stage {
	t.Helper()
	var held []runtime.Object
	for _, service := range services() {
		held = append(held, &service)
	}
	for _, name := range []string{"shop", "other"} {
		held = append(held, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	kubernetes := fake.NewClientset(held...)
	lists := map[schema.GroupVersionResource]string{}
	for _, text := range versions {
		version, err := schema.ParseGroupVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		served := &metav1.APIResourceList{GroupVersion: text}
		for _, kind := range kinds() {
			for _, known := range kind.versions {
				if known == text {
					served.APIResources = append(served.APIResources, metav1.APIResource{Name: kind.resource, Namespaced: true})
					lists[version.WithResource(kind.resource)] = kind.name + "List"
				}
			}
		}
		kubernetes.Resources = append(kubernetes.Resources, served)
	}
	dynamic := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists)
	for kindName, some := range parsed(t, objects) {
		for _, object := range some {
			resource := object.GroupVersionKind().GroupVersion().WithResource(kindNamed(kindName).resource)
			if err := dynamic.Tracker().Create(resource, object, object.GetNamespace()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return stage{client: &cluster.Client{Kubernetes: kubernetes, Dynamic: dynamic, Namespace: "shop"}, kubernetes: kubernetes, dynamic: dynamic}
}

func kindNamed(name string) kind {
	for _, kind := range kinds() {
		if kind.name == name {
			return kind
		}
	}
	return kind{}
}

// forbid refuses to list a resource in the namespaces of which in is true; ""
// is the whole cluster.
func (s stage) forbid(resource string, in func(namespace string) bool) {
	refuse := func(action clienttesting.Action) (bool, runtime.Object, error) {
		if !in(action.GetNamespace()) {
			return false, nil, nil
		}
		return true, nil, apierrors.NewForbidden(action.GetResource().GroupResource(), "", errors.New("no"))
	}
	s.dynamic.PrependReactor("list", resource, refuse)
	s.kubernetes.PrependReactor("list", resource, refuse)
}

func everywhere(string) bool { return true }

const gatewayV1 = "gateway.networking.k8s.io/v1"

func TestCollectService(t *testing.T) {
	s := staged(t, []string{gatewayV1, "networking.k8s.io/v1"}, sharing75()["httproute"])
	facts, err := Collect(context.Background(), s.client, Subject{Service: "svc-blue", Namespace: "shop"}, declared(release.Traffic{}), "bluegreen.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.Objects["httproute"]) != 1 || len(facts.Services) != 3 || len(facts.Unlisted) > 0 {
		t.Errorf("%+v", facts)
	}
	// A kind that is not served is no error; its neighbours in the group are
	// asked for.
	want := []string{"canary", "httpproxy", "ingressroute", "ingressroutetcp", "rollout", "route", "routegroup", "traefikservice", "trafficsplit", "virtualservice"}
	if diff := cmp.Diff(want, facts.Absent); diff != "" {
		t.Error(diff)
	}
	if report := Evaluate(facts); report.Verdict != Served {
		t.Errorf("%s: %s", report.Verdict, report.Answer)
	}
}

// TestCollectAsksForThePreferredVersion, and for an older one where that alone
// is served.
func TestCollectAsksForThePreferredVersion(t *testing.T) {
	tests := map[string][]string{"v1": {"gateway.networking.k8s.io/v1beta1", gatewayV1}, "v1beta1": {"gateway.networking.k8s.io/v1beta1"}}
	for want, versions := range tests {
		s := staged(t, versions, "")
		if _, err := Collect(context.Background(), s.client, Subject{Host: "shop.example.com"}, nil, ""); err != nil {
			t.Fatal(err)
		}
		for _, action := range s.dynamic.Actions() {
			if resource := action.GetResource(); resource.Resource == "httproutes" && resource.Version != want {
				t.Errorf("of %v, %s was asked for", versions, resource.Version)
			}
		}
	}
}

// TestCollectForbiddenInANamespace: what may not be listed is named with the
// right, and the rest is looked at.
func TestCollectForbiddenInANamespace(t *testing.T) {
	s := staged(t, []string{gatewayV1, "networking.istio.io/v1beta1"}, sharing75()["httproute"])
	s.forbid("virtualservices", everywhere)
	s.forbid("services", everywhere)
	facts, err := Collect(context.Background(), s.client, Subject{Service: "svc-blue", Namespace: "shop"}, declared(release.Traffic{}), "bluegreen.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := []Unlisted{
		{Resource: "services", Right: "list services in namespace shop", Why: "can't be listed"},
		{Resource: "virtualservices.networking.istio.io", Right: "list virtualservices.networking.istio.io in namespace shop", Why: "can't be listed"},
	}
	if diff := cmp.Diff(want, facts.Unlisted); diff != "" {
		t.Error(diff)
	}
	report := Evaluate(facts)
	found(t, report, "httproute/shop")
	found(t, report, "service/svc-blue") // it was read by its name
	if diff := cmp.Diff(want, report.Unlisted); diff != "" {
		t.Error(diff)
	}
}

// TestCollectForbiddenInTheCluster: namespaces are asked one by one, and which
// of them were not looked at is told.
func TestCollectForbiddenInTheCluster(t *testing.T) {
	tests := map[string]struct {
		forbidden  func(namespace string) bool
		namespaces bool
		found      int
		why        string
	}{
		"open in one":              {func(ns string) bool { return ns != "shop" }, true, 1, "can't be listed in the whole cluster; looked at shop, and not at other"},
		"closed in all":            {everywhere, true, 0, "can't be listed in the whole cluster, nor in other, shop"},
		"open in each":             {func(ns string) bool { return ns == "" }, true, 1, "can't be listed in the whole cluster; looked at other, shop"},
		"namespaces are not known": {func(ns string) bool { return ns == "" }, false, 1, "can't be listed in the whole cluster; looked at shop; other namespaces are not known: namespaces can't be listed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := staged(t, []string{gatewayV1}, sharing75()["httproute"])
			s.forbid("httproutes", test.forbidden)
			if !test.namespaces {
				s.forbid("namespaces", everywhere)
			}
			facts, err := Collect(context.Background(), s.client, Subject{Host: "shop.example.com"}, nil, "")
			if err != nil {
				t.Fatal(err)
			}
			want := []Unlisted{{Resource: "httproutes.gateway.networking.k8s.io", Right: "list httproutes.gateway.networking.k8s.io in the whole cluster", Why: test.why}}
			if diff := cmp.Diff(want, facts.Unlisted); diff != "" {
				t.Error(diff)
			}
			if got := len(facts.Objects["httproute"]); got != test.found {
				t.Errorf("%d were found, want %d", got, test.found)
			}
		})
	}
}

// TestCollectPages asks for page after page, and stops at a bound that is told.
func TestCollectPages(t *testing.T) {
	for name, test := range map[string]struct {
		pages, want int
		bounded     bool
	}{"three": {3, 3 * page, false}, "without end": {1 << 20, objectsPerKind, true}} {
		t.Run(name, func(t *testing.T) {
			s := staged(t, []string{gatewayV1}, "")
			var asked atomic.Int32
			s.dynamic.PrependReactor("list", "httproutes", func(clienttesting.Action) (bool, runtime.Object, error) {
				list := &unstructured.UnstructuredList{}
				number := int(asked.Add(1))
				for i := range page {
					item := unstructured.Unstructured{Object: map[string]any{"apiVersion": gatewayV1, "kind": "HTTPRoute"}}
					item.SetName(fmt.Sprintf("route-%d-%d", number, i))
					item.SetNamespace("shop")
					item.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "somebody"}})
					list.Items = append(list.Items, item)
				}
				if number < test.pages {
					list.SetContinue(fmt.Sprint(number))
				}
				return true, list, nil
			})
			facts, err := Collect(context.Background(), s.client, Subject{Host: "shop.example.com"}, nil, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := len(facts.Objects["httproute"]); got != test.want {
				t.Errorf("%d objects, want %d", got, test.want)
			}
			if facts.Objects["httproute"][0].GetManagedFields() != nil {
				t.Error("what nobody reads is kept")
			}
			bounded := len(facts.Unlisted) == 1 && strings.HasPrefix(facts.Unlisted[0].Why, fmt.Sprintf("only the first %d were looked at", objectsPerKind))
			if bounded != test.bounded {
				t.Errorf("%+v", facts.Unlisted)
			}
		})
	}
}

// TestCollectServicesOfAHost reads the Services that its requests end at, and
// no other ones.
func TestCollectServicesOfAHost(t *testing.T) {
	s := staged(t, []string{gatewayV1}, sharing75()["httproute"]+"\n---\n"+only("gone", "shop.example.com", "/gone", "svc-gone"))
	facts, err := Collect(context.Background(), s.client, Subject{Host: "shop.example.com"}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range facts.Services {
		names = append(names, one.Name)
	}
	if diff := cmp.Diff([]string{"svc-blue", "svc-green"}, slices.Sorted(slices.Values(names))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"shop/svc-gone"}, facts.Missing); diff != "" {
		t.Error(diff)
	}
}

// TestCollectServicesThatMayNotBeRead are named.
func TestCollectServicesThatMayNotBeRead(t *testing.T) {
	s := staged(t, []string{gatewayV1}, sharing75()["httproute"])
	s.kubernetes.PrependReactor("get", "services", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(corev1.Resource("services"), "", errors.New("no"))
	})
	facts, err := Collect(context.Background(), s.client, Subject{Host: "shop.example.com"}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.Unlisted) != 2 || facts.Unlisted[0].Resource != "services/svc-blue" || facts.Unlisted[0].Right != "get services in namespace shop" {
		t.Errorf("%+v", facts.Unlisted)
	}
}

// TestCollectDiscovers: without a Release the colours behind a Service are
// found by their labels, or why not is told.
func TestCollectDiscovers(t *testing.T) {
	s := staged(t, nil, "")
	subject := Subject{Service: "svc-production", Namespace: "shop"}
	facts, err := Collect(context.Background(), s.client, subject, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if facts.Release != nil || !strings.Contains(facts.Undiscovered, "matches the pods of no deployment or statefulset") {
		t.Errorf("release %v, %q", facts.Release, facts.Undiscovered)
	}
	for _, color := range []string{"blue", "green"} {
		deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "shop-" + color, Namespace: "shop"}}
		deployment.Spec.Template.Labels = map[string]string{"app": "shop", "version": color}
		if err := s.kubernetes.Tracker().Add(deployment); err != nil {
			t.Fatal(err)
		}
	}
	if facts, err = Collect(context.Background(), s.client, subject, nil, ""); err != nil {
		t.Fatal(err)
	}
	report := Evaluate(facts)
	if report.Verdict != Served || report.Origin != "what was discovered from svc/svc-production" || found(t, report, "service/svc-production").Colors.Split != "blue=100" {
		t.Errorf("%+v", report)
	}
}

// TestCollectDiscoversTheColorsOfARoute: of several Services with one selector
// the ones that a route shares between are the colours'.
func TestCollectDiscoversTheColorsOfARoute(t *testing.T) {
	for _, asked := range []string{"svc-blue", "svc-green"} {
		s := staged(t, []string{gatewayV1}, sharing75()["httproute"])
		for _, color := range []string{"blue", "green"} {
			deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "shop-" + color, Namespace: "shop"}}
			deployment.Spec.Template.Labels = map[string]string{"app": "shop", "version": color}
			if err := s.kubernetes.Tracker().Add(deployment); err != nil {
				t.Fatal(err)
			}
		}
		facts, err := Collect(context.Background(), s.client, Subject{Service: asked, Namespace: "shop"}, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		report := Evaluate(facts)
		route := found(t, report, "httproute/shop")
		if report.Answer != "spec.traffic.httpRoute serves it, by httproute/shop in namespace shop" || route.Colors.Split != "blue=75,green=25" || route.Declared {
			t.Errorf("%s: %s: %+v", asked, report.Answer, route)
		}
	}
}

func TestCollectErrors(t *testing.T) {
	refusedByNobody := errors.New("dial tcp: connection refused")
	tests := map[string]struct {
		subject Subject
		plant   func(s stage)
		is      func(err error) bool
	}{
		"no such Service": {Subject{Service: "nothing", Namespace: "shop"}, func(stage) {}, func(err error) bool {
			return err.Error() == "no Service nothing in namespace shop" && release.HintOf(err) == "kubectl -n shop get services"
		}},
		"the Service may not be read": {Subject{Service: "svc-blue", Namespace: "shop"}, func(s stage) {
			s.kubernetes.PrependReactor("get", "services", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(corev1.Resource("services"), "svc-blue", errors.New("no"))
			})
		}, apierrors.IsForbidden},
		"nobody answers a list": {Subject{Host: "shop.example.com"}, func(s stage) {
			s.dynamic.PrependReactor("list", "httproutes", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, refusedByNobody })
		}, func(err error) bool { return errors.Is(err, refusedByNobody) }},
		"nobody answers discovery": {Subject{Host: "shop.example.com"}, func(s stage) {
			s.kubernetes.PrependReactor("get", "resource", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, refusedByNobody })
		}, func(err error) bool { return errors.Is(err, refusedByNobody) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := staged(t, []string{gatewayV1}, "")
			test.plant(s)
			if _, err := Collect(context.Background(), s.client, test.subject, nil, ""); err == nil || !test.is(err) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestCollectAPartOfDiscoveryFails: an API server behind the API server is
// down, and its kinds are told as not looked at.
func TestCollectAPartOfDiscoveryFails(t *testing.T) {
	s := staged(t, nil, "")
	s.kubernetes.PrependReactor("get", "resource", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewServiceUnavailable("the server is currently unable to handle the request")
	})
	facts, err := Collect(context.Background(), s.client, Subject{Host: "shop.example.com"}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(facts.Unlisted) != len(kinds()) || len(facts.Absent) > 0 || !strings.HasPrefix(facts.Unlisted[0].Why, "whether it is served can't be told: ") {
		t.Errorf("%+v", facts)
	}
}

// TestCollectKindThatWentAway: between discovery and the list.
func TestCollectKindThatWentAway(t *testing.T) {
	s := staged(t, []string{gatewayV1}, "")
	s.dynamic.PrependReactor("list", "httproutes", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(schema.GroupResource{Resource: "httproutes"}, "")
	})
	facts, err := Collect(context.Background(), s.client, Subject{Host: "shop.example.com"}, nil, "")
	if err != nil || len(facts.Unlisted) > 0 || !strings.Contains(strings.Join(facts.Absent, " "), "httproute") {
		t.Errorf("%+v, %v", facts, err)
	}
}
