package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// baselineTicks is how many readings lie between the first look at the old
// side and the baseline: rates need two, the third gives them a window.
const baselineTicks = 3

// baseline reads every signal of the gate on the old side, so that the
// release can be compared with it and every source is known to answer before
// traffic depends on it.
func (r *Runner) baseline(ctx context.Context, state State) Observation {
	if err := r.reopen(ctx); err != nil {
		return waiting("%v", err)
	}
	queries := append(gate.Queries(r.rules, state.To, state.From), gate.BaselineQueries(r.rules, state.From)...)
	readings := measure.Observe(ctx, r.Sources, queries)
	if silent := r.silent(readings); silent != "" {
		return waiting("%s", silent)
	}
	if r.Clock.Since(state.Entered) < baselineTicks*r.Release.Spec.Gates.Interval.Std() {
		return waiting("reading the baseline of %s", state.From)
	}
	templates, err := r.templates(ctx)
	if err != nil {
		return hampered(err)
	}
	seen := succeeded("%d signals of %s read", len(readings), state.From)
	seen.Learned = func(s *State) { s.Baseline, s.Gate, s.Templates = readings, gate.State{}, templates }
	return seen
}

// reopen looks once for the sources that the deployed target has, and for the
// rules that they can answer.
func (r *Runner) reopen(ctx context.Context) error {
	if r.reopened || r.Reopen == nil {
		return nil
	}
	sources, err := r.Reopen(ctx)
	if err != nil {
		return fmt.Errorf("open sources: %w", err)
	}
	r.Sources, r.reopened = sources, true
	return r.prepare()
}

// silent names the first required source that does not answer.
func (r *Runner) silent(readings []measure.Reading) string {
	for _, reading := range readings {
		if reading.State == measure.SourceDown && r.required(reading.Signal) {
			return fmt.Sprintf("%s of %s: %s does not answer: %s", reading.Signal, reading.Color, reading.Source, reading.Detail)
		}
	}
	return ""
}

// required reports whether a rule that needs data looks at the signal.
func (r *Runner) required(signal measure.Signal) bool {
	for _, rule := range r.rules {
		if rule.Signal == signal && rule.Required && !rule.Disabled {
			return true
		}
	}
	return false
}

// observe reads the gate once.
func (r *Runner) observe(ctx context.Context, state State) Observation {
	readings := measure.Observe(ctx, r.Sources, gate.Queries(r.rules, state.To, state.From))
	now := r.Clock.Now()
	remembered, results := gate.Evaluate(state.Gate, r.rules, readings, state.Baseline, state.To, state.From, now)
	r.tape.add(results, now)
	decision := gate.Decide(results)
	r.tellReading(state.Phase, r.headline(state, decision), results)
	return Observation{Kind: Ticked, Message: headlineOf(results), Decision: decision, Gate: remembered}
}

// headline is the line that a watching person sees at each tick.
func (r *Runner) headline(state State, decision gate.Decision) string {
	left := max(0, state.ends(r.policy).Sub(r.Clock.Now())).Round(time.Second)
	if decision.Advance {
		return fmt.Sprintf("%s, %s left, gate passes", state.Split(r.policy), left)
	}
	return fmt.Sprintf("%s, %s left, %s", state.Split(r.policy), left, decision.Waiting)
}

// headlineOf joins what the required rules that passed rest on.
func headlineOf(results []gate.Result) string {
	var parts []string
	for _, result := range results {
		if result.Rule.Purpose == gate.Advance && result.Rule.Required && result.Verdict == gate.Pass {
			parts = append(parts, result.Message)
		}
	}
	if len(parts) == 0 {
		return "no signal is declared that a gate could look at"
	}
	return strings.Join(parts, "; ")
}
