package cluster

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"

	yamlnodes "go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ManifestMistakes are all the mistakes in the manifests of some paths, by their
// index: what ReadManifests refuses and, in objects of kinds that Kubernetes' own
// client knows, fields that there are not, and values of another type than their
// field's. Objects of other kinds are the server's to judge.
func ManifestMistakes(paths []string) map[int][]ManifestError {
	found := map[int][]ManifestError{}
	for index, path := range paths {
		files, err := ManifestFiles(path)
		if err != nil {
			found[index] = append(found[index], mistakeOf(path, err))
		}
		for _, file := range files {
			if mistakes := mistakesIn(file); len(mistakes) > 0 {
				found[index] = append(found[index], mistakes...)
			}
		}
	}
	return found
}

// mistakeOf is an error as a ManifestError, which all that come from here are.
func mistakeOf(file string, err error) ManifestError {
	var mistake *ManifestError
	if errors.As(err, &mistake) {
		return *mistake
	}
	return ManifestError{File: file, Message: err.Error(), Remedy: release.HintOf(err)}
}

// mistakesIn are those of one file, document by document.
func mistakesIn(file string) []ManifestError {
	data, err := os.ReadFile(file) //nolint:gosec // the Release names it
	if err != nil {
		return []ManifestError{mistakeOf(file, unreadable(file, err))}
	}
	var found []ManifestError
	for _, document := range splitDocuments(data) {
		if _, err := document.objects(file); err != nil {
			found = append(found, mistakeOf(file, err))
			continue
		}
		found = append(found, document.mistaken(file)...)
	}
	return found
}

// mistaken are the fields of a document, which is one that objects reads, that are
// not as their kinds have them.
func (d document) mistaken(file string) []ManifestError {
	content, err := yaml.YAMLToJSONStrict(d.text)
	if err != nil {
		return nil // which objects has told
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	var body map[string]any
	if decoder.Decode(&body) != nil || body == nil {
		return nil
	}
	found := mistypedIn("", body)
	keys := keyPositions(file, d)
	for index := range found {
		mistake := &found[index]
		position, _ := keys.Nearest(mistake.Field)
		mistake.File, mistake.Line, mistake.Column = file, max(position.Line, d.firstLine()), max(position.Column, 1)
	}
	slices.SortStableFunc(found, func(a, b ManifestError) int { return cmp.Compare(a.Line, b.Line) })
	return found
}

// mistypedIn judges one object, or those of a List; field is where it stands.
func mistypedIn(field string, body map[string]any) []ManifestError {
	object := unstructured.Unstructured{Object: body}
	if items, is := body["items"].([]any); is && strings.HasSuffix(object.GetKind(), "List") {
		var found []ManifestError
		for index, item := range items {
			if one, is := item.(map[string]any); is {
				found = append(found, mistypedIn(indexed(field, "items", index), one)...)
			}
		}
		return found
	}
	kind := object.GroupVersionKind()
	if !scheme.Scheme.Recognizes(kind) {
		return nil
	}
	empty, err := scheme.Scheme.New(kind)
	if err != nil {
		return nil
	}
	found := &fieldJudge{}
	found.value(field, body, reflect.TypeOf(empty))
	name := strings.ToLower(object.GetKind()) + "/" + object.GetName()
	for index := range found.mistakes {
		found.mistakes[index].Object = name
	}
	return found.mistakes
}

// keyPositions are where the keys of a document stand, and the items of its lists, by
// the path of their fields.
func keyPositions(file string, d document) release.Positions {
	found := release.Positions{}
	var root yamlnodes.Node
	if yamlnodes.Unmarshal(d.text, &root) == nil && len(root.Content) == 1 {
		placeKeys(file, "", root.Content[0], d.line-1, found)
	}
	return found
}

func placeKeys(file, field string, node *yamlnodes.Node, offset int, into release.Positions) {
	at := func(node *yamlnodes.Node) release.Position {
		return release.Position{File: file, Line: node.Line + offset, Column: node.Column}
	}
	switch node.Kind {
	case yamlnodes.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			inner := within(field, node.Content[i].Value)
			into[inner] = at(node.Content[i])
			placeKeys(file, inner, node.Content[i+1], offset, into)
		}
	case yamlnodes.SequenceNode:
		for index, item := range node.Content {
			inner := indexed(field, "", index)
			into[inner] = at(item)
			placeKeys(file, inner, item, offset, into)
		}
	}
}
