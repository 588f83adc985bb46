package cluster_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func TestOnlyApplied(t *testing.T) {
	entry := func(manager string, operation metav1.ManagedFieldsOperationType, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	const replicas, paused = `{"f:spec":{"f:replicas":{}}}`, `{"f:spec":{"f:paused":{}}}`
	ours := entry(cluster.FieldManager, metav1.ManagedFieldsOperationApply, replicas)
	for name, test := range map[string]struct {
		owners []metav1.ManagedFieldsEntry
		want   bool
	}{
		"an apply of ours":    {[]metav1.ManagedFieldsEntry{ours, entry("kubectl", metav1.ManagedFieldsOperationUpdate, paused)}, true},
		"a patch of ours":     {[]metav1.ManagedFieldsEntry{ours, entry(cluster.FieldManager, metav1.ManagedFieldsOperationUpdate, replicas)}, false},
		"somebody else's":     {[]metav1.ManagedFieldsEntry{entry("kubectl", metav1.ManagedFieldsOperationApply, replicas)}, false},
		"somebody else's too": {[]metav1.ManagedFieldsEntry{ours, entry("hpa", metav1.ManagedFieldsOperationUpdate, replicas)}, false},
		"nobody's":            {nil, false},
	} {
		if got := cluster.OnlyApplied(&metav1.ObjectMeta{ManagedFields: test.owners}, "spec", "replicas"); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestFieldOwners(t *testing.T) {
	entry := func(manager, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	late := entry("zed", `{"f:spec":{"f:replicas":{}}}`)
	late.Time = &metav1.Time{Time: time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)}
	object := &metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{
		entry("kubectl", `{"f:spec":{"f:ports":{},"f:replicas":{}}}`),
		entry("argocd-controller", `{"f:spec":{"f:selector":{}}}`),
		entry(cluster.FieldManager, `{"f:spec":{"f:selector":{}}}`),
		entry("helm", `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:image":{}}}}}}}`),
		entry("broken", `{`),
		late,
	}}
	for name, test := range map[string]struct {
		path []string
		want []string
	}{
		"owned as a whole":    {[]string{"spec", "selector", "version"}, []string{"argocd-controller"}},
		"the field itself":    {[]string{"spec", "replicas"}, []string{"zed", "kubectl"}},
		"something below":     {[]string{"spec", "template"}, []string{"helm"}},
		"an item of a list":   {[]string{"spec", "template", "spec", "containers", `k:{"name":"app"}`, "image"}, []string{"helm"}},
		"nobody":              {[]string{"spec", "type"}, nil},
		"everything in there": {[]string{"spec"}, []string{"zed", "argocd-controller", "helm", "kubectl"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, cluster.FieldOwners(object, test.path...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
