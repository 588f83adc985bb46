package admission

import (
	"testing"

	"github.com/google/cel-go/cel"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// evaluator does with a policy what an API server does: it compiles every
// expression, demands the types that the server demands, and asks of an update
// whether it may pass.
type evaluator struct {
	t      *testing.T
	policy *admissionv1.ValidatingAdmissionPolicy
}

// update is one write and who makes it.
type update struct {
	before, after *corev1.Service
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
}

func (e evaluator) judge(write update) verdict {
	e.t.Helper()
	groups := []any{"system:authenticated"}
	for _, group := range write.groups {
		groups = append(groups, group)
	}
	variables := map[string]any{}
	known := map[string]any{
		"object": e.content(write.after), "oldObject": e.content(write.before), "variables": variables,
		"request": map[string]any{"operation": "UPDATE", "userInfo": map[string]any{"username": write.user, "groups": groups}},
	}
	for _, variable := range e.policy.Spec.Variables {
		variables[variable.Name] = e.value(variable.Expression, nil, known)
	}
	found := verdict{}
	for number, rule := range e.policy.Spec.Validations {
		passes, _ := e.value(rule.Expression, cel.BoolType, known).(bool)
		if passes {
			continue
		}
		message, _ := e.value(rule.MessageExpression, cel.StringType, known).(string)
		found.refused, found.messages = append(found.refused, number), append(found.messages, message)
	}
	for _, annotation := range e.policy.Spec.AuditAnnotations {
		found.noted, _ = e.value(annotation.ValueExpression, cel.StringType, known).(string)
	}
	return found
}

// value evaluates an expression, whose type must be the wanted one.
func (e evaluator) value(expression string, wanted *cel.Type, known map[string]any) any {
	e.t.Helper()
	var options []cel.EnvOption
	for name := range known {
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
	program, err := environment.Program(checked)
	if err != nil {
		e.t.Fatal(err)
	}
	result, _, err := program.Eval(known)
	if err != nil {
		e.t.Fatalf("%s\n%v", expression, err)
	}
	return result.Value()
}

// content is an object as the expressions see it.
func (e evaluator) content(service *corev1.Service) map[string]any {
	e.t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(service)
	if err != nil {
		e.t.Fatal(err)
	}
	return content
}
