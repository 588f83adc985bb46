package custom

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// keys finds what an expression reads of a colour or a database that the Release
// doesn't have. When it is evaluated, such a slip would only make it unknown, and
// that blocks nothing.
type keys struct {
	checked *ast.AST
	// known are those of the Release, by the type of what a map holds of each.
	known map[string]declaredKeys
	// found are those that are read, asked those that has() and in ask for: they may
	// be of another Release, which shares the check.
	found []key
	asked []string
}

// declaredKeys are the colours, or the databases, of the Release.
type declaredKeys struct {
	kind  string
	names []string
}

// key is what a map is read by in an expression.
type key struct {
	name string
	// at is its number in the expression.
	at int64
	of declaredKeys
}

// keysOf are the keys of the Release by which the variables are read.
func keysOf(known *schema, of *release.Release) map[string]declaredKeys {
	colors, databases := declaredKeys{kind: "colour", names: of.Spec.ColorNames()}, declaredKeys{kind: "database"}
	for _, database := range of.Spec.Databases {
		databases.names = append(databases.names, database.Name)
	}
	name := func(of reflect.Type) string { return known.typeOf(of).TypeName() }
	return map[string]declaredKeys{
		name(reflect.TypeFor[Color]()):         colors,
		name(reflect.TypeFor[ColorMetrics]()):  colors,
		name(reflect.TypeFor[release.Color]()): colors,
		name(reflect.TypeFor[Database]()):      databases,
	}
}

// unknownKeys are those of an expression that the Release doesn't have.
func unknownKeys(compiled *cel.Ast, known map[string]declaredKeys) []key {
	k := &keys{checked: compiled.NativeRep(), known: known}
	for _, one := range ast.MatchDescendants(ast.NavigateAST(k.checked), ast.AllMatcher()) {
		switch one.Kind() {
		case ast.SelectKind:
			chosen := one.AsSelect()
			k.add(chosen.Operand(), chosen.FieldName(), one.ID(), chosen.IsTestOnly())
		case ast.CallKind:
			k.addCall(one.AsCall())
		}
	}
	return slices.DeleteFunc(k.found, func(one key) bool { return slices.Contains(k.asked, one.name) })
}

// addCall adds a constant key in brackets, or one that is asked for.
func (k *keys) addCall(call ast.CallExpr) {
	within, of := 0, 1
	switch call.FunctionName() {
	case operators.Index:
	case operators.In:
		within, of = 1, 0
	default:
		return
	}
	named := call.Args()[of]
	if named.Kind() != ast.LiteralKind {
		return
	}
	if text, isText := named.AsLiteral().(types.String); isText {
		k.add(call.Args()[within], string(text), named.ID(), call.FunctionName() == operators.In)
	}
}

func (k *keys) add(within ast.Expr, name string, at int64, asks bool) {
	of := k.checked.GetType(within.ID())
	if of.Kind() != types.MapKind {
		return
	}
	known, declares := k.known[of.Parameters()[1].TypeName()]
	switch {
	case !declares || slices.Contains(known.names, name):
	case asks:
		k.asked = append(k.asked, name)
	default:
		k.found = append(k.found, key{name: name, at: at, of: known})
	}
}

func (k key) message() string { return fmt.Sprintf("the Release has no %s %q", k.of.kind, k.name) }

func (k key) remedy() string {
	if len(k.of.names) == 0 {
		return "it declares no " + k.of.kind
	}
	return release.DidYouMean(k.name, k.of.names, "it has "+strings.Join(k.of.names, " and "))
}
