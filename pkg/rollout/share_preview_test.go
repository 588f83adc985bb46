package rollout

import (
	"context"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// TestBeside: the old side must keep its requests, whatever the target gets of
// those who ask for it.
func TestBeside(t *testing.T) {
	for name, test := range map[string]struct {
		target, old, reference measure.Reading
		after                  time.Duration
		want                   Following
		overdue                bool
		says                   string
	}{
		"a proxy has not read it yet":  {rate(0), rate(98), rate(100), 2 * time.Second, "", false, "whether blue keeps its requests is told 10s after the switch"},
		"few, and not read yet":        {rate(0), rate(6), rate(6), 2 * time.Second, "", false, "is told 10s after the switch"},
		"taken at once":                {rate(100), rate(0), rate(100), 2 * time.Second, NotFollowed, false, "the rule takes more than it says"},
		"nobody tests":                 {rate(0), rate(98), rate(100), 10 * time.Second, Followed, false, "blue keeps its requests beside the preview of green: 98.0/s, of 100.0/s before"},
		"somebody tests a lot":         {rate(500), rate(100), rate(100), 10 * time.Second, Followed, false, "blue keeps its requests"},
		"all of the old side's":        {rate(100), rate(0), rate(100), 10 * time.Second, NotFollowed, false, "blue gets 0.0 requests/s beside the preview of green, of 100.0/s before, and green gets 100.0/s: the rule takes more than it says"},
		"most of them, for too long":   {rate(0), rate(20), rate(100), time.Minute, NotFollowed, true, "the route is not served as it stands"},
		"clients that vary":            {rate(0), rate(51), rate(100), 10 * time.Second, Followed, false, ""},
		"too few to tell":              {rate(0), rate(0), rate(1), 10 * time.Second, FollowingUnknown, false, "it had 1.0/s before, too few to tell"},
		"nobody read what it had":      {rate(0), rate(0), measure.Reading{}, 10 * time.Second, FollowingUnknown, false, "0.0/s before"},
		"the old side can't be read":   {rate(0), unanswered(measure.SourceDown, "refused"), rate(100), 10 * time.Second, FollowingUnknown, false, "can't be read: refused"},
		"the target counts nothing":    {unanswered(measure.NoData, "no pod counts"), rate(100), rate(100), 10 * time.Second, Followed, false, ""},
		"the old side counts no more":  {rate(100), unanswered(measure.NoData, "no pod counts"), rate(100), 10 * time.Second, NotFollowed, false, "blue gets 0.0"},
		"the target can't be read now": {unanswered(measure.SourceDown, "refused"), rate(100), rate(100), 10 * time.Second, Followed, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			seen := shares{target: "green", old: "blue", onTarget: test.target, onOld: test.old, reference: test.reference, over: test.after, at: start.Add(test.after), due: time.Minute}
			got := DataPlane{Switched: start}.beside(seen)
			if got.Following != test.want || got.Overdue != test.overdue || got.Lost || !strings.Contains(got.Message, test.says) {
				t.Errorf("%+v, want %s, overdue %v, %q", got, test.want, test.overdue, test.says)
			}
			if test.want != Followed {
				return
			}
			seen.onTarget, seen.onOld, seen.at = rate(0), rate(0), start.Add(time.Hour)
			if later := got.beside(seen); later.Following != Followed || later.Message != got.Message {
				t.Errorf("clients stay away, and %+v became %+v", got, later)
			}
			if seen.onTarget = rate(100); got.beside(seen).Following != NotFollowed {
				t.Errorf("the target gets all of them, and it is %+v", got.beside(seen))
			}
		})
	}
}

// A preview may wait for somebody until the night. Whoever tests it then, as hard as
// they like, takes nothing from the old side; a rule that begins to take everybody does,
// at any hour, until it is put right.
func TestBesideWhileClientsComeAndGo(t *testing.T) {
	preview := struct {
		plane DataPlane
		now   time.Duration
	}{DataPlane{Switched: start}, 0}
	for _, c := range []struct {
		name               string
		lasts              time.Duration
		target, old, slope float64
		want               Following
	}{
		{"by day", 10 * time.Minute, 0, 100, 0, Followed},
		{"into the night", 3 * time.Hour, 0, 100, -60, Followed},
		{"a test by night", 10 * time.Minute, 80, 40, 0, Followed},
		{"nobody tests", 10 * time.Minute, 0, 40, 0, Followed},
		{"the rule takes everybody", 10 * time.Minute, 40, 0, 0, NotFollowed},
		{"it is put right", time.Minute, 0, 40, 0, Followed},
		{"clients are gone", time.Minute, 0, 0, 0, Followed},
		{"a test right then", 5 * time.Minute, 80, 2, 0, NotFollowed},
		{"the test is over", time.Minute, 0, 2, 0, Followed},
		{"into the day", 3 * time.Hour, 0, 2, 98, Followed},
		{"the rule takes most", time.Minute, 75, 25, 0, NotFollowed},
	} {
		for at := time.Duration(0); at < c.lasts; at += 5 * time.Second {
			preview.now += 5 * time.Second
			old := c.old + c.slope*at.Seconds()/c.lasts.Seconds()
			preview.plane = preview.plane.beside(shares{target: "green", old: "blue", onTarget: rate(c.target), onOld: rate(old), reference: rate(100),
				over: min(preview.now, time.Minute), at: start.Add(preview.now), due: time.Minute})
		}
		if preview.plane.Following != c.want {
			t.Errorf("%s: %+v, want %s", c.name, preview.plane, c.want)
		}
	}
}

// asking is a counter of which the target has data only while somebody asks for it.
// Its pods are ready, as the API server says of any.
type asking struct{ *counter }

