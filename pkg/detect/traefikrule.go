package detect

import (
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/traefikrule"
)

// way is one alternative of a rule: all of it must hold.
type way struct {
	hosts []host
	match match
}

// traefikRule are the alternatives of a rule. One that can't be read takes every
// request that has what it says.
func traefikRule(rule string) []way {
	alternatives, err := traefikrule.Alternatives(rule)
	if err != nil {
		return []way{{match: match{}.with(condition{on: "rule", is: rule})}}
	}
	var ways []way
	for _, matchers := range alternatives {
		joined := []way{{}}
		for _, matcher := range matchers {
			joined = together(joined, traefikMatcher(matcher))
		}
		ways = append(ways, joined...)
	}
	return ways
}

// together are the ways on which both hold.
func together(one, other []way) []way {
	var ways []way
	for _, a := range one {
		for _, b := range other {
			if joined, possible := a.match.both(b.match); possible {
				ways = append(ways, way{hosts: slices.Concat(a.hosts, b.hosts), match: joined})
			}
		}
	}
	return ways
}

func traefikMatcher(matcher traefikrule.Matcher) []way {
	if !matcher.Negated && len(matcher.Arguments) > 0 {
		return traefikMatched(matcher.Name, matcher.Arguments)
	}
	said := matcher.Name + "(" + strings.Join(matcher.Arguments, ", ") + ")"
	if matcher.Negated {
		said = "not " + said
	}
	return []way{{match: match{}.with(condition{on: "rule", is: said})}}
}

// traefikMatched is a matcher that must hold; several arguments of a host or a
// path are alternatives.
func traefikMatched(name string, arguments []string) []way {
	switch name {
	case "Host", "HostSNI":
		return []way{{hosts: allNamed(arguments)}}
	case "HostRegexp", "HostSNIRegexp":
		one := way{}
		for _, argument := range arguments {
			one.hosts = append(one.hosts, expressed(argument))
		}
		return []way{one}
	case "Path", "PathPrefix", "PathRegexp":
		var ways []way
		for _, argument := range arguments {
			one := beginning(argument)
			if name != "PathPrefix" {
				one = match{kind: map[string]pathKind{"Path": exactPath, "PathRegexp": expressionPath}[name], path: argument}
			}
			ways = append(ways, way{match: one})
		}
		return ways
	case "Header", "Headers", "Query":
		word := map[string]string{"Header": "header", "Headers": "header", "Query": "parameter"}[name]
		return []way{{match: match{}.with(condition{on: word + " " + strings.ToLower(arguments[0]), is: strings.Join(arguments[1:], " "), exact: true})}}
	case "Method":
		return []way{{match: match{}.with(condition{on: "method", is: strings.Join(arguments, " or "), exact: len(arguments) == 1})}}
	}
	return []way{{match: match{}.with(condition{on: name, is: strings.Join(arguments, " ")})}}
}
