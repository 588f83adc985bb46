package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// counter is a source whose colours get requests all the time, by the clock.
type counter struct {
	clock *clocktesting.FakeClock
	// rate is requests per second, failing the share that fails, by colour.
	rate, failing map[string]float64
	// counts is why it can't count, and down why it can't be read.
	counts, down error
}

func (c *counter) Name() string { return "pods" }

func (c *counter) Answers(query measure.Query) bool {
	switch query.Signal {
	case measure.ErrorRatio, measure.LatencyP95, measure.RequestRate, measure.ResidualRate:
		return true
	}
	return false
}

func (c *counter) Read(_ context.Context, query measure.Query) measure.Reading {
	reading := measure.Reading{Query: query, State: measure.OK, Time: c.clock.Now(), Source: "pods", Samples: 1000}
	switch query.Signal {
	case measure.ErrorRatio:
		reading.Value = c.failing[query.Color]
	case measure.LatencyP95:
		reading.Value = 0.1
	default:
		reading.Value = c.rate[query.Color]
	}
	if c.down != nil {
		return measure.Reading{Query: query, State: measure.SourceDown, Source: "pods", Detail: c.down.Error()}
	}
	return reading
}

func (c *counter) Count(_ context.Context, color string, since time.Time) (measure.Count, error) {
	now := c.clock.Now()
	if c.counts != nil || since.IsZero() {
		return measure.Count{To: now}, c.counts
	}
	return measure.Count{From: since, To: now, Sample: c.sample(color, since, now)}, nil
}

// sample is what a colour got, a bit more at every other look.
func (c *counter) sample(color string, from, to time.Time) relative.Sample {
	requests := c.rate[color] * to.Sub(from).Seconds() * (1 + 0.02*float64(to.Unix()/5%2))
	return relative.Sample{Requests: requests, Failed: c.failing[color] * requests,
		Latency: relative.Histogram{Bounds: []float64{.1, .2}, Counts: []float64{0.9 * requests, 0.1 * requests, 0}}}
}

// recorder remembers, too.
type recorder struct{ *counter }

func (r recorder) CountBetween(_ context.Context, color string, from, to time.Time) (relative.Sample, error) {
	return r.sample(color, from, to), nil
}

// comparing is a runner in the hold of half the traffic, and its source. The
// thresholds of the rules that don't compare are far away.
func comparing(t *testing.T, use string) (*Runner, *counter, State) {
	t.Helper()
	clock := clocktesting.NewFakeClock(start)
	source := &counter{clock: clock, rate: map[string]float64{"blue": 100, "green": 100}, failing: map[string]float64{"blue": 0.001, "green": 0.001}}
	runner, _, _ := newRunner(t)
	runner.Clock, runner.Sources = clock, []measure.Source{source}
	gates := &runner.Release.Spec.Gates
	gates.Profile, gates.Relative = release.ProfileWeighted, use
	for _, id := range []string{"advance-error-ratio", "rollback-error-ratio"} {
		gates.Rules = append(gates.Rules, release.RuleOverride{ID: id, Threshold: ptr.To(0.05)})
	}
	for _, id := range []string{"advance-error-ratio-baseline", "advance-latency-p95-baseline"} {
		gates.Rules = append(gates.Rules, release.RuleOverride{ID: id, Disabled: true})
	}
	runner.Release.Spec.Traffic.Steps = []release.Step{{Weight: 50, Hold: release.Duration(3 * time.Minute)}, {Weight: 100, Hold: release.Duration(5 * time.Minute)}}
	if err := runner.prepare(); err != nil {
		t.Fatal(err)
	}
	state := State{Baseline: []measure.Reading{{Query: measure.Query{Signal: measure.ResidualRate, Color: "green"}, State: measure.NoData, Time: start.Add(-time.Minute)}},
		Phase: Hold, From: "blue", To: "green", Started: start, Entered: start, Moved: true, DataPlane: DataPlane{Switched: start}}
	return runner, source, state
}

// tickFor looks for a time, or until the hold or the watch ends; it returns the
// last look.
func tickFor(t *testing.T, runner *Runner, state State, lasts time.Duration) (State, Observation) {
	t.Helper()
	clock, phase := runner.Clock.(*clocktesting.FakeClock), state.Phase
	var seen Observation
	for ends := clock.Now().Add(lasts); clock.Now().Before(ends) && state.Phase == phase; clock.Step(5 * time.Second) {
		seen = runner.observe(t.Context(), state)
		seen.At = clock.Now()
		state = Step(runner.policy, state, seen)
	}
	return state, seen
}

const threePointsMore = "error-ratio-relative: green fails 3 points more requests than blue (at least "

