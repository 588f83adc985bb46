package detect

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// pathKind is how a path of a match is meant.
type pathKind int

const (
	// anyPath takes every path.
	anyPath pathKind = iota
	// expressionPath is a regular expression.
	expressionPath
	// prefixPath takes a path and everything below it: /api is no prefix of
	// /apis.
	prefixPath
	// startPath takes every path that begins with the same characters.
	startPath
	// exactPath takes one path alone.
	exactPath
)

// condition is something else that a request must have.
type condition struct {
	// on is what it is about: header x-canary. is says how it must be; exact is
	// whether that is the one value.
	on, is string
	exact  bool
}

// match is which requests of a host are meant.
type match struct {
	kind       pathKind
	path       string
	conditions []condition
}

// String is a match for people.
func (m match) String() string {
	path := map[pathKind]string{
		anyPath: "every path", expressionPath: "paths like " + m.path, prefixPath: m.path + " and below",
		startPath: "paths that begin with " + m.path, exactPath: "exactly " + m.path,
	}[m.kind]
	parts := []string{path}
	for _, condition := range m.conditions {
		parts = append(parts, strings.TrimSpace(condition.on+" "+condition.is))
	}
	return strings.Join(parts, ", ")
}

// under is a match for a path and everything below it; that of / is every path.
func under(path string) match {
	path = strings.TrimRight(path, "/")
	if path == "" {
		return match{}
	}
	return match{kind: prefixPath, path: path}
}

// beginning is a match for paths by their first characters.
func beginning(path string) match {
	if path == "" || path == "/" {
		return match{}
	}
	return match{kind: startPath, path: path}
}

// with is the match with more conditions, in the order of their texts.
func (m match) with(conditions ...condition) match {
	m.conditions = slices.Concat(m.conditions, conditions)
	slices.SortFunc(m.conditions, func(a, b condition) int { return cmp.Or(strings.Compare(a.on, b.on), strings.Compare(a.is, b.is)) })
	m.conditions = slices.Compact(m.conditions)
	return m
}

// holds reports whether a path is one of the match's.
func (m match) holds(path string) bool {
	switch m.kind {
	case exactPath:
		return path == m.path
	case prefixPath:
		return path == m.path || strings.HasPrefix(path, m.path+"/")
	case startPath:
		return strings.HasPrefix(path, m.path)
	case expressionPath:
		expression, err := regexp.Compile("^(?:" + m.path + ")")
		return err != nil || expression.MatchString(path)
	}
	return true
}

// both is the match of the requests that two matches have in common, and
// whether there can be any. What an expression and a prefix have in common is
// not known, and taken to be something.
func (m match) both(other match) (match, bool) {
	narrow, wide := m, other
	if narrow.rank() < wide.rank() {
		narrow, wide = wide, narrow
	}
	if narrow.kind != anyPath && narrow.kind != expressionPath && wide.kind != expressionPath && !wide.holds(narrow.path) {
		return match{}, false
	}
	if narrow.kind == exactPath && !wide.holds(narrow.path) {
		return match{}, false
	}
	for _, a := range m.conditions {
		for _, b := range other.conditions {
			if a.on == b.on && a.exact && b.exact && a.is != b.is {
				return match{}, false
			}
		}
	}
	return narrow.with(wide.conditions...), true
}

// rank orders paths by how exact they are: one path, then prefixes by their
// length, expressions behind them, and every path last.
func (m match) rank() int {
	const most = 1 << 12 // longer than paths are
	switch m.kind {
	case exactPath:
		return 2*most + len(m.path)
	case prefixPath, startPath:
		return 2 + len(m.path)
	case expressionPath:
		return 1
	}
	return 0
}
