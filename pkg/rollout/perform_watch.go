package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
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
	queries = append(queries, r.straying(state), r.serving(state))
	readings := measure.Observe(ctx, r.Sources, queries)
	if silent := r.silent(readings); silent != "" {
		return waiting("%s", silent)
	}
	if blind := r.blind(readings, state.From); blind != "" {
		return waiting("%s", blind)
	}
	if broken := r.brokenAlready(readings, state); broken != "" {
		return waiting("%s", broken)
	}
	if r.Clock.Since(state.Entered) < baselineTicks*r.Release.Spec.Gates.Interval.Std() {
		return waiting("reading the baseline of %s", state.From)
	}
	templates, err := r.templates(ctx)
	if err != nil {
		return hampered(err)
	}
	seen := succeeded("%d signals of %s read", len(readings), state.From)
	seen.Learned = func(s *State) {
		s.Baseline, s.Gate, s.Relative, s.Templates = readings, gate.State{}, relative.State{}, templates
	}
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

// blind says what is not measured of a colour that answers requests: a source
// that has lost it since the preflight would let everything else pass, and hold
// the run once traffic is moved.
func (r *Runner) blind(readings []measure.Reading, color string) string {
	answers := func(reading measure.Reading) bool {
		return reading.Signal == measure.ResidualRate && reading.Color == color && reading.State == measure.OK && reading.Value > 0
	}
	at := slices.IndexFunc(readings, answers)
	if at < 0 {
		return ""
	}
	for _, reading := range readings {
		if reading.Signal == measure.ErrorRatio && reading.Color == color && reading.State == measure.NoData &&
			r.required(reading.Signal) && measure.Answerable(r.Sources, reading.Query) {
			return fmt.Sprintf("%s of %s: no data, and it answers %.1f requests/s: %s", reading.Signal, color, readings[at].Value, reading.Detail)
		}
	}
	return ""
}

// brokenAlready is what would send the release back as soon as it was moved,
// though it has not been yet: a rollback rule about what both colours share. The
// first runbook's incident began with connections that were nearly gone before
// the shift.
func (r *Runner) brokenAlready(readings []measure.Reading, state State) string {
	_, results := gate.Evaluate(gate.State{}, r.rules, readings, readings, state.To, state.From, r.Clock.Now())
	for _, result := range results {
		if result.Purpose == gate.Rollback && result.Subject == gate.Shared && (result.Verdict == gate.Fail || !result.Since.IsZero()) {
			return fmt.Sprintf("%s would send the release back at once: %s", result.ID, result.Message)
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

// observe reads the gate once, and who gets the requests.
func (r *Runner) observe(ctx context.Context, state State) Observation {
	readings := measure.Observe(ctx, r.Sources, gate.Queries(r.rules, state.To, state.From))
	now := r.Clock.Now()
	plane := r.following(ctx, state)
	r.tellFollowing(state.Phase, state.DataPlane, plane)
	known, comparison := r.compare(ctx, state, readings)
	remembered, results := gate.Evaluate(state.Gate, r.rules, readings, state.Baseline, state.To, state.From, now)
	results = r.eased(state, gate.Compare(r.rules, results, comparison, state.To, state.From))
	r.tape.add(results, now)
	decision := plane.sendBack(gate.Decide(results))
	if decision.Advance && plane.waits() {
		decision.Advance, decision.Waiting = false, plane.Message
	}
	r.tellReading(state.Phase, r.headline(state, plane, decision), results)
	seen := Observation{Kind: Ticked, Message: headlineOf(results), Decision: decision, Gate: remembered, Relative: known, DataPlane: plane}
	if plane.changed(state.DataPlane) {
		seen.Learned = func(s *State) { s.DataPlane = plane }
	}
	return r.mindTrouble(state, seen, brewing(state, results))
}

// headline is the line that a watching person sees at each tick.
func (r *Runner) headline(state State, plane DataPlane, decision gate.Decision) string {
	ends := state.ends(r.policy)
	left := max(0, ends.Sub(r.Clock.Now())).Round(time.Second)
	given := traffic.Shares(state.Split(r.policy), state.preview(r.policy))
	switch {
	case decision.Advance:
		return fmt.Sprintf("%s, %s left, gate passes", given, left)
	case left == 0 && !plane.early():
		held := latest(state.Closed, ends).Add(r.policy.SourceDown.Deadline.Std())
		return fmt.Sprintf("%s, the gate has %s to open: %s", given, max(0, held.Sub(r.Clock.Now())).Round(time.Second), decision.Waiting)
	}
	return fmt.Sprintf("%s, %s left, %s", given, left, decision.Waiting)
}

// headlineOf joins what the required rules that passed rest on, and why the
// target is not compared with the old side.
func headlineOf(results []gate.Result) string {
	var parts []string
	for _, result := range results {
		if apart := result.Compares() && !result.Required && result.Reading.Detail != ""; apart && !slices.Contains(parts, result.Message) {
			parts = append(parts, result.Message)
		}
		if result.Rule.Purpose == gate.Advance && result.Rule.Required && result.Verdict == gate.Pass {
			parts = append(parts, result.Message)
		}
	}
	if len(parts) == 0 {
		return "no signal is declared that a gate could look at"
	}
	return strings.Join(parts, "; ")
}
