package traffic

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/sticky"
)

// An Ingress has no weights. Where its controller can share, they are in
// annotations of the controller's own, and each has a driver.

func ingressResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}
}

// ingressPath is one path of an Ingress, or its default.
type ingressPath struct {
	// name says for people which one; the paths of two Ingresses are the same
	// ones where name and kind are.
	name, kind string
	// service and port are the names in its backend, "" for none.
	service, port string
}

// ingressPaths are all of them, and the default last.
func ingressPaths(object map[string]any) ([]ingressPath, error) {
	rules, err := listAt(object, "spec", "rules")
	if err != nil {
		return nil, err
	}
	var found []ingressPath
	for _, rule := range rules {
		host, _, _ := unstructured.NestedString(rule, "host")
		paths, err := listAt(rule, "http", "paths")
		if err != nil {
			return nil, fmt.Errorf("host %q: %w", host, err)
		}
		for _, path := range paths {
			text, _, _ := unstructured.NestedString(path, "path")
			kind, _, _ := unstructured.NestedString(path, "pathType")
			one := ingressPath{name: fmt.Sprintf("path %s%s", host, text), kind: kind}
			one.service, _, _ = unstructured.NestedString(path, "backend", "service", "name")
			one.port, _, _ = unstructured.NestedString(path, "backend", "service", "port", "name")
			found = append(found, one)
		}
	}
	if otherwise, stands, _ := unstructured.NestedMap(object, "spec", "defaultBackend"); stands {
		one := ingressPath{name: "spec.defaultBackend"}
		one.service, _, _ = unstructured.NestedString(otherwise, "service", "name")
		one.port, _, _ = unstructured.NestedString(otherwise, "service", "port", "name")
		found = append(found, one)
	}
	return found, nil
}

// ingressAffinity are the annotations by which an Ingress ties clients, whichever
// controller's they are: a cookie that is set by another one ties as well.
func ingressAffinity(object map[string]any) string {
	annotations, _, _ := unstructured.NestedStringMap(object, "metadata", "annotations")
	return strings.Join(sticky.Ingress(annotations), ", ")
}
