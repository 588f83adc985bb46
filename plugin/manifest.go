package plugin

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kubernetesyaml "sigs.k8s.io/yaml"
)

// manifest is one object that is written for somebody to apply.
type manifest struct {
	object runtime.Object
	// about stands above the document.
	about string
	// notes stand above the items of lists, by the path of the list, such as
	// spec.validations; "" leaves an item without one.
	notes map[string][]string
}

// content is the object as it is applied, without what only a server fills in.
func (m manifest) content() (map[string]any, error) {
	converted, err := object{Value: m.object}.single()
	if err != nil {
		return nil, err
	}
	unstructured.RemoveNestedField(converted.Object, "status")
	unstructured.RemoveNestedField(converted.Object, "metadata", "creationTimestamp")
	return converted.Object, nil
}

// yaml is the document with its comments. Fields are sorted, as kubectl
// prints them.
func (m manifest) yaml() ([]byte, error) {
	content, err := m.content()
	if err != nil {
		return nil, err
	}
	// What looks like another type to any reader of YAML is quoted by the
	// writer that kubectl has, and stays so.
	text, err := kubernetesyaml.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	shorten(&root)
	for path, notes := range m.notes {
		if err := annotate(root.Content[0], path, notes); err != nil {
			return nil, err
		}
	}
	return commented(&root, m.about)
}

// commented is a document below a comment.
func commented(root *yaml.Node, about string) ([]byte, error) {
	root.HeadComment = about
	var written bytes.Buffer
	encoder := yaml.NewEncoder(&written)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	return written.Bytes(), encoder.Close()
}

// printYAML writes to stdout what is no object of the API server's, with the
// comments that it has.
func (s Streams) printYAML(value any, about string) error {
	text, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	shorten(&root)
	if text, err = commented(&root, about); err != nil {
		return err
	}
	return s.write(text)
}

// shorten puts lists of plain values on one line.
func shorten(node *yaml.Node) {
	plain := node.Kind == yaml.SequenceNode
	for _, child := range node.Content {
		shorten(child)
		plain = plain && child.Kind == yaml.ScalarNode
	}
	if plain {
		node.Style = yaml.FlowStyle
	}
}

// annotate puts a comment above each item of a list.
func annotate(node *yaml.Node, path string, notes []string) error {
	for field := range strings.SplitSeq(path, ".") {
		node = valueOf(node, field)
	}
	if node == nil || node.Kind != yaml.SequenceNode || len(node.Content) != len(notes) {
		return fmt.Errorf("write manifest: no list of %d items at %s", len(notes), path)
	}
	for index, note := range notes {
		node.Content[index].HeadComment = note
	}
	return nil
}

// valueOf is a field of a mapping, nil when it has none.
func valueOf(node *yaml.Node, field string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for index := 0; index+1 < len(node.Content); index += 2 {
		if node.Content[index].Value == field {
			return node.Content[index+1]
		}
	}
	return nil
}
