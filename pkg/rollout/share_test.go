package rollout

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A step is followed when both sides get their parts, and what can't be told
// is unknown.
func TestShare(t *testing.T) {
	for name, test := range map[string]struct {
		weight      int
		target, old measure.Reading
		after       time.Duration
		want        Following
		overdue     bool
		says        string
		// before is what the target's weight was, and reference the rate of the
		// old side before anything was moved.
		before    int
		reference float64
		lost      bool
	}{
		"as the weight says":                        {weight: 50, target: rate(51), old: rate(49), after: 10 * time.Second, want: Followed, overdue: false, says: "green gets 51 % of 1000 requests 10s after the switch, and its weight is 50"},
		"a proxy that was slow at first":            {weight: 50, target: rate(30), old: rate(70), after: 10 * time.Second, want: Followed, overdue: false, says: "30 %"},
		"nothing arrives":                           {weight: 50, target: unanswered(measure.NoData, "no pod counts"), old: rate(100), after: 10 * time.Second, want: NotFollowed, overdue: false, says: "green gets 0.0 % of 1000 requests 10s after the switch, and its weight is 50: another rule takes them"},
		"nothing arrives, for too long":             {weight: 50, target: rate(0), old: rate(100), after: time.Minute, want: NotFollowed, overdue: true, says: "clients are tied to a side"},
		"a fifth of half":                           {weight: 50, target: rate(10), old: rate(90), after: 10 * time.Second, want: NotFollowed, overdue: false, says: "10.0 %"},
		"everything arrives":                        {weight: 50, target: rate(100), old: rate(0), after: 10 * time.Second, want: NotFollowed, overdue: false, says: "100.0 %"},
		"a hundredth":                               {weight: 1, target: rate(1), old: rate(99), after: 30 * time.Second, want: Followed, overdue: false, says: "1 %"},
		"none of a hundredth, of few":               {weight: 1, target: rate(0), old: rate(10), after: 10 * time.Second, want: FollowingUnknown, overdue: false, says: "100 requests are too few to tell at a weight of 1"},
		"one of a hundredth, of few":                {weight: 1, target: rate(0.1), old: rate(9.9), after: 10 * time.Second, want: Followed, overdue: false, says: "1 % of 100"},
		"none of a tenth, of few":                   {weight: 10, target: rate(0), old: rate(6), after: time.Minute, want: FollowingUnknown, overdue: false, says: "360 requests are too few to tell at a weight of 10"},
		"none of a tenth, of enough":                {weight: 10, target: rate(0), old: rate(7), after: time.Minute, want: NotFollowed, overdue: true, says: "0.0 % of 420"},
		"all at nine tenths, of few":                {weight: 90, target: rate(6), old: rate(0), after: time.Minute, want: FollowingUnknown, overdue: false, says: "too few to tell at a weight of 90"},
		"none of a hundredth, of many":              {weight: 1, target: rate(0), old: rate(1000), after: 30 * time.Second, want: NotFollowed, overdue: false, says: "0.0 % of 30000"},
		"a tenth at a hundredth":                    {weight: 1, target: rate(10), old: rate(90), after: 30 * time.Second, want: Followed, overdue: false, says: ""}, // the old side has its part
		"hardly any requests":                       {weight: 50, target: rate(0), old: rate(0.1), after: 10 * time.Second, want: FollowingUnknown, overdue: false, says: "1 requests are too few to tell"},
		"nobody sends any":                          {weight: 50, target: rate(0), old: rate(0), after: 10 * time.Second, want: FollowingUnknown, overdue: false, says: "no request is seen on either side"},
		"the target can't be read":                  {weight: 50, target: unanswered(measure.SourceDown, "refused"), old: rate(50), after: 10 * time.Second, want: FollowingUnknown, overdue: false, says: "the share of green can't be read: refused"},
		"the old side can't be read":                {weight: 50, target: rate(50), old: unanswered(measure.SourceDown, "refused"), after: 10 * time.Second, want: FollowingUnknown, overdue: false, says: "the share of blue can't be read: refused"},
		"nobody listens on its port":                {weight: 50, target: rate(0), old: rate(50), after: 12 * time.Second, want: NotFollowed, says: "of 100.0 requests/s before it 50.0 are left: the rest reaches nobody", reference: 100, lost: true},
		"nobody has listened for a moment":          {weight: 50, target: rate(0), old: rate(50), after: 5 * time.Second, want: NotFollowed, says: "another rule takes them", reference: 100},
		"a process that has just begun to count":    {weight: 50, target: rate(0), old: sampled(64, 129), after: 17 * time.Second, want: NotFollowed, says: "another rule takes them", reference: 100},
		"another rule takes them all":               {weight: 50, target: rate(0), old: rate(98), after: 12 * time.Second, want: NotFollowed, says: "another rule takes them", reference: 100},
		"clients go home":                           {weight: 50, target: rate(0), old: rate(5), after: 12 * time.Second, want: NotFollowed, says: "another rule takes them", reference: 100},
		"few clients, each getting its share":       {weight: 50, target: rate(10), old: rate(10), after: 12 * time.Second, want: Followed, says: "50 %", reference: 100},
		"everything, and the old side had half":     {weight: 100, target: rate(99), old: rate(1), after: 10 * time.Second, want: Followed, says: "its weight is 100", before: 50},
		"everything, and half stays where it was":   {weight: 100, target: rate(50), old: rate(50), after: 10 * time.Second, want: NotFollowed, says: "50.0 %", before: 50},
		"everything at once, and all of it stays":   {weight: 100, target: rate(0), old: rate(100), after: 10 * time.Second, want: NotFollowed, says: "0.0 %"},
		"everything, and nobody obeys, of few":      {weight: 100, target: rate(0.9), old: rate(0.3), after: time.Minute, want: FollowingUnknown, says: "72 requests are too few to tell at a weight of 100", before: 75},
		"everything, and nobody obeys, of many":     {weight: 100, target: rate(90), old: rate(30), after: time.Minute, want: NotFollowed, overdue: true, says: "75.0 % of 7200", before: 75},
		"everything, and few had stayed":            {weight: 100, target: rate(29.7), old: rate(0.3), after: time.Minute, want: FollowingUnknown, says: "1800 requests are too few to tell", before: 99},
		"everything, and nobody is left of a few":   {weight: 100, target: rate(30), old: rate(0), after: time.Minute, want: Followed, says: "100 % of 1800", before: 99},
		"everything at once, while a proxy follows": {weight: 100, target: rate(60), old: rate(40), after: 10 * time.Second, want: Followed, says: "60 %"},
	} {
		t.Run(name, func(t *testing.T) {
			got := DataPlane{Switched: start}.share(shares{target: "green", old: "blue", weight: test.weight, weightBefore: test.before, onTarget: test.target, onOld: test.old, reference: rate(test.reference),
				over: test.after, at: start.Add(test.after), due: time.Minute})
			if got.Following != test.want || got.Overdue != test.overdue || got.Lost != test.lost || !strings.Contains(got.Message, test.says) {
				t.Errorf("%+v, want %s, overdue %v, %q", got, test.want, test.overdue, test.says)
			}
			if arrived := !got.Arrived.IsZero(); arrived != (test.want == Followed) {
				t.Errorf("arrived at %s", got.Arrived)
			}
		})
	}
}

