package shop

import (
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ServiceRoute is the Service of the example, whose selector is the switch.
const ServiceRoute Route = ""

// serviceKind is what it is made of. The Release of the example names it.
func serviceKind() kind {
	return kind{
		route:    ServiceRoute,
		resource: corev1.SchemeGroupVersion.WithResource("services"), name: Service,
		manifest: func(s *Shop) ([]byte, error) { return os.ReadFile(filepath.Join(s.place.deployFolder(), production)) },
		declare:  func(*release.Release) {},
		weights: func(object *unstructured.Unstructured) (map[string]int64, error) {
			selected, _, err := unstructured.NestedString(object.Object, "spec", "selector", "version")
			return map[string]int64{selected: 1}, err
		},
		behind: func(string) string { return Service },
		entry:  func(s *Shop) (namespace, name string) { return s.Namespace, Service },
		host:   func(*Shop) string { return "" },
	}
}
