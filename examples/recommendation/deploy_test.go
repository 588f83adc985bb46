package main

import (
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/config"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestReleaseLoads(t *testing.T) {
	if _, err := release.Load("bluegreen.yaml"); err != nil {
		t.Error(err)
	}
}

// The manifests name only fields that exist, and the environment that they set
// is one with which the service starts.
func TestManifestsFitTheService(t *testing.T) {
	for _, color := range []string{"blue", "green"} {
		deployment := decode[appsv1.Deployment](t, color+"/deployment.yaml")
		service := decode[corev1.Service](t, color+"/service.yaml")
		decode[policyv1.PodDisruptionBudget](t, color+"/poddisruptionbudget.yaml")
		if got := deployment.Spec.Template.Labels["version"]; got != color || service.Spec.Selector["version"] != got {
			t.Errorf("%s: pods are labelled %q, the service selects %q", color, got, service.Spec.Selector["version"])
		}
		env := map[string]string{}
		for _, variable := range deployment.Spec.Template.Spec.Containers[0].Env {
			env[variable.Name] = variable.Value
			if variable.ValueFrom != nil {
				env[variable.Name] = "postgres://from-a-secret"
			}
		}
		settings, err := config.Load(func(name string) string { return env[name] })
		if err != nil {
			t.Fatal(err)
		}
		if settings.Color != color || settings.Version != deployment.Labels["app.kubernetes.io/version"] {
			t.Errorf("%s: the service calls itself %s %s", color, settings.Color, settings.Version)
		}
	}
	if got := decode[corev1.Service](t, "production.yaml").Spec.Selector["version"]; got != "blue" {
		t.Errorf("production starts on %q", got)
	}
}

func decode[T any](t *testing.T, name string) T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	var object T
	if err := yaml.UnmarshalStrict(text, &object); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return object
}
