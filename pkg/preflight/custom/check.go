package custom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/google/cel-go/cel"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// check is one check, compiled.
type check struct {
	release.DeclaredCheck
	// holds is whether all is well; message says what isn't, nil where the
	// check says it in plain text.
	holds, message cel.Program
	variables      *variables
	// deadline bounds each evaluation.
	deadline time.Duration
}

// variables are made once of the facts that all checks look at.
type variables struct {
	schema *schema

	mu    sync.Mutex
	facts *preflight.Facts
	made  *object
	err   error
}

// of are the variables of facts, without secrets.
func (v *variables) of(facts *preflight.Facts) (*object, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.facts == facts {
		return v.made, v.err
	}
	v.facts, v.made = facts, nil
	clean, err := preflight.WithoutSecrets(facts)
	if v.err = err; err == nil {
		seen := reflect.ValueOf(variablesOf(clean))
		v.made = &object{schema: v.schema, of: v.schema.structureOf(variablesType), value: seen}
	}
	return v.made, v.err
}

// preflight is the check as one of the catalogue.
func (c *check) preflight() preflight.Check {
	var stages []preflight.Stage
	for _, stage := range c.Stages {
		stages = append(stages, preflight.Stage(stage))
	}
	if stages == nil {
		stages = []preflight.Stage{preflight.StageDeploy}
	}
	source := "the Release"
	if c.Position != nil {
		source = fmt.Sprintf("%s:%d", c.Position.File, c.Position.Line)
	}
	return preflight.Check{
		ID: c.ID, Title: c.Title, Area: preflight.AreaCustom, Stages: stages,
		Critical: c.Severity == release.SeverityCritical, Warns: c.Severity == release.SeverityWarn,
		Why: cmp.Or(c.Why, "It must hold: "+c.Expression), Remedy: cmp.Or(c.Remedy, "see the check, at "+source),
		Source: source, Docs: cmp.Or(c.Docs, docs),
		Evaluate: func(facts *preflight.Facts) []preflight.Finding { return []preflight.Finding{c.evaluate(facts)} },
	}
}

func (c *check) evaluate(facts *preflight.Facts) preflight.Finding {
	finding := preflight.Finding{
		Subject: "release " + facts.Release.Metadata.Name, Position: c.Position,
		Evidence: map[string]string{"expression": c.Expression},
	}
	seen, err := c.variables.of(facts)
	if err != nil {
		return unknown(finding, err)
	}
	holds, err := c.run(c.holds, seen)
	switch {
	case err != nil:
		return unknown(finding, err)
	case holds == true:
		finding.Outcome, finding.Cause = preflight.Pass, "the expression is true"
		return finding
	}
	finding.Outcome = preflight.Fail
	if c.Severity == release.SeverityWarn {
		finding.Outcome = preflight.Warn
	}
	finding.Cause = cmp.Or(c.Message, "it does not hold that "+c.Title)
	if c.message != nil {
		said, err := c.run(c.message, seen)
		if text, isText := said.(string); err == nil && isText && text != "" {
			finding.Cause = text
		} else if err != nil {
			finding.Evidence["message"] = "could not be made: " + err.Error()
		}
	}
	return finding
}

// unknown is the finding about an expression that can't be evaluated.
func unknown(finding preflight.Finding, err error) preflight.Finding {
	finding.Outcome, finding.Cause = preflight.Unknown, "the expression can't be evaluated: "+err.Error()
	var unread *unreadError
	if errors.As(err, &unread) {
		finding.Cause, finding.Remedy, finding.Transient = unread.Error(), unread.Remedy, unread.Transient
	}
	return finding
}

// run evaluates a program. A single step of CEL can't be interrupted, so one that
// is over its time is left behind.
func (c *check) run(program cel.Program, seen *object) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.deadline)
	defer cancel()
	type result struct {
		value any
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, _, err := program.ContextEval(ctx, &activation{seen})
		if err != nil {
			done <- result{err: err}
			return
		}
		done <- result{value: value.Value()}
	}()
	select {
	case ended := <-done:
		if ctx.Err() != nil {
			return nil, fmt.Errorf("it takes longer than %s", c.deadline)
		}
		return ended.value, ended.err
	case <-ctx.Done():
		return nil, fmt.Errorf("it takes longer than %s", c.deadline)
	}
}
