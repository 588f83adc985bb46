package release

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// head stands above a document that Marshal writes.
const head = `A blue-green release. Which colour is live is read from the Service.
What is left out has its default; what could not be discovered is not
declared: databases, Prometheus, synthetic transactions, manifests.`

// Marshal writes a Release as a person would: without what the defaults say
// anyway, and with a comment at each field that was guessed. Parse reads the
// same Release back.
func Marshal(document *Release, guesses []Guess) ([]byte, error) {
	text, hash, err := completed(document)
	if err != nil {
		return nil, fmt.Errorf("encode release %s: %w", document.Metadata.Name, err)
	}
	// JSON is YAML, and keeps the order of the types' fields.
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("encode release %s: %w", document.Metadata.Name, err)
	}
	tree := root.Content[0]
	leaveOutDefaults(tree, tree, hash)
	style(tree)
	comment(tree, "", guesses)
	if len(guesses) > 0 {
		root.HeadComment = head
	}
	var written bytes.Buffer
	encoder := yaml.NewEncoder(&written)
	encoder.SetIndent(2)
	if err := encoder.Encode(&root); err != nil {
		return nil, fmt.Errorf("encode release %s: %w", document.Metadata.Name, err)
	}
	return written.Bytes(), encoder.Close()
}

// completed is a Release with its defaults as JSON, and its hash. The Release
// itself is left as it is.
func completed(document *Release) (text []byte, hash string, err error) {
	if text, err = json.Marshal(document); err != nil {
		return nil, "", err
	}
	var copied Release
	if err := json.Unmarshal(text, &copied); err != nil {
		return nil, "", err
	}
	ApplyDefaults(&copied)
	if hash, err = Hash(&copied); err != nil {
		return nil, "", err
	}
	text, err = json.Marshal(&copied)
	return text, hash, err
}

// leaveOutDefaults takes every field out of a mapping, and of those in it,
// without which the whole document still means the same.
func leaveOutDefaults(root, mapping *yaml.Node, hash string) {
	for i := 0; i+1 < len(mapping.Content); {
		whole := mapping.Content
		rest := append(append([]*yaml.Node(nil), whole[:i]...), whole[i+2:]...)
		mapping.Content = rest
		if meaning(root) == hash && whole[i].Value != "apiVersion" && whole[i].Value != "kind" {
			continue
		}
		mapping.Content = whole
		if whole[i+1].Kind == yaml.MappingNode {
			leaveOutDefaults(root, whole[i+1], hash)
		}
		for _, item := range whole[i+1].Content {
			if whole[i+1].Kind == yaml.SequenceNode && item.Kind == yaml.MappingNode {
				leaveOutDefaults(root, item, hash)
			}
		}
		i += 2
	}
}

// meaning is the hash of what a tree says, "" when it says nothing valid.
func meaning(root *yaml.Node) string {
	s := &source{root: root, fields: map[string]*yaml.Node{}, meant: map[string]bool{}}
	document := s.readRelease()
	if document == nil || len(s.problems) > 0 {
		return ""
	}
	ApplyDefaults(document)
	hash, err := Hash(document)
	if err != nil {
		return ""
	}
	return hash
}

// style turns JSON's looks into YAML's: blocks and plain text, with the
// innermost mappings and lists on one line.
func style(node *yaml.Node) (scalar bool) {
	node.Style = 0
	if node.Kind == yaml.ScalarNode {
		return true
	}
	inner := true
	for _, child := range node.Content {
		inner = style(child) && inner
	}
	if inner {
		node.Style = yaml.FlowStyle
	}
	return false
}

// comment puts each guess above its field.
func comment(node *yaml.Node, field string, guesses []Guess) {
	if node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		at := join(field, node.Content[i].Value)
		for _, guess := range guesses {
			if guess.Field == at {
				node.Style = 0
				node.Content[i].HeadComment = "guessed: " + strings.Join(strings.Fields(guess.Why), " ")
			}
		}
		comment(node.Content[i+1], at, guesses)
	}
}
