// Package traefikrule reads the rules of Traefik's routers
// (https://doc.traefik.io/traefik/reference/routing-configuration/http/routing/rules-and-priority/):
// expressions of matchers with &&, || and !, in the syntax of Go.
package traefikrule

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
)

// Matcher is one call of a rule: Host(`shop.example.com`).
type Matcher struct {
	Name      string
	Arguments []string
	// Negated: a request must not be what it says.
	Negated bool
}

// Alternatives turns a rule inside out: a request is taken where all matchers of
// one of them hold.
func Alternatives(rule string) ([][]Matcher, error) {
	expression, err := parser.ParseExpr(rule)
	if err != nil {
		return nil, fmt.Errorf("read rule %s: %w", rule, err)
	}
	return alternatives(expression, false), nil
}

// alternatives of a part of a rule; negated is whether an uneven number of !
// stands before it.
func alternatives(expression ast.Expr, negated bool) [][]Matcher {
	switch node := expression.(type) {
	case *ast.ParenExpr:
		return alternatives(node.X, negated)
	case *ast.UnaryExpr:
		return alternatives(node.X, negated != (node.Op == token.NOT))
	case *ast.BinaryExpr:
		one, other := alternatives(node.X, negated), alternatives(node.Y, negated)
		if (node.Op == token.LOR) != negated {
			return slices.Concat(one, other)
		}
		return together(one, other)
	case *ast.CallExpr:
		return [][]Matcher{{matcher(node, negated)}}
	}
	return [][]Matcher{nil}
}

// together are the alternatives on which one of each holds.
func together(one, other [][]Matcher) [][]Matcher {
	var both [][]Matcher
	for _, a := range one {
		for _, b := range other {
			both = append(both, slices.Concat(a, b))
		}
	}
	return both
}

func matcher(call *ast.CallExpr, negated bool) Matcher {
	found := Matcher{Negated: negated}
	if called, ok := call.Fun.(*ast.Ident); ok {
		found.Name = called.Name
	}
	for _, argument := range call.Args {
		if literal, ok := argument.(*ast.BasicLit); ok {
			text, _ := strconv.Unquote(literal.Value)
			found.Arguments = append(found.Arguments, text)
		}
	}
	return found
}
