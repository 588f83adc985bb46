package gitops_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster/clustertest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gitops"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

func objectsOf(t *testing.T, rel *release.Release, autoscalers ...string) []gitops.Object {
	t.Helper()
	objects, err := gitops.Objects(rel, autoscalers)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// shop is a release of a Service and of workloads of both kinds.
func shop() *release.Release {
	rel := routertest.ServiceRelease()
	rel.Spec.Colors["blue"] = withWorkload(rel.Spec.Colors["blue"], "deployment", "shop-blue")
	rel.Spec.Colors["green"] = withWorkload(rel.Spec.Colors["green"], "statefulset", "shop-green")
	return rel
}

func withWorkload(color release.Color, kind, name string) release.Color {
	color.Workloads = []release.Workload{{Kind: kind, Name: name}}
	return color
}

// TestEveryWrittenObject: whatever a release needs the right to patch has rules,
// and nothing else has.
func TestEveryWrittenObject(t *testing.T) {
	workers := routertest.WorkersRelease(release.NewFirst)
	mixed := shop()
	mixed.Spec.Colors["green"] = withWorkload(mixed.Spec.Colors["green"], "deployment", "shop-green")
	mixed.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "beside"}}}
	for name, rel := range map[string]*release.Release{"service": shop(), "set": mixed, "workers": workers} {
		rights, err := preflight.Rights(preflight.Inputs{Release: rel, Live: preflight.Live{Autoscalers: []string{"scaler"}}})
		if err != nil {
			t.Fatal(err)
		}
		resources := map[string]string{"Service": "services", "Deployment": "deployments", "StatefulSet": "statefulsets", "HorizontalPodAutoscaler": "horizontalpodautoscalers"}
		var patched, ruled []string
		for _, right := range rights {
			if right.Verb == "patch" {
				patched = append(patched, right.Group+" "+right.Resource+" "+right.Name)
			}
		}
		for _, object := range objectsOf(t, rel, "scaler") {
			ruled = append(ruled, object.Group+" "+resources[object.Kind]+" "+object.Name)
			if len(object.Pointers) == 0 || object.Namespace != rel.Metadata.Namespace {
				t.Errorf("%s: %+v", name, object)
			}
		}
		slices.Sort(patched)
		slices.Sort(ruled)
		if diff := cmp.Diff(patched, ruled); diff != "" {
			t.Errorf("%s (-patched +ruled):\n%s", name, diff)
		}
	}
}

// TestNothingElseDiffers: with what is left alone taken out of both, the route in
// Git and the one that a switch has made of it are the same, for every kind.
func TestNothingElseDiffers(t *testing.T) {
	for name, kind := range routertest.Kinds() {
		t.Run(name, func(t *testing.T) {
			git := routertest.Object(t, kind.Fresh)
			client, _ := clustertest.New()
			around := []*unstructured.Unstructured{git.DeepCopy()}
			for _, beside := range kind.Beside {
				around = append(around, routertest.Object(t, beside))
			}
			clustertest.Dynamic(client, around...)
			router, err := kind.Router(client)
			if err != nil {
				t.Fatal(err)
			}
			object := objectsOf(t, routertest.Release(kind.Declare))[0]
			for _, to := range []traffic.Split{traffic.Whole("green"), traffic.Between("green", "blue", 30)} {
				live := switched(t, router, git, to)
				if diff := cmp.Diff(git.Object, live); diff == "" {
					t.Fatal("the switch has changed nothing")
				}
				if diff := cmp.Diff(without(t, object, git.Object), without(t, object, live)); diff != "" {
					t.Errorf("%s (-git +live):\n%s", to, diff)
				}
			}
		})
	}
}

// switched is a route after a switch, without what no Git holds.
func switched(t *testing.T, router traffic.Router, git *unstructured.Unstructured, to traffic.Split) map[string]any {
	t.Helper()
	route, err := router.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	planned, err := router.Plan(route, to, cluster.Fence{Epoch: 4, Holder: "ann@laptop/12"})
	if err != nil {
		t.Fatal(err)
	}
	patch, err := jsonpatch.DecodePatch(planned.Body)
	if err != nil {
		t.Fatal(err)
	}
	stands := route.Live.(*unstructured.Unstructured)
	text, err := stands.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if text, err = patch.Apply(text); err != nil {
		t.Fatal(err)
	}
	var live unstructured.Unstructured
	if err := live.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	annotations := live.GetAnnotations()
	for key := range annotations {
		if strings.HasPrefix(key, "bluegreen.dev/") {
			delete(annotations, key)
		}
	}
	live.SetAnnotations(annotations)
	live.SetResourceVersion(git.GetResourceVersion())
	return live.Object
}

// without is an object without the fields that are left alone.
func without(t *testing.T, object gitops.Object, content map[string]any) map[string]any {
	t.Helper()
	bare := (&unstructured.Unstructured{Object: content}).DeepCopy().Object
	for _, pointer := range object.Pointers {
		unstructured.RemoveNestedField(bare, names(pointer)...)
	}
	for _, beginning := range object.Beginnings {
		path := names(beginning)
		fields, _, _ := unstructured.NestedMap(bare, path[:len(path)-1]...)
		for name := range fields {
			if strings.HasPrefix(name, path[len(path)-1]) {
				unstructured.RemoveNestedField(bare, append(slices.Clone(path[:len(path)-1]), name)...)
			}
		}
	}
	if annotations, _, _ := unstructured.NestedMap(bare, "metadata", "annotations"); len(annotations) == 0 {
		unstructured.RemoveNestedField(bare, "metadata", "annotations")
	}
	return bare
}

