package detect

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// A rule of Traefik is an expression of matchers with &&, || and !, in the
// syntax of Go.

// way is one alternative of a rule: all of it must hold.
type way struct {
	hosts []host
	match match
}

// traefikRule are the alternatives of a rule. One that can't be read takes every
// request that has what it says.
func traefikRule(rule string) []way {
	expression, err := parser.ParseExpr(rule)
	if err != nil {
		return []way{{match: match{}.with(condition{on: "rule", is: rule})}}
	}
	return traefikWays(expression, false)
}

// traefikWays turns a rule inside out, so that its alternatives stand outside;
// negated is whether an uneven number of ! stands before it.
func traefikWays(expression ast.Expr, negated bool) []way {
	switch node := expression.(type) {
	case *ast.ParenExpr:
		return traefikWays(node.X, negated)
	case *ast.UnaryExpr:
		return traefikWays(node.X, negated != (node.Op == token.NOT))
	case *ast.BinaryExpr:
		one, other := traefikWays(node.X, negated), traefikWays(node.Y, negated)
		if (node.Op == token.LOR) != negated {
			return slices.Concat(one, other)
		}
		return together(one, other)
	case *ast.CallExpr:
		return traefikMatcher(node, negated)
	}
	return []way{{}}
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

// traefikMatcher is one call: Host(`shop.example.com`).
func traefikMatcher(call *ast.CallExpr, negated bool) []way {
	name, arguments := "", []string(nil)
	if called, ok := call.Fun.(*ast.Ident); ok {
		name = called.Name
	}
	for _, argument := range call.Args {
		if literal, ok := argument.(*ast.BasicLit); ok {
			text, _ := strconv.Unquote(literal.Value)
			arguments = append(arguments, text)
		}
	}
	if negated || len(arguments) == 0 {
		said := name + "(" + strings.Join(arguments, ", ") + ")"
		if negated {
			said = "not " + said
		}
		return []way{{match: match{}.with(condition{on: "rule", is: said})}}
	}
	return traefikMatched(name, arguments)
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
