package rollout

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// unanswered is a reading without a value.
func unanswered(state measure.State, detail string) measure.Reading {
	return measure.Reading{State: state, Detail: detail}
}

// partly is a count of 0 where not every pod was measured.
func partly() measure.Reading {
	reading := rate(0)
	reading.Detail = "1 of 2 pods can't be read"
	return reading
}

// What is known of the data plane follows from what both sides count, and what
// is not known is said to be unknown, never to have moved.
func TestFollow(t *testing.T) {
	for name, test := range map[string]struct {
		seen    looks
		after   time.Duration
		want    Following
		overdue bool
		says    string
	}{
		"a request has arrived":               {looks{onTarget: rate(0.2), onOld: rate(50)}, 1200 * time.Millisecond, Followed, false, "green got its first request within 1.2s of the switch"},
		"none has, for a moment":              {looks{onTarget: rate(0), onOld: rate(50)}, time.Second, NotFollowed, false, "no request has reached green 1s after the switch, blue still answers 50.0/s"},
		"none has, for too long":              {looks{onTarget: rate(0), onOld: rate(50)}, time.Minute, NotFollowed, true, "kube-proxy or a load balancer does not follow, or every client keeps its connection"},
		"none was counted where it could be":  {looks{onTarget: unanswered(measure.NoData, "no pod of green counts requests"), onOld: rate(50)}, time.Minute, NotFollowed, true, "(no pod of green counts requests)"},
		"nobody sends any":                    {looks{onTarget: rate(0), onOld: rate(0)}, time.Minute, FollowingUnknown, false, "none is seen on either side"},
		"nobody counts any":                   {looks{onTarget: unanswered(measure.NoData, ""), onOld: unanswered(measure.NoData, "")}, time.Minute, FollowingUnknown, false, "unknown"},
		"the target can't be read":            {looks{onTarget: unanswered(measure.SourceDown, "refused"), onOld: rate(50)}, time.Minute, FollowingUnknown, false, "can't be read: refused"},
		"the old side can't be read":          {looks{onTarget: rate(0), onOld: unanswered(measure.SourceDown, "refused")}, time.Minute, FollowingUnknown, false, "can't be read: refused"},
		"probes alone are no arrival":         {looks{onTarget: rate(0.5), onOld: rate(50), before: rate(0.4)}, time.Minute, FollowingUnknown, false, "the 0.5/s that green counts may be those of before it was given any"},
		"more than probes is an arrival":      {looks{onTarget: rate(5), onOld: rate(50), before: rate(0.4)}, time.Minute, Followed, false, "within 1m0s"},
		"it was silent before, which is none": {looks{onTarget: rate(0), onOld: rate(50), before: unanswered(measure.NoData, "first scrape")}, time.Minute, NotFollowed, true, "no request"},
		"what was before can't be told":       {looks{onTarget: rate(5), onOld: rate(50), before: unanswered(measure.SourceDown, "away")}, time.Minute, FollowingUnknown, false, "may be those of before"},
		"more than the old side gets is more": {looks{onTarget: rate(60), onOld: rate(50), before: unanswered(measure.SourceDown, "away")}, time.Minute, Followed, false, "first request"},
		"its own clients, and the others":     {looks{onTarget: rate(150), onOld: rate(140), before: rate(150), served: rate(150)}, time.Second, FollowingUnknown, false, "may be those of before"},
		"the others pass to it":               {looks{onTarget: rate(298), onOld: rate(31), before: rate(150), served: rate(150)}, 3 * time.Second, Followed, false, "requests pass from blue to green, 3s after the switch: 31.0/s and 298.0/s, of 150.0/s and 150.0/s before it"},
		"the others go home":                  {looks{onTarget: rate(160), onOld: rate(31), before: rate(150), served: rate(150)}, time.Second, FollowingUnknown, false, "may be those of before"},
		"what the others had is not known":    {looks{onTarget: rate(298), onOld: rate(31), before: rate(150), served: unanswered(measure.NoData, "")}, time.Second, FollowingUnknown, false, "may be those of before"},
		"only some pods were measured":        {looks{onTarget: partly(), onOld: rate(50)}, time.Minute, FollowingUnknown, false, "none was counted where green was measured, but 1 of 2 pods"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := test.seen
			if seen.before.State == "" {
				seen.before = unanswered(measure.NoData, "no requests")
			}
			seen.target, seen.old, seen.at, seen.due = "green", "blue", start.Add(test.after), time.Minute
			got := DataPlane{Switched: start}.follow(seen)
			if got.Following != test.want || got.Overdue != test.overdue || !strings.Contains(got.Message, test.says) {
				t.Errorf("%+v, want %s, overdue %v, %q", got, test.want, test.overdue, test.says)
			}
			if arrived := !got.Arrived.IsZero(); arrived != (test.want == Followed) {
				t.Errorf("arrived at %s", got.Arrived)
			}
		})
	}
}

