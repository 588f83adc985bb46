package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A pod that has no way to it says nothing; one that turns a connection down
// is not healthy.
func TestAPodThatCannotBeAskedIsUnseen(t *testing.T) {
	noWay := &cluster.ForwardError{Target: "shop/green-1:8080", Err: errors.New("error dialing backend: connection refused")}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"no kubelet":              {fmt.Errorf("dial: %w", noWay), true},
		"nothing listens":         {errors.New("connection refused: nothing listens on the port"), false},
		"another status than 200": {nil, false},
	} {
		if got := unhealthy("health", measure.ProbeResult{Err: test.err, Message: name}); got.Unseen != test.want || got.Kind != Waiting {
			t.Errorf("%s: %+v, want unseen %v", name, got, test.want)
		}
	}
}

// A deadline that passes while nothing can be seen sends a release back only
// where the policy for silent sources says so.
func TestADeadlinePassesUnseen(t *testing.T) {
	for name, test := range map[string]struct {
		policy string
		unseen bool
		state  State
		want   Phase
	}{
		"after the watch":                    {release.PolicyHold, true, at(Confirm, moved), Held},
		"after the switch":                   {release.PolicyHold, true, at(Prove, moved), Held},
		"after the watch, seen to be bad":    {release.PolicyHold, false, at(Confirm, moved), Revert},
		"after the watch, silence goes back": {release.PolicyRollback, true, at(Confirm, moved), Revert},
		"before the switch":                  {release.PolicyHold, true, at(Synthetic), Blocked},
		"on the way back":                    {release.PolicyHold, true, at(ProveRevert, moved), Unproven},
	} {
		policy := testPolicy()
		policy.SourceDown.Policy = test.policy
		seen := after(time.Hour, Waiting)
		seen.Unseen = test.unseen
		got := Step(policy, test.state, seen)
		if test.unseen && got.Phase == test.state.Phase { // sight was only just lost
			seen.At = seen.At.Add(sightGrace)
			got = Step(policy, got, seen)
		}
		if got.Phase != test.want || got.Reason == "" {
			t.Errorf("%s: %s because %q, want %s", name, got.Phase, got.Reason, test.want)
		}
	}
}

// Neither the last look before an outage nor the first after it is a verdict: a
// phase whose deadline has passed meanwhile waits until sight is sure.
func TestSightThatComesAndGoes(t *testing.T) {
	look := func(state State, elapsed time.Duration, blind bool) State {
		seen := after(elapsed, Waiting)
		seen.Unseen = blind
		return Step(testPolicy(), state, seen)
	}
	// Blind for all of the deadline, then the control plane catches up.
	state := look(at(Prove, moved), time.Second, true)
	state = look(state, time.Hour, true)
	if state.Phase != Held {
		t.Errorf("blind for an hour: %s", state.Phase)
	}
	state = look(at(Prove, moved), time.Second, true)
	if state = look(state, time.Hour, false); state.Phase != Prove {
		t.Errorf("the first look after an outage leads to %s", state.Phase)
	}
	if done := Step(testPolicy(), state, after(time.Hour+time.Second, Succeeded)); done.Phase != Hold {
		t.Errorf("once it has caught up: %s", done.Phase)
	}
	if late := look(state, time.Hour+sightGrace, false); late.Phase != Revert {
		t.Errorf("what does not catch up leads to %s", late.Phase)
	}
	// Bad for all of the deadline, and not seen once, just then.
	state = look(at(Confirm, moved), time.Minute, false)
	if state = look(state, time.Hour, true); state.Phase != Confirm {
		t.Errorf("one look into the dark leads to %s", state.Phase)
	}
	if bad := look(state, time.Hour+time.Second, false); bad.Phase != Confirm {
		t.Errorf("seen again: %s", bad.Phase)
	} else if bad = look(bad, time.Hour+time.Second+sightGrace, false); bad.Phase != Revert {
		t.Errorf("and still bad: %s", bad.Phase)
	}
}

// Before anything is moved every colour that answers requests must be measured: a
// source that has lost it holds the run where it can still be blocked. An idle
// one has nothing to measure.
func TestBaselineIsNotBlind(t *testing.T) {
	nothing := unanswered(measure.NoData, "no series of blue")
	for name, test := range map[string]struct {
		served, errors measure.Reading
		want           string
	}{
		"measured":               {rate(5), rate(0.001), ""},
		"lost":                   {rate(5), nothing, "error-ratio of blue: no data, and it answers 5.0 requests/s: no series of blue"},
		"idle":                   {rate(0), nothing, ""},
		"nobody counts requests": {unanswered(measure.NoData, ""), nothing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
			source := signals{measure.ResidualRate: test.served, measure.ErrorRatio: test.errors}
			runner.Sources = []measure.Source{source}
			runner.rules = []gate.Rule{{ID: "advance-error-ratio", Signal: measure.ErrorRatio, Required: true}}
			readings := measure.Observe(t.Context(), runner.Sources, []measure.Query{
				{Signal: measure.ErrorRatio, Color: "green"}, {Signal: measure.ErrorRatio, Color: "blue"}, {Signal: measure.ResidualRate, Color: "blue"},
			})
			if got := runner.blind(readings, "blue"); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			runner.rules[0].Required = false
			if got := runner.blind(readings, "blue"); got != "" {
				t.Errorf("what no rule needs is missed: %q", got)
			}
		})
	}
}

// What would send a release back at once keeps it from being moved, where it is
// of what both colours share; what is wrong with the target alone is for the gate
// to find once it has requests.
func TestBaselineWaitsWhereARuleIsBrokenAlready(t *testing.T) {
	for name, test := range map[string]struct {
		subject gate.Subject
		value   float64
		lasting time.Duration
		want    bool
	}{
		"connections are left":                 {gate.Shared, 0.5, 0, false},
		"none is left":                         {gate.Shared, 1, 0, true},
		"none is left, which must be for long": {gate.Shared, 1, time.Minute, true},
		"it is of the target":                  {gate.Target, 1, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
			rule := gate.Rule{ID: "rollback-database-connections", Purpose: gate.Rollback, Subject: test.subject, Signal: measure.DatabaseConnections,
				Comparator: gate.GreaterOrEqual, Threshold: 0.9, For: test.lasting, Required: true}
			runner.rules, runner.Sources = []gate.Rule{rule}, []measure.Source{signals{measure.DatabaseConnections: rate(test.value)}}
			state := at(Baseline)
			readings := measure.Observe(t.Context(), runner.Sources, gate.Queries(runner.rules, state.To, state.From))
			got := runner.brokenAlready(readings, state)
			if (got != "") != test.want || test.want && !strings.HasPrefix(got, "rollback-database-connections would send the release back at once: ") {
				t.Errorf("%q", got)
			}
		})
	}
}

// signals is a source by what it says of each signal.
type signals map[measure.Signal]measure.Reading

func (s signals) Name() string                                                { return "signals" }
func (s signals) Answers(query measure.Query) bool                            { _, known := s[query.Signal]; return known }
func (s signals) Read(_ context.Context, query measure.Query) measure.Reading { return s[query.Signal] }