// A healthy pair advances when its hold ends, and the record has the sentence.
func TestAHealthyPairAdvances(t *testing.T) {
	for _, use := range []string{release.RelativeAdvance, release.RelativeRollback} {
		runner, _, state := comparing(t, use)
		state, seen := tickFor(t, runner, state, time.Hour)
		if state.Phase != Switch || state.Step != 1 || runner.Clock.Since(start) != 3*time.Minute+5*time.Second {
			t.Errorf("%s: %s at step %d after %s, because %s", use, state.Phase, state.Step, runner.Clock.Since(start), state.Reason)
		}
		if state.Relative.Errors.Batches < 20 || use == release.RelativeAdvance && !strings.Contains(seen.Message, "green fails 0 points more requests than blue") {
			t.Errorf("%s: %d batches, %q", use, state.Relative.Errors.Batches, seen.Message)
		}
		if !strings.Contains(string(runner.tape.readings()), "green gets 50 % of the requests") {
			t.Errorf("the record is not told: %s", runner.tape.readings())
		}
	}
}

// A target that fails three points more than the old side, and fewer than any
// threshold, is held, and goes back in the end, or at once where that is asked for.
func TestAWorseTargetIsHeld(t *testing.T) {
	runner, source, state := comparing(t, release.RelativeAdvance)
	source.failing["green"] = 0.031
	state, seen := tickFor(t, runner, state, 4*time.Minute)
	if state.Phase != Hold || seen.Decision.Advance || !strings.HasPrefix(seen.Decision.Waiting, "advance-"+threePointsMore) {
		t.Errorf("%s, %+v", state.Phase, seen.Decision)
	}
	state, _ = tickFor(t, runner, state, time.Hour)
	if state.Phase != Revert || !strings.Contains(state.Reason, "the gate did not open within 2m0s: advance-"+threePointsMore) {
		t.Errorf("%s because %q", state.Phase, state.Reason)
	}
	if took := runner.Clock.Since(start); took != 5*time.Minute+5*time.Second {
		t.Errorf("back after %s, want the hold and gates.sourceDown.deadline", took)
	}

	runner, source, state = comparing(t, release.RelativeRollback)
	source.failing["green"] = 0.031
	state, _ = tickFor(t, runner, state, time.Hour)
	if state.Phase != Revert || !strings.HasPrefix(state.Reason, "rollback-"+threePointsMore) || len(state.Because) != 1 {
		t.Errorf("%s because %q", state.Phase, state.Reason)
	}
	if took := runner.Clock.Since(start); took > 2*time.Minute {
		t.Errorf("back after %s", took)
	}
}

// A short hold ends before anything can be said, and so does one of a service
// that nobody asks.
func TestAComparisonKeepsNobodyWaiting(t *testing.T) {
	for name, prepare := range map[string]func(*Runner, *counter){
		"a short hold": func(runner *Runner, _ *counter) {
			runner.policy.Steps[0].Hold = release.Duration(10 * time.Second)
		},
		"no requests": func(_ *Runner, source *counter) { source.rate = map[string]float64{} },
		"no count":    func(_ *Runner, source *counter) { source.counts = errors.New("pod green-1: status 500") },
	} {
		runner, source, state := comparing(t, release.RelativeAdvance)
		prepare(runner, source)
		state, seen := tickFor(t, runner, state, time.Hour)
		if held := runner.policy.Steps[0].Hold.Std() + 5*time.Second; state.Phase != Switch || runner.Clock.Since(start) != held {
			t.Errorf("%s: %s after %s, because %s; %s", name, state.Phase, runner.Clock.Since(start), state.Reason, seen.Decision.Waiting)
		}
		if !strings.Contains(seen.Message, "no data: green and blue can't be compared yet") {
			t.Errorf("%s: %q", name, seen.Message)
		}
	}
}

// Requests that go elsewhere hold a release, and never send it back.
func TestAShareThatIsOffHolds(t *testing.T) {
	for _, use := range []string{release.RelativeAdvance, release.RelativeRollback} {
		runner, source, state := comparing(t, use)
		runner.policy.SourceDown.Policy = release.PolicyRollback
		source.rate["green"] = 50
		state, _ = tickFor(t, runner, state, time.Hour)
		if state.Phase != Held || !strings.Contains(state.Reason, "advance-request-rate-relative: green gets 33.") {
			t.Errorf("%s: %s because %q", use, state.Phase, state.Reason)
		}
	}
}

