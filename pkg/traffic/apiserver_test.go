package traffic

import (
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	"pgregory.net/rapid"
)

// perExpression is what an API server lets one expression cost, in units of CEL
// (k8s.io/apiserver/pkg/apis/cel, PerCallLimit).
const perExpression = 1_000_000

// apiServer is what every API server with admission policies reads expressions
// by, as far as ours use it (k8s.io/apiserver/pkg/cel/environment, of 1.30).
func apiServer() (*cel.Env, error) {
	return cel.NewEnv(cel.Variable("object", cel.DynType), cel.HomogeneousAggregateLiterals(), cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateHomogeneousAggregateLiterals()), ext.Strings(ext.StringsVersion(2)))
}

// evaluate is what an expression says of an object, within what it may cost.
func evaluate(t rapid.TB, expression string, object map[string]any) any {
	t.Helper()
	value, _ := evaluated(t, expression, object)
	return value
}

// evaluated is that, and what it costs.
func evaluated(t rapid.TB, expression string, object map[string]any) (value any, cost uint64) {
	t.Helper()
	return run(t, compiled(t, expression), object)
}

// compiled is an expression, as it is kept to be asked.
func compiled(t rapid.TB, expression string) cel.Program {
	t.Helper()
	environment, err := apiServer()
	if err != nil {
		t.Fatal(err)
	}
	checked, issues := environment.Compile(expression)
	if issues.Err() != nil {
		t.Fatalf("%s\n%v", expression, issues.Err())
	}
	program, err := environment.Program(checked, cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost), cel.CostLimit(perExpression))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// run asks it about an object.
func run(t rapid.TB, program cel.Program, object map[string]any) (value any, cost uint64) {
	t.Helper()
	result, details, err := program.Eval(map[string]any{"object": object})
	if err != nil {
		t.Fatalf("%v: %v", object, err)
	}
	return result.Value(), *details.ActualCost()
}

// readsAsTheDriver fails the test unless an expression and a driver see the same
// split in objects, or both see none.
func readsAsTheDriver(t *testing.T, text string, colors colorServices, pools func(map[string]any) ([]pool, error), draw func(*rapid.T) map[string]any) {
	t.Helper()
	program, clear := compiled(t, text), map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		object := draw(t)
		want := ""
		found, err := pools(object)
		if err == nil {
			if split, err := colors.split(found); err == nil {
				want = split.String()
			}
		}
		clear[want]++
		if got, _ := run(t, program, object); got != want {
			t.Fatalf("%v: %q, want %q (%v) by\n%s", object, got, want, err, text)
		}
	})
	if len(clear) < 3 || clear[""] == 0 {
		t.Errorf("hardly anything was drawn: %v", clear)
	}
}