func names(pointer string) []string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[i])
	}
	return parts
}

// The rules, as each of the two takes them.
func TestRules(t *testing.T) {
	custom := routertest.Release(func(declared *release.Traffic) {
		declared.Custom = &release.CustomRoute{APIVersion: "example.com/v1", Resource: "widgets", Name: "my.widget",
			Weights: map[string][]string{"blue": {"/spec/ways/0/weight", "/spec/blue"}, "green": {"/spec/ways/1/weight", "/spec/green"}}}
	})
	alb := routertest.Release(func(declared *release.Traffic) { declared.ALBIngress = &release.NamedRoute{Name: "shop"} })
	for name, c := range map[string]struct {
		of         func([]gitops.Object) (any, error)
		release    *release.Release
		want, says string
	}{
		"argo cd": {of: gitops.ArgoCD, release: shop(), want: `{"spec": {"ignoreDifferences": [
			{"group": "", "kind": "Service", "name": "svc-production", "namespace": "shop", "jsonPointers": ["/spec/selector/version"]},
			{"group": "apps", "kind": "Deployment", "name": "shop-blue", "namespace": "shop", "jsonPointers": ["/spec/replicas"]},
			{"group": "apps", "kind": "StatefulSet", "name": "shop-green", "namespace": "shop", "jsonPointers": ["/spec/replicas"]},
			{"group": "autoscaling", "kind": "HorizontalPodAutoscaler", "name": "scaler", "namespace": "shop", "jsonPointers": ["/spec/minReplicas"]}],
			"syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]}}}`},
		"flux": {of: gitops.Flux, release: shop(), want: `{"spec": {"ignore": [
			{"paths": ["/spec/selector/version"], "target": {"kind": "Service", "name": "svc-production", "namespace": "shop"}},
			{"paths": ["/spec/replicas"], "target": {"group": "apps", "kind": "Deployment", "name": "shop-blue", "namespace": "shop"}},
			{"paths": ["/spec/replicas"], "target": {"group": "apps", "kind": "StatefulSet", "name": "shop-green", "namespace": "shop"}},
			{"paths": ["/spec/minReplicas"], "target": {"group": "autoscaling", "kind": "HorizontalPodAutoscaler", "name": "scaler", "namespace": "shop"}}]}}`},
		"argo cd, of a kind that nobody knows": {of: gitops.ArgoCD, release: custom, want: `{"spec": {"ignoreDifferences": [
			{"group": "example.com", "kind": "*", "name": "my.widget", "namespace": "shop", "jsonPointers": ["/spec/blue", "/spec/green", "/spec/ways"]},
			{"group": "autoscaling", "kind": "HorizontalPodAutoscaler", "name": "scaler", "namespace": "shop", "jsonPointers": ["/spec/minReplicas"]}],
			"syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]}}}`},
		"flux, of a kind that nobody knows": {of: gitops.Flux, release: custom, want: `{"spec": {"ignore": [
			{"paths": ["/spec/blue", "/spec/green", "/spec/ways"], "target": {"group": "example\\.com", "name": "my\\.widget", "namespace": "shop"}},
			{"paths": ["/spec/minReplicas"], "target": {"group": "autoscaling", "kind": "HorizontalPodAutoscaler", "name": "scaler", "namespace": "shop"}}]}}`},
		"argo cd, of fields whose names are not known": {of: gitops.ArgoCD, release: alb, want: `{"spec": {"ignoreDifferences": [
			{"group": "networking.k8s.io", "kind": "Ingress", "name": "shop", "namespace": "shop",
			 "jqPathExpressions": [".metadata.annotations | .[keys[] | select(startswith(\"alb.ingress.kubernetes.io/actions.\"))]"]},
			{"group": "autoscaling", "kind": "HorizontalPodAutoscaler", "name": "scaler", "namespace": "shop", "jsonPointers": ["/spec/minReplicas"]}],
			"syncPolicy": {"syncOptions": ["RespectIgnoreDifferences=true"]}}}`},
		"flux, of fields whose names are not known": {of: gitops.Flux, release: alb, says: "those of Ingress shop stand in the object alone"},
	} {
		t.Run(name, func(t *testing.T) {
			rules, err := c.of(objectsOf(t, c.release, "scaler"))
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(release.HintOf(err), "IfNotPresent") {
					t.Errorf("err = %v, hint %q", err, release.HintOf(err))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := yaml.Marshal(rules)
			if err != nil {
				t.Fatal(err)
			}
			var got, want map[string]any
			if err := yaml.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAutoscalers(t *testing.T) {
	scaler := func(name, kind, target string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"kind": "HorizontalPodAutoscaler", "metadata": map[string]any{"name": name},
			"spec": map[string]any{"scaleTargetRef": map[string]any{"kind": kind, "name": target}}}}
	}
	deployment := &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment", "metadata": map[string]any{"name": "shop-blue"}}}
	found := gitops.Autoscalers(shop(), []*unstructured.Unstructured{
		scaler("z", "Deployment", "shop-blue"), deployment, scaler("a", "StatefulSet", "shop-green"), scaler("z", "Deployment", "shop-blue"),
		scaler("other", "Deployment", "orders"), scaler("kind", "Deployment", "shop-green"),
	})
	if diff := cmp.Diff([]string{"a", "z"}, found); diff != "" {
		t.Error(diff)
	}
}
