package shop

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// written is a shop of which only the folder is there.
func written(t *testing.T, route Route) *Shop {
	t.Helper()
	found, err := kindOf(route)
	if err != nil {
		t.Fatal(err)
	}
	place := fakePlace(t)
	shop := &Shop{Namespace: "there", Folder: t.TempDir(), place: place, options: Options{Route: route}, kind: found}
	if err := shop.writeManifests(); err != nil {
		t.Fatal(err)
	}
	if err := shop.writeRelease(); err != nil {
		t.Fatal(err)
	}
	return shop
}

// manifestOf reads the production route that lies in a shop's folder.
func manifestOf(t *testing.T, shop *Shop) *unstructured.Unstructured {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(shop.Folder, "deploy", production))
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(text, &object.Object); err != nil {
		t.Fatal(err)
	}
	return object
}

// Every kind begins with everything on blue, in the shop's namespace, and its
// Release is one that the program takes and that names the object.
func TestKinds(t *testing.T) {
	for _, found := range kinds() {
		t.Run("route "+string(found.route), func(t *testing.T) {
			shop := written(t, found.route)
			object := manifestOf(t, shop)
			if object.GetName() != found.name || object.GetNamespace() != "there" {
				t.Errorf("the manifest is of %s in %s", object.GetName(), object.GetNamespace())
			}
			receivers, err := shop.Receivers(object)
			if difference := cmp.Diff([]string{found.behind(Blue)}, receivers); err != nil || difference != "" {
				t.Errorf("who gets requests: %v %s", err, difference)
			}
			text, err := os.ReadFile(filepath.Join(shop.Folder, "bluegreen.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			document, err := release.Parse("bluegreen.yaml", text)
			if err != nil {
				t.Fatal(err)
			}
			if routes := document.Release.Spec.Traffic.Routes(); len(routes) != 1 || routes[0].Name != found.name {
				t.Errorf("the Release names %+v", routes)
			}
		})
	}
}

// What no kind is, no shop opens with.
func TestUnknownKind(t *testing.T) {
	if _, err := fakePlace(t).Open(t.Context(), Options{Namespace: "shop", Folder: t.TempDir(), Route: "ferry"}); err == nil {
		t.Error("a shop opened with a ferry")
	}
}

func TestHTTPRouteWeights(t *testing.T) {
	tests := map[string]struct {
		rules string
		want  map[string]int64 // nil where it can't be read
	}{
		"both":               {"[{backendRefs: [{name: svc-blue, weight: 1}, {name: svc-green, weight: 3}]}]", map[string]int64{"blue": 1, "green": 3}},
		"no weight is one":   {"[{backendRefs: [{name: svc-blue}, {name: svc-green, weight: 0}]}]", map[string]int64{"blue": 1, "green": 0}},
		"one colour":         {"[{backendRefs: [{name: svc-green, weight: 7}]}]", map[string]int64{"green": 7}},
		"somebody else's":    {"[{backendRefs: [{name: svc-blue, weight: 1}, {name: other, weight: 1}]}]", map[string]int64{"blue": 1, "other": 1}},
		"two rules":          {"[{}, {}]", nil},
		"a preview beside":   {"[{matches: [{headers: [{name: X-Version}]}], backendRefs: [{name: svc-green}]}, {backendRefs: [{name: svc-blue}, {name: svc-green, weight: 0}]}]", map[string]int64{"blue": 1, "green": 0}},
		"none":               {"[]", nil},
		"a weight of letter": {"[{backendRefs: [{name: svc-blue, weight: x}]}]", nil},
	}
	for name, test := range tests {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte("{spec: {rules: "+test.rules+"}}"), &object.Object); err != nil {
			t.Fatal(err)
		}
		got, err := httpRouteWeights(object)
		if difference := cmp.Diff(test.want, got); difference != "" || (err != nil) != (test.want == nil) {
			t.Errorf("%s: %v %s", name, err, difference)
		}
	}
}

// A VirtualService tells the colours apart by what its route leads to.
func TestDestinationWeights(t *testing.T) {
	tests := map[string]struct {
		route Route
		http  string
		want  map[string]int64 // nil where it can't be read
	}{
		"hosts":                {VirtualService, "[{route: [{destination: {host: svc-blue}, weight: 1}, {destination: {host: svc-green}, weight: 3}]}]", map[string]int64{Blue: 1, Green: 3}},
		"subsets":              {VirtualServiceSubsets, "[{route: [{destination: {host: shop, subset: first}, weight: 1}, {destination: {host: shop, subset: second}, weight: 3}]}]", map[string]int64{Blue: 1, Green: 3}},
		"no weight is nothing": {VirtualService, "[{route: [{destination: {host: svc-blue}, weight: 1}, {destination: {host: svc-green}}]}]", map[string]int64{Blue: 1, Green: 0}},
		"two routes":           {VirtualService, "[{}, {}]", nil},
		"one by a header": {VirtualService, "[{match: [{headers: {x-side: {exact: blue}}}], route: [{destination: {host: svc-blue}}]}, " +
			"{route: [{destination: {host: svc-blue}, weight: 1}, {destination: {host: svc-green}, weight: 3}]}]", map[string]int64{Blue: 1, Green: 3}},
		"none but by a header": {VirtualService, "[{match: [{headers: {x-side: {exact: blue}}}], route: [{destination: {host: svc-blue}}]}]", nil},
		"a weight of letters":  {VirtualService, "[{route: [{destination: {host: svc-blue}, weight: x}]}]", nil},
	}
	for name, test := range tests {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte("{spec: {http: "+test.http+"}}"), &object.Object); err != nil {
			t.Fatal(err)
		}
		found, err := kindOf(test.route)
		if err != nil {
			t.Fatal(err)
		}
		got, err := found.weights(object)
		if difference := cmp.Diff(test.want, got); difference != "" || (err != nil) != (test.want == nil) {
			t.Errorf("%s: %v %s", name, err, difference)
		}
	}
}

// Calls go where the kind's clients find production, by a method that is counted
// or by one that is not.
func TestURLsOfCalls(t *testing.T) {
	for route, want := range map[Route][2]string{
		GRPCRoute:      {"grpc://10.0.0.1:80/recommendation.Recommendations/Recommend", "grpc://10.0.0.1:80/grpc.health.v1.Health/Check"},
		VirtualService: {"xds://10.0.0.1:15010/svc-production.there.svc.cluster.local:9090/recommendation.Recommendations/Recommend", "xds://10.0.0.1:15010/svc-production.there.svc.cluster.local:9090/grpc.health.v1.Health/Check"},
	} {
		found, err := kindOf(route)
		if err != nil {
			t.Fatal(err)
		}
		shop := &Shop{Namespace: "there"}
		got := [2]string{found.url(shop, "10.0.0.1", "/recommendations?user=anna"), found.url(shop, "10.0.0.1", "/live")}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("%s: %s", route, difference)
		}
	}
}
