package preflight

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// writtenAt is a ConfigMap of which managers have written a field each, at times.
func writtenAt(name string, entries ...metav1.ManagedFieldsEntry) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop", ManagedFields: entries}}
}

func wrote(manager, fields string, at time.Time) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Time: &metav1.Time{Time: at}, FieldsV1: metav1.NewFieldsV1(fields)}
}

// Pods that were started before their variables were written are found, by whoever but
// us wrote values, and no other ones.
func TestOutdated(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	const values = `{"f:data":{"f:SIZE":{}}}`
	for name, test := range map[string]struct {
		entries []metav1.ManagedFieldsEntry
		started time.Time
		ends    bool
		want    []Outdated
	}{
		"written since": {entries: []metav1.ManagedFieldsEntry{wrote("kubectl-create", values, now.Add(-time.Hour)), wrote("kubectl-patch", values, now)}, started: now.Add(-time.Minute),
			want: []Outdated{{Workload: "deployment/shop-blue", Object: "configmap/shop", Written: cluster.Written{Time: now, Manager: "kubectl-patch"}, Pods: 1, Started: now.Add(-time.Minute)}}},
		"written before":                {entries: []metav1.ManagedFieldsEntry{wrote("kubectl-patch", values, now)}, started: now.Add(time.Minute)},
		"by clocks that differ":         {entries: []metav1.ManagedFieldsEntry{wrote("kubectl-patch", values, now)}, started: now.Add(-clockSkew)},
		"a label since":                 {entries: []metav1.ManagedFieldsEntry{wrote("kubectl-label", `{"f:metadata":{"f:labels":{}}}`, now)}, started: now.Add(-time.Minute)},
		"by us, who make the pods anew": {entries: []metav1.ManagedFieldsEntry{wrote(cluster.FieldManager, values, now)}, started: now.Add(-time.Minute)},
		"nothing runs yet":              {entries: []metav1.ManagedFieldsEntry{wrote("kubectl-patch", values, now)}},
		"it ends":                       {entries: []metav1.ManagedFieldsEntry{wrote("kubectl-patch", values, now)}, started: now.Add(-time.Minute), ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			color := healthyColor("blue")
			from := []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "shop"}}}}
			color.Workloads.Value[0].Template.Spec.Containers[0].EnvFrom = from
			pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "shop", "version": "blue"}}, Spec: corev1.PodSpec{Containers: []corev1.Container{{EnvFrom: from}}}}
			if !test.started.IsZero() {
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Time{Time: test.started}}}}}
			}
			if test.ends {
				pod.DeletionTimestamp = &metav1.Time{Time: now}
			}
			color.Owned = known([]corev1.Pod{pod})
			in := Inputs{Client: &cluster.Client{Kubernetes: fake.NewClientset(writtenAt("shop", test.entries...))}, Release: &release.Release{Metadata: release.Metadata{Namespace: "shop"}}}
			found, err := outdated(t.Context(), in, color)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, found); diff != "" && len(test.want)+len(found) > 0 {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	missing := healthyColor("blue")
	missing.Owned = notKnown[[]corev1.Pod](errors.New("refused"))
	if _, err := outdated(t.Context(), Inputs{}, missing); err == nil {
		t.Error("of a colour whose pods are not known none is outdated")
	}
}

// A budget is reckoned by what is configured, and says of whom that isn't true yet.
func TestBudgetOfOutdatedPods(t *testing.T) {
	facts := healthy()
	facts.outdated("blue", func(*Color) {})
	budget, ok, why := facts.Budget("main")
	const want = "2 pods of deployment/shop-blue run with what configmap/shop said before it was written: start them anew, or their pools are those of then"
	if !ok || !slices.Contains(budget.Warnings, want) {
		t.Errorf("the budget (%s) warns of %q", why, budget.Warnings)
	}
	facts.outdated("blue", func(c *Color) { c.Planned = true })
	if budget, _, _ := facts.Budget("main"); slices.Contains(budget.Warnings, want) {
		t.Error("it warns of pods that nobody wants yet")
	}
}