// Of how many requests none may come by chance is what docs/routers.md says.
func TestHowManyRequestsTell(t *testing.T) {
	for weight, most := range map[float64]float64{0.1: 392, 0.01: 4312} {
		if few, enough := gets(0, weight, most), gets(0, weight, most+1); few != FollowingUnknown || enough != NotFollowed {
			t.Errorf("none at %g: of %g requests %s, of one more %s", weight, most, few, enough)
		}
	}
}

// A share is judged at every look: clients that are tied to a side after a
// while are seen, and what can't be seen takes that not back.
func TestShareGoesOn(t *testing.T) {
	look := func(target, old measure.Reading, at time.Time) shares {
		return shares{target: "green", old: "blue", weight: 50, onTarget: target, onOld: old, over: time.Minute, at: at, due: time.Minute}
	}
	half := DataPlane{Switched: start}.share(look(rate(50), rate(50), start.Add(10*time.Second)))
	again := half.share(look(rate(49), rate(51), start.Add(20*time.Second)))
	if again != half {
		t.Errorf("%+v became %+v", half, again)
	}
	tied := again.share(look(rate(1), rate(99), start.Add(2*time.Minute)))
	if tied.Following != NotFollowed || !tied.Overdue {
		t.Errorf("tied: %+v", tied)
	}
	few := look(rate(0), rate(10), start.Add(30*time.Second))
	few.weight, few.over = 1, 10*time.Second
	if later := half.share(few); later != half {
		t.Errorf("by chance none came: %+v became %+v", half, later)
	}
	if blind := tied.share(look(unanswered(measure.SourceDown, "refused"), rate(99), start.Add(3*time.Minute))); blind != tied {
		t.Errorf("%+v became %+v", tied, blind)
	}
}

