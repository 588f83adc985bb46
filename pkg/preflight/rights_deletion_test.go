package preflight

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// What finish --delete may delete is named, object by object, and is no part of
// what every release is asked to have.
func TestDeletionRights(t *testing.T) {
	file := filepath.Join(t.TempDir(), "green.yaml")
	text := `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scales-green}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: keeps-green}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	both := []string{"delete deployments.apps/shop-blue", "delete deployments.apps/shop-green", "get deployments.apps/shop-green"}
	services := []string{"delete services/svc-blue", "delete services/svc-green"}
	for name, test := range map[string]struct {
		change  func(*Inputs)
		want    []string
		without []string
	}{
		"a Service":        {func(*Inputs) {}, append(services, both...), []string{"delete services/svc-production", "delete poddisruptionbudgets.policy", "delete configmaps"}},
		"what is live":     {func(in *Inputs) { in.Live = Live{Autoscalers: []string{"a"}, Budgets: []string{"b"}} }, []string{"delete horizontalpodautoscalers.autoscaling/a", "get poddisruptionbudgets.policy/b", "delete poddisruptionbudgets.policy/b"}, nil},
		"what is a file's": {func(in *Inputs) { in.Manifests = map[string][]string{"green": {file}} }, []string{"delete horizontalpodautoscalers.autoscaling/scales-green", "delete poddisruptionbudgets.policy/keeps-green"}, []string{"delete configmaps/conf"}},
		"a weighted route": {func(in *Inputs) {
			in.Release.Spec.Traffic = release.Traffic{HTTPRoute: &release.NamedRoute{Name: "shop"}}
		}, both, services},
		"a further route's name": {func(in *Inputs) {
			in.Release.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "svc-blue"}}}
		}, []string{"delete services/svc-green"}, []string{"delete services/svc-blue"}},
		"a further route with weights": {func(in *Inputs) {
			in.Release.Spec.Traffic.Also = []release.AlsoRoute{{HTTPRoute: &release.NamedRoute{Name: "shop"}}}
		}, both, services},
		"production's name": {func(in *Inputs) { in.Release.Spec.Traffic.Service.Name = "svc-blue" }, []string{"delete services/svc-green"}, []string{"delete services/svc-blue"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := inputs(t, "", "3", nil)
			for _, color := range in.Release.Spec.ColorNames() {
				declared := in.Release.Spec.Colors[color]
				declared.Service = "svc-" + color
				in.Release.Spec.Colors[color] = declared
			}
			test.change(&in)
			rights, err := DeletionRights(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range test.want {
				if right, found := rightOf(rights, text); !found || right.Without == "" || right.For == "" {
					t.Errorf("%s: found %t, %+v", text, found, right)
				}
			}
			for _, text := range test.without {
				if _, found := rightOf(rights, text); found {
					t.Errorf("%s is asked for", text)
				}
			}
			every, err := Rights(in)
			if err != nil {
				t.Fatal(err)
			}
			for _, right := range every {
				if right.Verb == "delete" && slices.Contains([]string{"deployments", "services", "horizontalpodautoscalers", "poddisruptionbudgets"}, right.Resource) {
					t.Errorf("%s is asked of everybody", textOf(right))
				}
			}
		})
	}
	in := inputs(t, "", "3", nil)
	in.Manifests = map[string][]string{"green": {filepath.Join(t.TempDir(), "missing.yaml")}}
	if _, err := DeletionRights(in); err == nil || !strings.Contains(err.Error(), "missing.yaml") {
		t.Errorf("err = %v", err)
	}
}

// The cluster tells which disruption budgets cover a workload.
func TestLiveBudgets(t *testing.T) {
	in := inputs(t, "", "3", func(client *fake.Clientset) {
		for name, labels := range map[string]map[string]string{"keeps-green": {"version": "green"}, "keeps-others": {"version": "red"}} {
			budget := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"},
				Spec: policyv1.PodDisruptionBudgetSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}}}
			if err := client.Tracker().Add(budget); err != nil {
				t.Fatal(err)
			}
		}
	})
	live, err := ReadLive(t.Context(), in)
	if err != nil || !slices.Contains(live.Budgets, "keeps-green") || slices.Contains(live.Budgets, "keeps-others") {
		t.Errorf("budgets = %q, %v", live.Budgets, err)
	}
}
