package preflight

import (
	"regexp"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// What a panel's query says of the colours is read out of its text: PromQL and
// LogQL match labels alike, and SQL nearly so, and variables stand in all of
// them where none of their parsers expects one.

// queryParts read matchers, such as version=~"a|b", groupings, such as by
// (version), variables, and labels that name an object of the cluster.
type queryParts struct{ matcher, grouping, variable, object *regexp.Regexp }

func parts() queryParts {
	return queryParts{
		matcher:  regexp.MustCompile("([a-zA-Z_][a-zA-Z0-9_]*)\\s*(=~|!~|!=|=)\\s*[\"'`]([^\"'`]*)[\"'`]"),
		grouping: regexp.MustCompile(`\bby\s*\(([^)]*)\)`),
		object:   regexp.MustCompile(`(?i)pod|deployment|replicaset|statefulset|workload|service`),
		variable: regexp.MustCompile(`\$\{?([a-zA-Z_][a-zA-Z0-9_]*)|\[\[([a-zA-Z_][a-zA-Z0-9_]*)`),
	}
}

// shownBy are the colours that a query tells from the rest. Where it does so by
// a variable that takes a single value, that is named.
func (c colorsTold) shownBy(query string, variables []measure.DashboardVariable) (colors []string, single string) {
	read, matched := parts(), false
	for _, match := range read.matcher.FindAllStringSubmatch(query, -1) {
		label, operator, value := match[1], match[2], match[3]
		if name := read.variableIn(value); name != "" && slices.Contains(c.labels, label) {
			matched = true
			some, several := c.ofVariable(name, variables)
			if colors = append(colors, some...); !several {
				single = name
			}
			continue
		}
		if slices.Contains(c.labels, label) && value != "" && value != ".*" && value != ".+" {
			matched = true
			colors = append(colors, c.matching(operator, value)...)
			continue
		}
		if color := c.ofObject(value); color != "" && read.object.MatchString(label) && !strings.HasPrefix(operator, "!") {
			matched = true
			colors = append(colors, color)
		}
	}
	if !matched && c.grouped(read, query) {
		return c.names, ""
	}
	slices.Sort(colors)
	return slices.Compact(colors), single
}

// variableIn is the variable in a value, "" for none.
func (p queryParts) variableIn(value string) string {
	if found := p.variable.FindStringSubmatch(value); found != nil {
		return found[1] + found[2]
	}
	return ""
}

// ofVariable are the colours that a variable may choose, and whether it may
// choose several at once.
func (c colorsTold) ofVariable(name string, variables []measure.DashboardVariable) (colors []string, several bool) {
	at := slices.IndexFunc(variables, func(variable measure.DashboardVariable) bool { return variable.Name == name })
	if at < 0 {
		return nil, true // nobody can choose anything
	}
	for _, color := range c.names {
		values := variables[at].Values
		if values == nil || slices.ContainsFunc(c.values[color], func(value string) bool { return slices.Contains(values, value) }) {
			colors = append(colors, color)
		}
	}
	return colors, variables[at].Several || len(variables[at].Values) == 1
}

// matching are the colours that a matcher of the version label lets through.
func (c colorsTold) matching(operator, value string) []string {
	pattern := regexp.QuoteMeta(value)
	if strings.HasSuffix(operator, "~") {
		pattern = value
	}
	expression, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return nil
	}
	var colors []string
	for _, color := range c.names {
		matches := slices.ContainsFunc(c.values[color], func(value string) bool { return value != "" && expression.MatchString(value) })
		if matches != strings.HasPrefix(operator, "!") {
			colors = append(colors, color)
		}
	}
	return colors
}

// ofObject is the colour whose workload or Service a value names: the one with
// the longest name in it, since shop-green is no part of shop.
func (c colorsTold) ofObject(value string) string {
	longest, of := 0, ""
	for _, color := range c.names {
		for _, name := range c.objects[color] {
			if strings.Contains(value, name) && len(name) > longest {
				longest, of = len(name), color
			}
		}
	}
	return of
}

// grouped reports whether a query splits by the version label, so that every
// colour has a line of its own.
func (c colorsTold) grouped(read queryParts, query string) bool {
	for _, group := range read.grouping.FindAllStringSubmatch(query, -1) {
		for label := range strings.SplitSeq(group[1], ",") {
			if slices.Contains(c.labels, strings.TrimSpace(label)) {
				return true
			}
		}
	}
	return false
}
