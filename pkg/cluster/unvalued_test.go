package cluster_test

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	applyconfigurations "k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// mistyped is what an API server says of an object whose fields have other types
// than their schema's: it reads what is applied by the same converter.
func mistyped(t *testing.T, object map[string]any) error {
	t.Helper()
	_, err := applyconfigurations.NewTypeConverter(scheme.Scheme).ObjectToTyped(&unstructured.Unstructured{Object: object})
	if err == nil {
		t.Fatalf("%v is well typed", object)
	}
	return apierrors.NewBadRequest("failed to create typed patch object (ns/conf; v1, Kind=Secret): " + err.Error())
}

func secret(fields map[string]any) map[string]any {
	object := map[string]any{"apiVersion": "v1", "kind": "Secret"}
	for name, value := range fields {
		object[name] = value
	}
	return object
}

// TestApplyRepeatsNoValue: an API server repeats what it refuses, which may be a
// secret. Where that stands is told, and what the error is stays known.
func TestApplyRepeatsNoValue(t *testing.T) {
	const planted = "plan\"ted\n  .data.key: expected string, got planted"
	invalid := func(list ...*field.Error) error {
		return apierrors.NewInvalid(schema.GroupKind{Group: "batch", Kind: "Job"}, "conf", list)
	}
	path := field.NewPath("spec", "template")
	for name, test := range map[string]struct {
		with error
		told []string
	}{
		"a number for a string": {mistyped(t, secret(map[string]any{"stringData": map[string]any{"PIN": int64(7654321), "other": []any{planted}}})),
			[]string{".stringData.PIN: expected string", ".stringData.other: expected string"}},
		"a text for a map":       {mistyped(t, secret(map[string]any{"stringData": planted})), []string{".stringData: expected map"}},
		"a number for a list":    {mistyped(t, map[string]any{"apiVersion": "v1", "kind": "Pod", "spec": map[string]any{"containers": int64(7654321)}}), []string{".spec.containers: expected list"}},
		"a text for a truth":     {mistyped(t, secret(map[string]any{"immutable": planted})), []string{".immutable: expected boolean"}},
		"a list for any":         {mistyped(t, map[string]any{"apiVersion": "v1", "kind": "Service", "spec": map[string]any{"ports": []any{map[string]any{"port": int64(1), "targetPort": []any{planted}}}}}), []string{".targetPort: expected "}},
		"a text for a number":    {mistyped(t, map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "spec": map[string]any{"replicas": planted}}), []string{".spec.replicas: expected numeric (int or float), got string"}},
		"a text":                 {invalid(field.Invalid(path, planted, "must not be")), []string{"spec.template: Invalid value: must not be"}},
		"a number":               {invalid(field.Invalid(path, 7654321, "must not be")), []string{"spec.template: Invalid value: must not be"}},
		"a whole template":       {invalid(field.Invalid(path, map[string]any{"env": []any{map[string]any{"value": planted}}}, "field is immutable")), []string{"spec.template: Invalid value: field is immutable"}},
		"what has no JSON":       {invalid(field.Invalid(path, map[string]any{"x": planted, "y": func() {}}, "must not be")), []string{"spec.template: Invalid value"}},
		"no choice":              {invalid(field.NotSupported(path, planted, []string{"a", "b"})), []string{`spec.template: Unsupported value: supported values: "a", "b"`}},
		"one of several, and no": {invalid(field.Duplicate(path.Index(1), planted), field.NotFound(path.Index(2), planted)), []string{"spec.template[1]: Duplicate value, spec.template[2]: Not found]"}},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(test.with.Error(), "planted") && !strings.Contains(test.with.Error(), "7654321") && name != "a text for a number" {
				t.Fatalf("the API server repeats nothing: %v", test.with)
			}
			client, _ := applies("conf", test.with)
			_, err := client.Apply(t.Context(), "ns", []*unstructured.Unstructured{manifest("v1", "ConfigMap", "conf")}, cluster.ApplyOptions{DryRun: true})
			if err == nil || strings.Contains(err.Error(), "ted") && strings.Contains(err.Error(), "plan") || strings.Contains(err.Error(), "7654321") {
				t.Errorf("told as %v", err)
			}
			for _, told := range test.told {
				if err != nil && !strings.Contains(err.Error(), told) {
					t.Errorf("told as %v, want %s", err, told)
				}
			}
			if !errors.Is(err, test.with) || apierrors.IsInvalid(err) != apierrors.IsInvalid(test.with) || apierrors.IsBadRequest(err) != apierrors.IsBadRequest(test.with) {
				t.Errorf("%v is no longer what it was", err)
			}
		})
	}
	missing := apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "conf")
	client, _ := applies("conf", missing)
	if _, err := client.Apply(t.Context(), "ns", []*unstructured.Unstructured{manifest("v1", "ConfigMap", "conf")}, cluster.ApplyOptions{DryRun: true}); err == nil || err.Error() != "apply configmap/conf: "+missing.Error() {
		t.Errorf("told as %v", err)
	}
}