// Where the counts hold more than what is shared, the share is not judged.
func TestProbesAreNoShare(t *testing.T) {
	for name, test := range map[string]struct {
		before measure.Reading
		want   Phase
	}{
		"none":       {rate(0), Held},
		"a few":      {rate(2), Held},
		"many":       {rate(5), Switch},
		"not read":   {unanswered(measure.SourceDown, "away"), Switch},
		"never read": {measure.Reading{}, Switch},
	} {
		runner, source, state := comparing(t, release.RelativeAdvance)
		source.rate["green"] = 50
		test.before.Query = runner.straying(state)
		state.Baseline = []measure.Reading{test.before}
		if name == "never read" {
			state.Baseline = nil
		}
		if state, _ = tickFor(t, runner, state, time.Hour); state.Phase != test.want {
			t.Errorf("%s: %s because %q, want %s", name, state.Phase, state.Reason, test.want)
		}
	}
}

// A process that goes on with a run knows what the one before it knew.
func TestAComparisonGoesOn(t *testing.T) {
	runner, source, state := comparing(t, release.RelativeRollback)
	source.failing["green"] = 0.031
	state, _ = tickFor(t, runner, state, 70*time.Second)
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	known := state.Relative.Errors.Batches
	state = State{}
	if err := json.Unmarshal(text, &state); err != nil || known == 0 || state.Relative.Errors.Batches != known {
		t.Fatalf("%v, %d batches of %d", err, state.Relative.Errors.Batches, known)
	}
	again, _, _ := comparing(t, release.RelativeRollback)
	again.Clock, again.Sources = runner.Clock, runner.Sources
	if err := again.prepare(); err != nil {
		t.Fatal(err)
	}
	source.clock.Step(10 * time.Minute) // while nobody looked
	resumed := source.clock.Now()
	state, _ = tickFor(t, again, resume(state, resumed), time.Hour)
	if state.Phase != Revert || again.Clock.Since(resumed) > 45*time.Second {
		t.Errorf("%s after %s, because %q", state.Phase, again.Clock.Since(resumed), state.Reason)
	}
}

// A source that goes down in between adds nothing, takes nothing back, and says so.
func TestWhatIsMissingIsNotCompared(t *testing.T) {
	for name, fail := range map[string]func(*counter, error){
		"it can't be read": func(source *counter, err error) { source.down = err },
		"it can't count":   func(source *counter, err error) { source.counts = err },
	} {
		runner, source, state := comparing(t, release.RelativeAdvance)
		state, _ = tickFor(t, runner, state, 2*time.Minute)
		before := state.Relative
		fail(source, errors.New("pod green-1 is away"))
		state, seen := tickFor(t, runner, state, 20*time.Second)
		if state.Relative.Until != before.Until || state.Relative.Errors.Batches != before.Errors.Batches {
			t.Errorf("%s: observed until %s, after %s", name, state.Relative.Until, before.Until)
		}
		if source.down == nil && !strings.Contains(seen.Message, "99 % sure at any time), and 0.2 is allowed: count with pods: pod green-1 is away") {
			t.Errorf("%s: %q", name, seen.Message)
		}
		fail(source, nil)
		state, _ = tickFor(t, runner, state, 20*time.Second)
		if got := state.Relative.Errors.Batches - before.Errors.Batches; got != 4 || !state.Relative.Until.After(before.Until) {
			t.Errorf("%s: %d batches more, want one over the time that was missing and three", name, got)
		}
	}
}

// Where everything was given to the target, the time before the first switch
// stands in for the old side, if anything remembers it.
func TestAgainstTheTimeBeforeTheSwitch(t *testing.T) {
	watching := func(source measure.Source, runner *Runner, state State) State {
		runner.Sources = []measure.Source{source}
		runner.policy.Steps, state.Phase, state.Cutover = []release.Step{{Weight: 100, Hold: release.Duration(10 * time.Minute)}}, Watch, start
		runner.counting = measure.NewCounting(runner.Sources)
		return state
	}
	runner, source, state := comparing(t, release.RelativeRollback)
	source.failing["green"] = 0.031
	state, _ = tickFor(t, runner, watching(recorder{source}, runner, state), time.Hour)
	if state.Phase != Revert || !strings.HasPrefix(state.Reason, "rollback-"+threePointsMore) {
		t.Errorf("%s because %q", state.Phase, state.Reason)
	}

	runner, source, state = comparing(t, release.RelativeRollback)
	source.failing["green"] = 0.031
	state, seen := tickFor(t, runner, watching(source, runner, state), time.Hour)
	if state.Phase != Confirm || !strings.Contains(seen.Message, "no data: green and blue can't be compared yet: nothing that is declared remembers the minutes before the switch") {
		t.Errorf("%s because %q; %s", state.Phase, state.Reason, seen.Message)
	}
}
