package admission

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// perExpression and perPolicy are what an API server lets one expression and one
// policy cost, in units of CEL (k8s.io/apiserver/pkg/apis/cel, PerCallLimit and
// RuntimeCELCostBudget).
const perExpression, perPolicy = 1_000_000, 10_000_000

// evaluator does with a policy what an API server does: it compiles every
// expression by the libraries that every server with admission policies has,
// demands the types that the server demands, and asks of an update whether it
// may pass, at no more than that may cost.
type evaluator struct {
	t      *testing.T
	policy *admissionv1.ValidatingAdmissionPolicy
	// programs are the expressions that were compiled before.
	programs map[string]cel.Program
}

// update is one write and who makes it. The objects are a Service, or of a kind
// without a Go type.
type update struct {
	before, after runtime.Object
	user          string
	groups        []string
}

// verdict is what the policy says of an update.
type verdict struct {
	// refused are the numbers of the rules that refuse it, and messages what
	// they say.
	refused  []int
	messages []string
	// noted is the line for the audit log.
	noted string
	// cost of all that was evaluated.
	cost uint64
}

func (e evaluator) judge(write update) verdict {
	e.t.Helper()
	return e.judgeContents(e.content(write.before), e.content(write.after), write)
}

// judgeContents is judge for objects of any kind.
func (e evaluator) judgeContents(before, after map[string]any, write update) verdict {
	e.t.Helper()
	groups := []any{"system:authenticated"}
	for _, group := range write.groups {
		groups = append(groups, group)
	}
	variables := map[string]any{}
	known := map[string]any{
		"object": after, "oldObject": before, "variables": variables,
		"request": map[string]any{"operation": "UPDATE", "userInfo": map[string]any{"username": write.user, "groups": groups}},
	}
	found := verdict{}
	for _, variable := range e.policy.Spec.Variables {
		variables[variable.Name] = e.value(variable.Expression, nil, known, &found.cost)
	}
	for number, rule := range e.policy.Spec.Validations {
		passes, _ := e.value(rule.Expression, cel.BoolType, known, &found.cost).(bool)
		if passes {
			continue
		}
		message, _ := e.value(rule.MessageExpression, cel.StringType, known, &found.cost).(string)
		found.refused, found.messages = append(found.refused, number), append(found.messages, message)
	}
	for _, annotation := range e.policy.Spec.AuditAnnotations {
		found.noted, _ = e.value(annotation.ValueExpression, cel.StringType, known, &found.cost).(string)
	}
	if found.cost > perPolicy {
		e.t.Errorf("the policy costs %d, and may cost %d", found.cost, perPolicy)
	}
	return found
}

// value evaluates an expression, whose type must be the wanted one, and adds up
// what it costs.
func (e evaluator) value(expression string, wanted *cel.Type, known map[string]any, cost *uint64) any {
	e.t.Helper()
	program, found := e.programs[expression]
	if !found {
		program = e.compiled(expression, wanted, slices.Collect(maps.Keys(known)))
		e.programs[expression] = program
	}
	result, details, err := program.Eval(known)
	if err != nil {
		e.t.Fatalf("%s\n%v", expression, err)
	}
	*cost += *details.ActualCost()
	return result.Value()
}

// compiled is an expression, whose type must be the wanted one, about what is
// known by some names.
func (e evaluator) compiled(expression string, wanted *cel.Type, names []string) cel.Program {
	e.t.Helper()
	options := []cel.EnvOption{
		cel.HomogeneousAggregateLiterals(), cel.CrossTypeNumericComparisons(true), cel.OptionalTypes(), ext.Strings(ext.StringsVersion(2)),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateHomogeneousAggregateLiterals()),
	}
	for _, name := range names {
		options = append(options, cel.Variable(name, cel.DynType))
	}
	environment, err := cel.NewEnv(options...)
	if err != nil {
		e.t.Fatal(err)
	}
	checked, issues := environment.Compile(expression)
	if issues.Err() != nil {
		e.t.Fatalf("%s\n%v", expression, issues.Err())
	}
	if wanted != nil && !checked.OutputType().IsExactType(wanted) {
		e.t.Fatalf("%s\nis a %s, want a %s", expression, checked.OutputType(), wanted)
	}
	program, err := environment.Program(checked, cel.EvalOptions(cel.OptOptimize, cel.OptTrackCost), cel.CostLimit(perExpression))
	if err != nil {
		e.t.Fatal(err)
	}
	return program
}

// content is an object as the expressions see it.
func (e evaluator) content(object runtime.Object) map[string]any {
	e.t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		e.t.Fatal(err)
	}
	return content
}
