package preflight

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"regexp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// scrubber takes secrets out of facts as JSON.
type scrubber struct {
	key []byte
	// named matches the names of fields whose text is a secret by itself.
	named *regexp.Regexp
	// known are values that look like secrets where they stood; they are then
	// taken out of every other text too.
	known []string
}

// withoutSecrets is a tree of facts without what may be one.
func withoutSecrets(tree map[string]any, key []byte) any {
	scrub := &scrubber{key: key, named: regexp.MustCompile(`(?i)(password|passwd|passphrase|token|authorization|cookie|credential|api[-_]?key|access[-_]?key)$`)}
	// A Release holds none: it is refused otherwise. Its headers, by which a
	// preview is told, look like those of a probe.
	document := tree["Release"]
	delete(tree, "Release")
	scrub.tree(tree)
	tree["Release"] = document
	return redacted(tree, release.NewRedactor(scrub.known...))
}

// tree hides values in place, by where they stand.
func (s *scrubber) tree(node any) {
	switch node := node.(type) {
	case []any:
		for _, item := range node {
			s.tree(item)
		}
	case map[string]any:
		s.mapping(node)
	}
}

func (s *scrubber) mapping(node map[string]any) {
	delete(node, "managedFields")
	if name, isNamed := node["name"].(string); isNamed {
		if value, has := node["value"].(string); has { // a variable, or a header
			s.known = append(s.known, release.SecretsIn(name+"="+value)...)
			node["value"] = s.hidden(value)
		}
	}
	for key, value := range node {
		text, isText := value.(string)
		switch {
		case isText && s.named.MatchString(key):
			s.known = append(s.known, text)
			node[key] = s.hidden(text)
		case isText:
		case key == "args", key == "command":
			s.list(value)
		case key == "annotations", key == "volumeAttributes", key == "stringData", key == "data":
			s.values(value)
		default:
			s.tree(value)
		}
	}
}

// list hides every text of a list.
func (s *scrubber) list(node any) {
	items, _ := node.([]any)
	for index, item := range items {
		if text, isText := item.(string); isText {
			s.known = append(s.known, release.SecretsIn(text)...)
			items[index] = s.hidden(text)
		}
	}
}

// values hides every text of a mapping; the names stay, which are what checks go
// by.
func (s *scrubber) values(node any) {
	entries, _ := node.(map[string]any)
	for name, value := range entries {
		if text, isText := value.(string); isText {
			s.known = append(s.known, release.SecretsIn(name+"="+text)...)
			entries[name] = s.hidden(text)
		}
	}
}

// hidden stands for a value: equal ones are hidden alike, and an empty one is
// still empty.
func (s *scrubber) hidden(value string) string {
	if value == "" {
		return ""
	}
	sum := hmac.New(sha256.New, s.key)
	sum.Write([]byte(value))
	return "hidden:" + hex.EncodeToString(sum.Sum(nil)[:8])
}

// redacted is a tree without the secrets in its texts.
func redacted(node any, redactor release.Redactor) any {
	switch node := node.(type) {
	case string:
		return redactor.Redact(node)
	case []any:
		for index, item := range node {
			node[index] = redacted(item, redactor)
		}
	case map[string]any:
		for key, value := range node {
			node[key] = redacted(value, redactor)
		}
	}
	return node
}
