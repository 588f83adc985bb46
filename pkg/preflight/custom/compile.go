package custom

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// docs is the page about such checks.
const docs = "docs/custom-checks.md"

var variablesType = reflect.TypeFor[Variables]()

// compiler compiles expressions in one environment.
type compiler struct {
	environment *cel.Env
	schema      *schema
	keys        map[string]declaredKeys
	problems    release.Problems
}

// Compile makes checks of what was declared for a Release. The error, if any, is
// release.Problems: every mistake with its place in the file. Where nothing is
// declared nothing is set up.
func Compile(declared []release.DeclaredCheck, of *release.Release) ([]preflight.Check, error) {
	return compile(declared, of, evaluationDeadline)
}

// compile is Compile with another deadline for an evaluation.
func compile(declared []release.DeclaredCheck, of *release.Release, deadline time.Duration) ([]preflight.Check, error) {
	if len(declared) == 0 {
		return nil, nil
	}
	environment, known, err := newEnvironment()
	if err != nil {
		return nil, err
	}
	with := &compiler{environment: environment, schema: known, keys: keysOf(known, of)}
	shared := &variables{schema: known}
	var checks []preflight.Check
	for _, one := range declared {
		made := &check{DeclaredCheck: one, variables: shared, deadline: deadline}
		made.holds = with.compile(one, "expression", one.Expression, cel.BoolType)
		if one.MessageExpression != "" {
			made.message = with.compile(one, "messageExpression", one.MessageExpression, cel.StringType)
		}
		checks = append(checks, made.preflight())
	}
	if len(with.problems) > 0 {
		return nil, with.problems
	}
	return checks, nil
}

// compile makes a program of one expression, nil where it has a mistake.
func (c *compiler) compile(of release.DeclaredCheck, field, text string, want *cel.Type) cel.Program {
	compiled, issues := c.environment.Compile(text)
	if issues.Err() != nil {
		for _, issue := range issues.Errors() {
			message, remedy := c.explain(issue.Message)
			c.problems = append(c.problems, of.Problem(field, offsetOf(text, issue.Location), message, remedy))
		}
		return nil
	}
	if unknown := unknownKeys(compiled, c.keys); len(unknown) > 0 {
		for _, key := range unknown {
			at := compiled.NativeRep().SourceInfo().GetStartLocation(key.at)
			c.problems = append(c.problems, of.Problem(field, offsetOf(text, at), key.message(), key.remedy()))
		}
		return nil
	}
	if got := compiled.OutputType(); !got.IsExactType(want) {
		c.problems = append(c.problems, of.Problem(field, 0, fmt.Sprintf("the result is %s; %s was expected", got, want), ""))
		return nil
	}
	cost, err := c.environment.EstimateCost(compiled, estimator{})
	if err == nil && cost.Max > costLimit {
		c.problems = append(c.problems, of.Problem(field, 0,
			fmt.Sprintf("may cost %d units by estimate; %d are allowed", cost.Max, uint64(costLimit)), "have fewer loops inside of loops"))
		return nil
	}
	program, err := c.environment.Program(compiled, cel.CostLimit(costLimit), cel.InterruptCheckFrequency(interruptEvery), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		c.problems = append(c.problems, of.Problem(field, 0, err.Error(), ""))
		return nil
	}
	return program
}

// offsetOf is the number of the rune of a text at a place that CEL names.
func offsetOf(text string, at common.Location) int {
	offset := 0
	for line, left := range strings.Split(text, "\n") {
		if line+1 == at.Line() {
			break
		}
		offset += utf8.RuneCountInString(left) + 1
	}
	return offset + at.Column()
}

var (
	undeclaredName = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	undefinedField = regexp.MustCompile(`^undefined field '([^']*)'`)
)

// explain says in the words of this program what CEL refuses, and what was likely
// meant.
func (c *compiler) explain(message string) (text, remedy string) {
	if match := undeclaredName.FindStringSubmatch(message); match != nil {
		names := c.schema.structureOf(variablesType).fieldNames()
		return fmt.Sprintf("nothing is called %q", match[1]), release.DidYouMean(match[1], names, "what there is: "+docs)
	}
	if match := undefinedField.FindStringSubmatch(message); match != nil {
		return fmt.Sprintf("there is no field %q", match[1]), release.DidYouMean(match[1], c.fieldsBeside(match[1]), "what there is: "+docs)
	}
	return "is not CEL as it is expected here: " + message, ""
}

// fieldsBeside are the fields of what a missing one was looked for in.
func (c *compiler) fieldsBeside(missing string) []string {
	if of, found := c.schema.missed[missing]; found {
		return of.fieldNames()
	}
	return nil
}
