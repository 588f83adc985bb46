package custom

import (
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	// longestExpression bounds an expression, in code points.
	longestExpression = 4096
	// deepestExpression bounds how deep it may be nested.
	deepestExpression = 64
	// longestRange bounds lists.range.
	longestRange = 1000
)

// newEnvironment knows the variables, and the functions: those of CEL, and of the
// libraries strings, sets, lists and quantity as far as they can't make something
// large out of something small.
func newEnvironment() (*cel.Env, *schema, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, nil, fmt.Errorf("set up CEL: %w", err)
	}
	known := newSchema(registry)
	options := []cel.EnvOption{
		cel.CustomTypeProvider(known),
		cel.ParserExpressionSizeLimit(longestExpression), cel.ParserRecursionLimit(deepestExpression),
		cel.CrossTypeNumericComparisons(true),
		ext.Strings(ext.StringsVersion(5)), ext.Sets(), ext.Lists(ext.ListsVersion(3), ext.ListsMaxRangeSize(longestRange)),
		cel.Function("quantity", cel.Overload("quantity_string", []*cel.Type{cel.StringType}, cel.DoubleType, cel.UnaryBinding(quantity))),
		cel.ASTValidators(growth{}),
	}
	variables := known.structureOf(variablesType)
	for name, field := range variables.fields {
		options = append(options, cel.Variable(name, known.typeOf(field.of)))
	}
	environment, err := cel.NewEnv(options...)
	if err != nil {
		return nil, nil, fmt.Errorf("set up CEL: %w", err)
	}
	return environment, known, nil
}

// quantity is the number that a quantity of Kubernetes stands for: 0.5 of 500m.
func quantity(text ref.Val) ref.Val {
	written, isText := text.(types.String)
	if !isText {
		return types.MaybeNoSuchOverloadErr(text)
	}
	parsed, err := resource.ParseQuantity(string(written))
	if err != nil {
		return types.NewErr("quantity: %q is none", string(written))
	}
	return types.Double(parsed.AsApproximateFloat64())
}
