package detect

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// parsed are the objects of YAML documents, by the kinds that read them.
func parsed(t *testing.T, text string) map[string][]*unstructured.Unstructured {
	t.Helper()
	objects := map[string][]*unstructured.Unstructured{}
	for document := range strings.SplitSeq(text, "\n---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if object.GetNamespace() == "" {
			object.SetNamespace("shop")
		}
		name := strings.ToLower(object.GetKind())
		objects[name] = append(objects[name], object)
	}
	known := map[string]bool{}
	for _, kind := range kinds() {
		known[kind.name] = true
	}
	for name := range objects {
		if !known[name] {
			t.Fatalf("no kind reads %s", name)
		}
	}
	return objects
}

// service is a Service of namespace shop whose selector is given as KEY=VALUE.
func service(name string, labels ...string) corev1.Service {
	made := corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"}}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		if made.Spec.Selector == nil {
			made.Spec.Selector = map[string]string{}
		}
		made.Spec.Selector[key] = value
	}
	return made
}

// services are production and those of both colours.
func services() []corev1.Service {
	return []corev1.Service{
		service("svc-production", "app=shop", "version=blue"),
		service("svc-blue", "app=shop", "version=blue"), service("svc-green", "app=shop", "version=green"),
	}
}

// declared is a Release of namespace shop that declares a route.
func declared(route release.Traffic) *release.Release {
	return &release.Release{
		Metadata: release.Metadata{Name: "shop", Namespace: "shop"},
		Spec: release.Spec{
			Colors: map[string]release.Color{
				"blue":  {Selector: map[string]string{"version": "blue"}, Service: "svc-blue"},
				"green": {Selector: map[string]string{"version": "green"}, Service: "svc-green"},
			},
			Traffic: route,
		},
	}
}

// aboutService and aboutHost are facts with objects.
func aboutService(t *testing.T, name, objects string) Facts {
	t.Helper()
	return Facts{Subject: Subject{Service: name, Namespace: "shop"}, Objects: parsed(t, objects), Services: services()}
}

func aboutHost(t *testing.T, host, objects string) Facts {
	t.Helper()
	return Facts{Subject: Subject{Host: host}, Objects: parsed(t, objects), Services: services()}
}

// found is the finding of an object.
func found(t *testing.T, report *Report, object string) Finding {
	t.Helper()
	for _, one := range report.Findings {
		if one.Object == object {
			return one
		}
	}
	t.Fatalf("%s is not among the findings: %+v", object, report.Findings)
	return Finding{}
}

// objectsFound are the objects of the findings, in their order.
func objectsFound(report *Report) []string {
	var objects []string
	for _, one := range report.Findings {
		objects = append(objects, one.Object)
	}
	return objects
}
