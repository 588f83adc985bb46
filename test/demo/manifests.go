package main

import (
	"bytes"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
)

const (
	// ownLabel is on every object of the demo on somebody's cluster, so that
	// it takes away what it brought and nothing else.
	ownLabel = "bluegreen.dev/demo"
	// ownPrefix keeps the names of objects that belong to no namespace apart
	// from what the cluster has.
	ownPrefix = "bluegreen-demo-"
)

// ownManifest makes the lab's manifests fit for somebody's cluster: everything
// carries the demo's label, and what belongs to no namespace gets a name that
// nobody else uses. Images stay as they are: all but the demo's own are public
// ones.
func ownManifest(text string) ([]byte, error) {
	objects, err := manifests.Objects(text)
	if err != nil {
		return nil, err
	}
	var written bytes.Buffer
	for _, object := range objects {
		if err := own(object); err != nil {
			return nil, fmt.Errorf("read manifest: %w", err)
		}
		document, err := yaml.Marshal(object.Object)
		if err != nil {
			return nil, fmt.Errorf("write manifest: %w", err)
		}
		written.WriteString("---\n")
		written.Write(document)
	}
	return written.Bytes(), nil
}

// own changes one object.
func own(object *unstructured.Unstructured) error {
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[ownLabel] = "true"
	object.SetLabels(labels)
	switch object.GetKind() {
	case "ClusterRole":
		object.SetName(ownPrefix + object.GetName())
	case "ClusterRoleBinding":
		object.SetName(ownPrefix + object.GetName())
		role, _, err := unstructured.NestedString(object.Object, "roleRef", "name")
		if err != nil {
			return err
		}
		return unstructured.SetNestedField(object.Object, ownPrefix+role, "roleRef", "name")
	}
	return nil
}
