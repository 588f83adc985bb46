package traffic

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// readObject is an object out of YAML.
func readObject(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestReaderLists(t *testing.T) {
	route := readObject(t, `
metadata: {name: shop, namespace: shop}
spec:
  rules:
  - matches: [{headers: [{name: x-canary, value: always}]}]
    backendRefs: [{name: svc-green}]
  - name: all
    backendRefs: [{name: svc-blue, weight: 3}, {name: elsewhere, namespace: other, weight: 1}]
`)
	reader, err := NewReader(release.Traffic{HTTPRoute: &release.NamedRoute{Name: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	if reader.Unproven || reader.Resource.Resource != "httproutes" || reader.Resource.Version != "v1" {
		t.Errorf("read of HTTPRoutes: %+v", reader)
	}
	got, err := reader.Lists(route)
	if err != nil {
		t.Fatal(err)
	}
	want := []List{
		{Name: "spec.rules[0]", Chosen: true, Backends: []Backend{{Service: "svc-green", Weight: 1, Pointer: "/spec/rules/0/backendRefs/0/weight"}}},
		{Name: `rule "all"`, Backends: []Backend{
			{Service: "svc-blue", Weight: 3, Pointer: "/spec/rules/1/backendRefs/0/weight", Stands: true},
			{Service: "", Weight: 1, Pointer: "/spec/rules/1/backendRefs/1/weight", Stands: true}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReaderOfAServiceAndOfNothing(t *testing.T) {
	reader, err := NewReader(release.Traffic{Service: &release.ServiceRoute{Name: "svc"}})
	if err != nil || reader.Unproven || reader.Resource.Resource != "services" {
		t.Errorf("reader %+v, error %v", reader, err)
	}
	if lists, err := reader.Lists(readObject(t, `spec: {selector: {version: blue}}`)); err != nil || len(lists) > 0 {
		t.Errorf("lists %v, error %v", lists, err)
	}
	if _, err := NewReader(release.Traffic{}); err == nil {
		t.Error("no route is declared, and there is a reader")
	}
	if reader, err := NewReader(release.Traffic{HTTPProxy: &release.NamedRoute{Name: "shop"}}); err != nil || !reader.Unproven {
		t.Errorf("an HTTPProxy is proven: %+v, %v", reader, err)
	}
}

func TestSplitOf(t *testing.T) {
	colors := map[string]release.Color{
		"blue":  {Service: "svc-blue", Selector: map[string]string{"version": "blue"}},
		"green": {Service: "svc-green", Selector: map[string]string{"version": "green"}},
	}
	httpRoute := release.Traffic{HTTPRoute: &release.NamedRoute{Name: "shop"}}
	service := release.Traffic{Service: &release.ServiceRoute{Name: "svc"}}
	tests := map[string]struct {
		route  release.Traffic
		object string
		want   string
		unread bool
	}{
		"shared":          {route: httpRoute, object: `spec: {rules: [{backendRefs: [{name: svc-blue, weight: 1}, {name: svc-green, weight: 3}]}]}`, want: "blue=25,green=75"},
		"one is missing":  {route: httpRoute, object: `spec: {rules: [{backendRefs: [{name: svc-blue}]}]}`, unread: true},
		"selected":        {route: service, object: `spec: {selector: {app: shop, version: green}}`, want: "green=100"},
		"selects no one":  {route: service, object: `spec: {selector: {app: shop}}`, unread: true},
		"nothing there":   {route: service, object: `spec: {}`, unread: true},
		"selector a list": {route: service, object: `spec: {selector: [version]}`, unread: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			split, err := SplitOf(&release.Release{Spec: release.Spec{Colors: colors, Traffic: test.route}}, readObject(t, test.object))
			if test.unread {
				if err == nil {
					t.Errorf("read %s out of it", split)
				}
				if name != "selector a list" && !errors.Is(err, ErrNoColor) {
					t.Errorf("%v is not about colours", err)
				}
				return
			}
			if err != nil || split.String() != test.want {
				t.Errorf("read %s, %v; want %s", split, err, test.want)
			}
		})
	}
}
