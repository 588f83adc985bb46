package traffic

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// ErrNoColor is wrapped by the error for a route that does not clearly
// select exactly one colour. Nothing may be built on such a route.
var ErrNoColor = errors.New("route does not select exactly one colour")

// colorSelectors are the labels of each colour.
type colorSelectors map[string]map[string]string

// selectorsOf are the labels of a release's colours.
func selectorsOf(rel *release.Release) colorSelectors {
	colors := colorSelectors{}
	for name, color := range rel.Spec.Colors {
		colors[name] = color.Selector
	}
	return colors
}

// selectorError is a selector out of which no colour can be read; key is the
// label at fault, when it is one.
type selectorError struct {
	key     string
	message string
}

func (e *selectorError) Error() string { return e.message }
func (e *selectorError) Unwrap() error { return ErrNoColor }

func noColor(key, format string, args ...any) error {
	return &selectorError{key: key, message: fmt.Sprintf(format, args...)}
}

// forEach is a line for each colour, for who knows which one it is to be.
func forEach(colors []string, line func(color string) string) string {
	var lines []string
	for _, color := range colors {
		lines = append(lines, color+": "+line(color))
	}
	return strings.Join(lines, "; ")
}

// names are the colours, sorted.
func (c colorSelectors) names() []string { return slices.Sorted(maps.Keys(c)) }

// keys are the labels of all colours, sorted.
func (c colorSelectors) keys() []string {
	union := map[string]bool{}
	for _, selector := range c {
		for key := range selector {
			union[key] = true
		}
	}
	return slices.Sorted(maps.Keys(union))
}

// apart reports whether some label of both colours has different values, so
// that no pod and no route can be of both.
func (c colorSelectors) apart(one, other string) bool {
	for key, value := range c[one] {
		if against, shared := c[other][key]; shared && against != value {
			return true
		}
	}
	return false
}

// validate refuses colours that a selector can't tell apart.
func (c colorSelectors) validate() error {
	names := c.names()
	if len(names) != 2 {
		return fmt.Errorf("read colours: a Service is switched between two colours, and the release has %d", len(names))
	}
	for _, name := range names {
		if len(c[name]) == 0 {
			return release.WithHint(fmt.Errorf("read colours: %s has no selector, so no route can tell it apart", name),
				fmt.Sprintf("set spec.colors.%s.selector, for instance {version: %s}", name, name))
		}
	}
	if !c.apart(names[0], names[1]) {
		return release.WithHint(fmt.Errorf("read colours: no label has one value for %s and another for %s", names[0], names[1]),
			fmt.Sprintf("give spec.colors.%s.selector and spec.colors.%s.selector a label in common with different values", names[0], names[1]))
	}
	return nil
}

// selected reads the colour out of a route's selector.
func (c colorSelectors) selected(selector map[string]string) (string, error) {
	if len(selector) == 0 {
		return "", noColor("", "it has no selector, so it selects no pod by label")
	}
	var matching []string
	for _, name := range c.names() {
		if contains(selector, c[name]) {
			matching = append(matching, name)
		}
	}
	switch len(matching) {
	case 0:
		return "", c.whyNone(selector)
	case 1:
		return matching[0], c.foreignKey(selector, matching[0])
	}
	return "", noColor("", "its selector matches %s at once", strings.Join(matching, " and "))
}

// whyNone names the label because of which no colour is selected.
func (c colorSelectors) whyNone(selector map[string]string) error {
	for _, key := range c.keys() {
		if _, found := selector[key]; !found && c.sharedKey(key) {
			return noColor(key, "its selector has no key %s, so it may send traffic to every colour", key)
		}
	}
	for _, key := range c.keys() {
		value, found := selector[key]
		if found && c.sharedKey(key) && !c.hasValue(key, value) {
			return noColor(key, "its selector has %s=%s, which is of no colour (%s)", key, value, strings.Join(c.values(key), ", "))
		}
	}
	return noColor(c.keys()[0], "its selector matches no colour: the keys %s are of several", strings.Join(c.keys(), ", "))
}

// foreignKey refuses a selector of one colour that also holds a key which
// only the other colour has: it would select neither's pods.
func (c colorSelectors) foreignKey(selector map[string]string, color string) error {
	for _, key := range c.keys() {
		_, own := c[color][key]
		if _, found := selector[key]; found && !own {
			return noColor(key, "its selector is that of %s, and has key %s of another colour", color, key)
		}
	}
	return nil
}

// sharedKey reports whether every colour has the key.
func (c colorSelectors) sharedKey(key string) bool {
	for _, selector := range c {
		if _, found := selector[key]; !found {
			return false
		}
	}
	return true
}

func (c colorSelectors) hasValue(key, value string) bool {
	for _, selector := range c {
		if selector[key] == value {
			return true
		}
	}
	return false
}

// values lists a key's value for each colour, for people.
func (c colorSelectors) values(key string) []string {
	var values []string
	for _, name := range c.names() {
		values = append(values, fmt.Sprintf("%s is %s", name, c[name][key]))
	}
	return values
}

// changes are the operations that turn a selector into that of a colour,
// sorted by key; none when it is that already.
func (c colorSelectors) changes(selector map[string]string, color string) []cluster.Operation {
	var operations []cluster.Operation
	for _, key := range c.keys() {
		path := "/spec/selector/" + cluster.EscapePointer(key)
		now, has := selector[key]
		wanted, wants := c[color][key]
		switch {
		case wants && !has:
			operations = append(operations, cluster.Operation{Op: "add", Path: path, Value: wanted})
		case wants && now != wanted:
			operations = append(operations, cluster.Operation{Op: "replace", Path: path, Value: wanted})
		case !wants && has:
			operations = append(operations, cluster.Operation{Op: "remove", Path: path})
		}
	}
	return operations
}

// contains reports whether selector holds every label.
func contains(selector, labels map[string]string) bool {
	for key, value := range labels {
		if found, has := selector[key]; !has || found != value {
			return false
		}
	}
	return true
}