// What has arrived once has arrived, whatever is read after that; and what was
// overdue may still come.
func TestFollowGoesOn(t *testing.T) {
	none := looks{target: "green", old: "blue", onTarget: rate(0), onOld: rate(50), before: unanswered(measure.NoData, ""), at: start.Add(time.Hour), due: time.Minute}
	some := none
	some.onTarget, some.at = rate(9), start.Add(2*time.Hour)
	late := DataPlane{Switched: start}.follow(none).follow(some)
	if late.Following != Followed || late.Overdue || !late.Arrived.Equal(some.at) || !strings.Contains(late.Message, "within 2h0m0s") {
		t.Errorf("after all: %+v", late)
	}
	if again := late.follow(none); again != late {
		t.Errorf("%+v became %+v", late, again)
	}
	// What can't be seen now takes nothing back; that nobody asks at all does.
	stranded := DataPlane{Switched: start}.follow(none)
	unread := none
	unread.onOld = unanswered(measure.SourceDown, "refused")
	if again := stranded.follow(unread); again != stranded {
		t.Errorf("%+v became %+v", stranded, again)
	}
	idle := none
	idle.onOld = rate(0)
	if again := stranded.follow(idle); again.Following != FollowingUnknown {
		t.Errorf("with nobody asking: %+v", again)
	}
}

// A release that requests have not followed never advances and never goes back
// for it, whatever the policy and whatever else the gate says; one that is bad
// goes back all the same.
func TestRequestsThatDoNotFollowHold(t *testing.T) {
	stranded := DataPlane{Following: NotFollowed, Switched: start, Message: "no request has reached green"}
	for name, test := range map[string]struct {
		policy   string
		decision gate.Decision
		want     Phase
		says     string
	}{
		"the gate is open":                         {release.PolicyHold, open, Held, "no request has reached green"},
		"the gate has no data":                     {release.PolicyHold, noTraffic, Held, "no request has reached green"},
		"the gate is open, and silence goes back":  {release.PolicyRollback, open, Held, "no request has reached green"},
		"the gate has no data, and that goes back": {release.PolicyRollback, noTraffic, Held, "no request has reached green"},
		"a source is silent":                       {release.PolicyHold, silent, Held, "down"},
		"a source is silent, and that goes back":   {release.PolicyRollback, silent, Revert, "down"},
		"an advance rule fails":                    {release.PolicyHold, notReached, Revert, "too slow"},
		"a rollback rule fires":                    {release.PolicyHold, broken, Revert, "because"},
	} {
		t.Run(name, func(t *testing.T) {
			policy := testPolicy()
			policy.SourceDown.Policy = test.policy
			state := at(Watch, moved, second, cutover)
			for elapsed := time.Duration(0); elapsed < time.Hour && state.Phase == Watch; elapsed += 30 * time.Second {
				seen := ticked(elapsed, test.decision)
				seen.DataPlane = stranded
				state = Step(policy, state, seen)
			}
			if state.Phase != test.want || !strings.Contains(state.Reason, test.says) {
				t.Errorf("%s because %q, want %s because %q", state.Phase, state.Reason, test.want, test.says)
			}
		})
	}
}

// Once they follow, a run that was held for it goes on and ends.
func TestRequestsThatFollowAfterAll(t *testing.T) {
	state := at(Watch, moved, second, cutover)
	state.DataPlane = DataPlane{Following: NotFollowed, Switched: start, Overdue: true}
	state = resume(hold(state, start.Add(time.Hour), "no request"), start.Add(2*time.Hour))
	seen := ticked(2*time.Hour, open)
	seen.DataPlane = DataPlane{Following: Followed, Switched: start, Arrived: seen.At}
	if state = Step(testPolicy(), state, seen); state.Phase != Confirm || state.DataPlane.Following != Followed {
		t.Errorf("%s with %+v, want confirm", state.Phase, state.DataPlane)
	}
}

