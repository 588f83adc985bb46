package cluster

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ManifestPositions are where the fields of the objects in manifests stand, by
// kind/name with the kind in lower case. The files are those that ReadManifests
// reads; a document that can't be read has no positions.
func ManifestPositions(paths []string) (map[string]release.Positions, error) {
	found := map[string]release.Positions{}
	err := eachManifest(paths, func(file string, data []byte) error {
		for _, document := range splitDocuments(data) {
			var root yaml.Node
			if yaml.Unmarshal(document.text, &root) == nil && len(root.Content) == 1 {
				placeObjects(file, root.Content[0], document.line-1, found)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// placeObjects adds one object, or those of a List.
func placeObjects(file string, node *yaml.Node, offset int, into map[string]release.Positions) {
	kind, name := textAt(node, "kind"), textAt(node, "metadata", "name")
	if items := valueAt(node, "items"); items != nil && strings.HasSuffix(kind, "List") {
		for _, item := range items.Content {
			placeObjects(file, item, offset, into)
		}
		return
	}
	if kind != "" && name != "" {
		into[strings.ToLower(kind)+"/"+name] = release.PositionsOf(file, node, offset)
	}
}

// valueAt is a value in a mapping, nil where there is none.
func valueAt(node *yaml.Node, key string) *yaml.Node {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// textAt is the text at a path of keys.
func textAt(node *yaml.Node, path ...string) string {
	for _, key := range path {
		if node = valueAt(node, key); node == nil {
			return ""
		}
	}
	return node.Value
}
