package custom

import (
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/parser"
)

// longestInsertion bounds what one step puts into a text many times, in bytes.
const longestInsertion = 64

// growth refuses what makes something large out of something small in one step:
// its cost is looked at when the step is done, and the memory gone by then.
type growth struct{}

// Name of the validator.
func (growth) Name() string { return "bluegreen.growth" }

// Validate looks at every call.
func (growth) Validate(_ *cel.Env, _ cel.ValidatorConfig, checked *ast.AST, found *cel.Issues) {
	for _, call := range ast.MatchDescendants(ast.NavigateAST(checked), ast.KindMatcher(ast.CallKind)) {
		arguments := call.AsCall().Args()
		switch call.AsCall().FunctionName() {
		case "replace":
			insertion(arguments, 1, found)
		case "join":
			insertion(arguments, 0, found)
		case "format":
			found.ReportErrorAtID(call.ID(), "format is not offered: put the text together with + and string()")
		case operators.Add:
			if kind := checked.GetType(call.ID()).Kind(); (kind == types.ListKind || kind == types.DynKind) && !ofMacro(arguments[0]) {
				found.ReportErrorAtID(call.ID(), "lists and values of any type are not added: write [a, b].flatten(), or int(a) + int(b)")
			}
		}
	}
}

// insertion refuses an argument that is no short text in quotes.
func insertion(arguments []ast.Expr, index int, found *cel.Issues) {
	if index >= len(arguments) {
		return
	}
	if argument := arguments[index]; argument.Kind() == ast.LiteralKind {
		if text, isText := argument.AsLiteral().(types.String); isText && len(text) <= longestInsertion {
			return
		}
	}
	found.ReportErrorAtID(arguments[index].ID(), "what is inserted must be a text in quotes of at most %d bytes", longestInsertion)
}

// ofMacro reports whether the sum is that of map or filter, which add one item at
// a time.
func ofMacro(first ast.Expr) bool {
	return first.Kind() == ast.IdentKind && (first.AsIdent() == parser.AccumulatorName || first.AsIdent() == parser.HiddenAccumulatorName)
}