// bothSides answers how many requests per second reach each colour.
type bothSides map[string]measure.Reading

func (b bothSides) Name() string { return "meter" }
func (b bothSides) Answers(query measure.Query) bool {
	_, known := b[query.Color]
	return known && query.Signal == measure.ResidualRate
}
func (b bothSides) Read(_ context.Context, query measure.Query) measure.Reading {
	return b[query.Color]
}

// The runner looks until a request has arrived, says once what it has found,
// and keeps it with the run; the switch begins the clock.
func TestObserveLooksAtBothSides(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	rates := bothSides{"blue": rate(50), "green": rate(0)}
	driving(t, runner, release.DrainNone, rates)
	var told []string
	runner.Progress = func(event Event) {
		if !event.Transient {
			told = append(told, string(event.Level)+" "+event.Message)
		}
	}
	state := at(Watch, moved)
	state.DataPlane.Switched = runner.Clock.Now().Add(-time.Second)
	state.Baseline = []measure.Reading{{Query: runner.straying(state), State: measure.NoData}}
	look := func() State {
		t.Helper()
		seen := runner.observe(t.Context(), state)
		if learned := seen.Learned != nil; learned != seen.DataPlane.changed(state.DataPlane) {
			t.Errorf("the record is told: %v, of %+v after %+v", learned, seen.DataPlane, state.DataPlane)
		}
		state.DataPlane = seen.DataPlane
		return state
	}
	if got := look().DataPlane; got.Following != NotFollowed || got.Overdue || len(told) != 0 {
		t.Fatalf("at first: %+v, told %q", got, told)
	}
	if runner.interval(state) != arrivalInterval {
		t.Errorf("looks again after %s, want %s", runner.interval(state), arrivalInterval)
	}
	state.DataPlane.Switched = runner.Clock.Now().Add(-time.Hour)
	if got := look().DataPlane; !got.Overdue || len(told) != 1 || !strings.HasPrefix(told[0], "warning no request has reached green") {
		t.Fatalf("too late: %+v, told %q", got, told)
	}
	look() // says nothing new
	rates["green"] = rate(3)
	if got := look().DataPlane; got.Following != Followed || len(told) != 2 || !strings.HasPrefix(told[1], "info green got its first request") {
		t.Fatalf("in the end: %+v, told %q", got, told)
	}
	runner.Sources = nil
	if got := look().DataPlane; got.Following != Followed {
		t.Errorf("what has arrived is forgotten: %+v", got)
	}
	state.DataPlane = DataPlane{Switched: start}
	if got := look().DataPlane; got.Following != FollowingUnknown || !strings.Contains(got.Message, "not declared: metrics") || len(told) != 2 {
		t.Errorf("without metrics: %+v, told %q", got, told)
	}
}

// The clock begins with the first write of each step, and with no later one.
func TestTheFirstSwitchOfAStepBeginsTheClock(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	driving(t, runner, release.DrainNone)
	production.Split = traffic.Whole("blue")
	state := at(Switch, moved)
	seen := runner.switchTraffic(t.Context(), state, production.Route)
	if seen.Kind != Succeeded || seen.Learned == nil {
		t.Fatalf("switch = %s (%s), learned %v", seen.Kind, seen.Message, seen.Learned != nil)
	}
	seen.Learned(&state)
	first := state.DataPlane.Switched
	if first.IsZero() {
		t.Error("nobody knows when it was")
	}
	if seen = runner.switchTraffic(t.Context(), state, production.Route); seen.Learned != nil {
		t.Error("a second switch begins it again")
	}
	runner.policy.Steps = []release.Step{{Weight: 50}, {Weight: 100}}
	state.Step, state.DataPlane.Following = 1, Followed
	seen = runner.switchTraffic(t.Context(), state, production.Route)
	if seen.Learned == nil {
		t.Fatal("the next step does not begin it")
	}
	if seen.Learned(&state); state.DataPlane.Following != "" || state.DataPlane.Step != 1 || state.DataPlane.Switched.IsZero() {
		t.Errorf("the next step begins with %+v", state.DataPlane)
	}
}
