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

// alternativesMost is how many a rule may have: each part of two alternatives that
// is joined to others by && makes twice as many.
const alternativesMost = 1000

// Alternatives turns a rule inside out: a request is taken where all matchers of
// one of them hold. A rule of more than a thousand is an error.
func Alternatives(rule string) ([][]Matcher, error) {
	expression, err := parse(rule)
	if err != nil {
		return nil, err
	}
	if count(expression, false) > alternativesMost {
		return nil, fmt.Errorf("read rule %s: it has more than %d alternatives", rule, alternativesMost)
	}
	return alternatives(expression, false), nil
}

// Always reports whether every one of a rule's alternatives, however many they are,
// has a matcher of which something holds. Of a rule that can't be read nothing does.
func Always(rule string, holds func(Matcher) bool) bool {
	expression, err := parse(rule)
	return err == nil && always(expression, false, holds)
}

func parse(rule string) (ast.Expr, error) {
	expression, err := parser.ParseExpr(rule)
	if err != nil {
		return nil, fmt.Errorf("read rule %s: %w", rule, err)
	}
	return expression, nil
}

// always is Always of a part of a rule: of what is joined by && one side is enough,
// for each alternative of the whole has one of that side.
func always(expression ast.Expr, negated bool, holds func(Matcher) bool) bool {
	switch node := expression.(type) {
	case *ast.ParenExpr:
		return always(node.X, negated, holds)
	case *ast.UnaryExpr:
		return always(node.X, negated != (node.Op == token.NOT), holds)
	case *ast.BinaryExpr:
		one, other := always(node.X, negated, holds), always(node.Y, negated, holds)
		if either(node, negated) {
			return one && other
		}
		return one || other
	case *ast.CallExpr:
		return holds(matcher(node, negated))
	}
	return false
}

// count is how many alternatives a part of a rule has, or some number of more than
// a rule may have.
func count(expression ast.Expr, negated bool) int {
	switch node := expression.(type) {
	case *ast.ParenExpr:
		return count(node.X, negated)
	case *ast.UnaryExpr:
		return count(node.X, negated != (node.Op == token.NOT))
	case *ast.BinaryExpr:
		one, other := count(node.X, negated), count(node.Y, negated)
		if either(node, negated) {
			return min(one+other, alternativesMost+1)
		}
		return min(one*other, alternativesMost+1)
	}
	return 1
}

// either reports whether one side of two is enough.
func either(node *ast.BinaryExpr, negated bool) bool { return (node.Op == token.LOR) != negated }

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
		if either(node, negated) {
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