// A route that shares as it should is never said not to, whatever the counts, and is
// said to wherever the noise of counting is less than what is looked for.
func TestShareKnowsNoise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weight := rapid.IntRange(1, 99).Draw(t, "weight")
		count := rapid.IntRange(leastRequests, 100000).Draw(t, "requests")
		want := float64(weight) / 100
		off := rapid.Float64Range(-3, 3).Draw(t, "standard errors") * math.Sqrt(want*(1-want)/float64(count))
		share := min(1, max(0, want+off))
		seen := shares{target: "green", old: "blue", weight: weight, onTarget: rate(share * float64(count)), onOld: rate((1 - share) * float64(count)),
			over: time.Second, at: start.Add(time.Second), due: time.Minute}
		got := (DataPlane{Switched: start}).share(seen)
		tells := noise(want, float64(count)) < leastPart*min(want, 1-want)
		if got.Following == NotFollowed || tells && got.Following != Followed {
			t.Fatalf("%+v", got)
		}
	})
}

// The runner asks both sides at a step, over the same time, and each switch
// begins anew.
func TestObserveLooksAtShares(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	rates := bothSides{"blue": rate(50), "green": rate(2)}
	driving(t, runner, release.DrainNone, rates)
	runner.policy.Steps = []release.Step{{Weight: 50, Hold: release.Duration(time.Minute)}, {Weight: 100}}
	state := at(Hold, moved)
	state.Step = 0
	state.DataPlane.Switched = runner.Clock.Now().Add(-10 * time.Second)
	seen := runner.observe(t.Context(), state)
	if seen.DataPlane.Following != NotFollowed || seen.Decision.Advance || !strings.Contains(seen.DataPlane.Message, "green gets 3.8 % of 520 requests") {
		t.Errorf("%+v", seen.DataPlane)
	}
	rates["green"] = rate(50)
	if seen = runner.observe(t.Context(), state); seen.DataPlane.Following != Followed {
		t.Errorf("%+v", seen.DataPlane)
	}
	delete(rates, "blue")
	if seen = runner.observe(t.Context(), state); seen.DataPlane.Following != FollowingUnknown || seen.DataPlane.Message != undeclaredMetrics {
		t.Errorf("%+v", seen.DataPlane)
	}
}

// Requests that reach nobody send the release back, though none of its own
// readings is bad; a gate that sends it back already says why itself.
func TestLostRequestsSendBack(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	rates := bothSides{"blue": rate(50), "green": rate(0)}
	driving(t, runner, release.DrainNone, rates)
	runner.policy.Steps = []release.Step{{Weight: 50, Hold: release.Duration(time.Minute)}, {Weight: 100}}
	state := at(Hold, moved)
	state.Step = 0
	state.Baseline = []measure.Reading{{Query: runner.serving(state), State: measure.OK, Value: 100}}
	state.DataPlane.Switched = runner.Clock.Now().Add(-20 * time.Second)
	seen := runner.observe(t.Context(), state)
	if !seen.DataPlane.Lost || !seen.Decision.Rollback || seen.Decision.Because[0].Rule.ID != requestsLost || seen.Learned == nil {
		t.Fatalf("decision %+v, data plane %+v", seen.Decision, seen.DataPlane)
	}
	if after := Step(runner.policy, state, seen); after.Phase != Revert || !strings.Contains(after.Reason, "the rest reaches nobody") {
		t.Errorf("%s because %q, want revert", after.Phase, after.Reason)
	}
	already := gate.Decision{Rollback: true, Because: []gate.Result{{Message: "errors"}}}
	if got := seen.DataPlane.sendBack(already); got.Because[0].Message != "errors" {
		t.Errorf("%+v", got)
	}
}

// sampled is a rate of requests per second that rests on so many of them.
func sampled(value, samples float64) measure.Reading {
	reading := rate(value)
	reading.Samples = samples
	return reading
}
