package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	marshal "sigs.k8s.io/yaml"
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
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	var written bytes.Buffer
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return written.Bytes(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read manifest: %w", err)
		}
		if len(object.Object) == 0 {
			continue
		}
		if err := own(object); err != nil {
			return nil, fmt.Errorf("read manifest: %w", err)
		}
		document, err := marshal.Marshal(object.Object)
		if err != nil {
			return nil, fmt.Errorf("write manifest: %w", err)
		}
		written.WriteString("---\n")
		written.Write(document)
	}
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