func (a asking) Answers(query measure.Query) bool {
	return query.Signal == measure.ReadyRatio || a.counter.Answers(query)
}

func (a asking) Read(ctx context.Context, query measure.Query) measure.Reading {
	reading := a.counter.Read(ctx, query)
	if query.Signal == measure.ReadyRatio {
		reading.Value = 1
	}
	if query.Color == "green" && a.rate["green"] == 0 && (query.Signal == measure.ErrorRatio || query.Signal == measure.LatencyP95) {
		reading.State, reading.Value, reading.Samples = measure.NoData, 0, 0
	}
	return reading
}

// TestAPreviewUnderTheGate: nobody has to test, unless it is asked for; what is
// tested counts; and who tests is compared with nobody.
func TestAPreviewUnderTheGate(t *testing.T) {
	for name, test := range map[string]struct {
		requests string
		green    float64
		failing  float64
		// old is what the old side gets, of 100 before.
		old  float64
		want Phase
		says string
	}{
		"nobody tests":                    {"", 0, 0, 100, Switch, ""},
		"nobody tests, and somebody must": {release.RequestsRequired, 0, 0, 100, Held, "advance-error-ratio"},
		"somebody does":                   {release.RequestsRequired, 3, 0.001, 100, Switch, ""},
		"somebody makes more than all":    {"", 900, 0.001, 100, Switch, ""},
		"who tests is failed":             {"", 3, 0.5, 100, Revert, "rollback-error-ratio"},
		"the rule takes everybody":        {"", 100, 0.001, 0, Held, "the rule takes more than it says"},
	} {
		t.Run(name, func(t *testing.T) {
			runner, source, state := comparing(t, release.RelativeRollback)
			runner.Sources = []measure.Source{asking{source}}
			step := previewStep
			step.Requests = test.requests
			runner.Release.Spec.Traffic.Steps = []release.Step{step, {Weight: 100}}
			if err := runner.prepare(); err != nil {
				t.Fatal(err)
			}
			source.rate["green"], source.rate["blue"], source.failing["green"] = test.green, test.old, test.failing
			state.Baseline = append(state.Baseline, measure.Reading{Query: runner.serving(state), State: measure.OK, Value: 100, Time: start.Add(-time.Minute)})
			after, seen := tickFor(t, runner, state, time.Hour)
			if after.Phase != test.want || !strings.Contains(after.Reason, test.says) {
				t.Errorf("%s, because %q, want %s %q; last seen %+v", after.Phase, after.Reason, test.want, test.says, seen.Decision)
			}
			if after.Phase == Switch && (after.Step != 1 || after.Entered.Sub(start) != previewStep.Hold.Std()) {
				t.Errorf("step %d, entered %s after the start of the hold", after.Step, after.Entered.Sub(start))
			}
			if after.Relative.Errors.Batches != 0 {
				t.Errorf("it was compared %d times", after.Relative.Errors.Batches)
			}
		})
	}
}

// That it is too early to tell closes no gate, however short its patience is: a release
// is not sent back because a preview is held for a moment alone.
func TestTooEarlyToTellSendsNothingBack(t *testing.T) {
	runner, source, state := comparing(t, release.RelativeRollback)
	runner.Sources = []measure.Source{asking{source}}
	step := previewStep
	step.Hold = 0
	runner.Release.Spec.Traffic.Steps = []release.Step{step, {Weight: 100}}
	runner.Release.Spec.Gates.SourceDown = release.SourceDown{Deadline: release.Duration(5 * time.Second), Policy: release.PolicyRollback}
	if err := runner.prepare(); err != nil {
		t.Fatal(err)
	}
	state.Baseline = append(state.Baseline, measure.Reading{Query: runner.serving(state), State: measure.OK, Value: 100, Time: start.Add(-time.Minute)})
	source.rate["green"], source.failing["green"] = 0, 0.001
	if after, _ := tickFor(t, runner, state, time.Minute); after.Phase != Switch || after.Step != 1 {
		t.Errorf("%s at step %d, because %q", after.Phase, after.Step, after.Reason)
	}
}

// A proxy that reads the rule a few seconds after the write, and then gives everybody
// to the target, does not go by for one that obeys it.
func TestARuleThatTakesEverybodyLate(t *testing.T) {
	runner, source, state := comparing(t, release.RelativeRollback)
	runner.Sources = []measure.Source{asking{source}}
	runner.Release.Spec.Traffic.Steps = []release.Step{previewStep, {Weight: 100}}
	if err := runner.prepare(); err != nil {
		t.Fatal(err)
	}
	state.Baseline = append(state.Baseline, measure.Reading{Query: runner.serving(state), State: measure.OK, Value: 100, Time: start.Add(-time.Minute)})
	source.rate["green"], source.rate["blue"], source.failing["green"] = 0, 100, 0.001
	for _, lasts := range []time.Duration{5 * time.Second, 30 * time.Second} { // nothing is told yet; all stay
		early, _ := tickFor(t, runner, state, lasts)
		if early.Phase != Hold || (early.DataPlane.Following == Followed) != (lasts > lostAfter) {
			t.Fatalf("after %s: %+v", lasts, early.DataPlane)
		}
		runner.Clock.(*clocktesting.FakeClock).SetTime(start)
	}
	state, _ = tickFor(t, runner, state, 7*time.Second)
	source.rate["green"], source.rate["blue"] = 100, 0
	if after, _ := tickFor(t, runner, state, time.Hour); after.Phase != Held || !strings.Contains(after.Reason, "the rule takes more than it says") {
		t.Errorf("%s, because %q", after.Phase, after.Reason)
	}
}
