package release

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// credential matches text in which a password may stand: a PostgreSQL URL, a
// URL of any scheme with user:password@, and the password keyword of libpq's
// connection strings.
var credential = regexp.MustCompile(`(?i)(postgres(ql)?://|[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@|\b(pg)?password\s*=\s*\S)`)

// HoldsPassword reports whether a text that somebody else wrote, such as a
// manifest, holds a URL with a password or the password keyword of libpq's
// connection strings.
func HoldsPassword(text string) bool { return password.MatchString(text) }

// password is credential without the URL of a PostgreSQL that needs none.
var password = regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@|\b(pg)?password\s*=\s*\S)`)

const (
	credentialMessage = "looks like a connection string or a password, which must never stand in this document"
	credentialHint    = "put it in a Secret and name that: dsn: {secretKeyRef: {name: NAME, key: KEY}}"
)

// refuseCredentials reports every place of the text in which a password may
// stand, comments included, for the document is kept in the cluster. It looks
// at the text as written, then at the scalars as YAML reads them.
func (s *source) refuseCredentials(text []byte) {
	lines := map[int]bool{}
	for index, line := range strings.Split(string(text), "\n") {
		if at := credential.FindStringIndex(line); at != nil {
			lines[index+1] = true
			s.at(index+1, at[0]+1, "", credentialMessage, credentialHint)
		}
	}
	var walk func(node *yaml.Node)
	walk = func(node *yaml.Node) {
		if node.Kind == yaml.ScalarNode && credential.MatchString(node.Value) && !s.spans(node, lines) {
			s.at(node.Line, node.Column, "", credentialMessage, credentialHint)
		}
		for _, child := range node.Content {
			walk(child)
		}
	}
	if s.root != nil {
		walk(s.root)
	}
}

// spans reports whether a scalar covers a line that was reported already.
func (s *source) spans(node *yaml.Node, lines map[int]bool) bool {
	for line := node.Line; line <= node.Line+strings.Count(node.Value, "\n")+1; line++ {
		if lines[line] {
			return true
		}
	}
	return false
}

// shown quotes a value for a message: short, and never a secret.
func shown(value string) string {
	if credential.MatchString(value) || Redacted(value) != value {
		return "a value that is not repeated here"
	}
	const longest = 60
	if runes := []rune(value); len(runes) > longest {
		value = string(runes[:longest]) + "…"
	}
	return strconv.Quote(value)
}
