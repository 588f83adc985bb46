package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// streams is a reading of what is open, by a gauge of two pods.
func streams(value float64) measure.Reading {
	return measure.Reading{State: measure.OK, Value: value, Samples: 2, Source: "pods", Detail: "by http_requests_in_flight"}
}

// perhaps is one in which there may be nothing but the question.
func perhaps() measure.Reading {
	return measure.Reading{State: measure.NoData, Samples: 2, Source: "pods", Detail: "it may be the very question"}
}

// unexported is one of a side of which no pod tells.
func unexported() measure.Reading {
	return measure.Reading{State: measure.NoData, Source: "pods", Detail: "no pod of blue exports how many requests it has open"}
}

// What is open is waited for as drain says: recycle and none go on at once, auto
// at the drain's deadline, wait holds then. Where no pod tells, nothing is waited
// for.
func TestDrainOfWhatIsOpen(t *testing.T) {
	const one = "1 request or stream is still open on blue (by http_requests_in_flight, pods)"
	const stays = "; blue stays, and finish will not end it before"
	for name, test := range map[string]struct {
		drain    release.Drain
		requests float64
		open     measure.Reading
		// soon and late are where the run is at the first look and at the
		// drain's deadline.
		soon, late Phase
		says       string
		kept       bool // the reading is in the state
	}{
		"auto, a stream":                     {release.DrainAuto, 0, streams(1), Drain, GiveBack, one + stays, true},
		"wait, a stream":                     {release.DrainWait, 0, streams(1), Drain, Held, one, true},
		"none, a stream":                     {release.DrainNone, 0, streams(1), GiveBack, GiveBack, "not waited for (traffic.drain: none): blue is drained: 0 requests", true},
		"recycle, a stream":                  {release.DrainRecycle, 0, streams(1), GiveBack, GiveBack, one + stays, true},
		"auto, several":                      {release.DrainAuto, 0, streams(3), Drain, GiveBack, "3 requests or streams are still open on blue", true},
		"auto, requests beside it":           {release.DrainAuto, 2, streams(1), Drain, Held, "2.0 requests/s remain on blue over connections that were open before the switch; " + one, true},
		"auto, nothing":                      {release.DrainAuto, 0, streams(0), GiveBack, GiveBack, "; 0 requests or streams are open on blue (by http_requests_in_flight, pods)", true},
		"wait, nothing":                      {release.DrainWait, 0, streams(0), GiveBack, GiveBack, "is drained", true},
		"wait, it may be the question":       {release.DrainWait, 0, perhaps(), GiveBack, GiveBack, "; what is open on blue is unknown: it may be the very question", true},
		"wait, no pod tells":                 {release.DrainWait, 0, unexported(), GiveBack, GiveBack, "blue is drained: 0 requests", false},
		"wait, nothing could be read":        {release.DrainWait, 0, measure.Reading{State: measure.SourceDown, Detail: "away"}, GiveBack, GiveBack, "is drained", false},
		"auto, no source answers it":         {release.DrainAuto, 0, measure.Reading{}, GiveBack, GiveBack, "is drained", false},
		"auto, no source, requests":          {release.DrainAuto, 2, measure.Reading{}, Drain, Held, "2.0 requests/s remain", false},
		"none, no pod tells, requests":       {release.DrainNone, 2, unexported(), GiveBack, GiveBack, "not waited for (traffic.drain: none): 2.0 requests/s remain", false},
		"auto, no pod tells, and no request": {release.DrainAuto, 0, unexported(), GiveBack, GiveBack, "is drained", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
			source := gauges{measure.ResidualRate: rate(test.requests)}.but(measure.OpenRequests, test.open)
			driving(t, runner, test.drain, source)
			clock := clocktesting.NewFakeClock(start.Add(time.Minute))
			runner.Clock = clock
			look := func() State {
				state := at(Drain, moved, second)
				seen := runner.drain(t.Context(), state)
				seen.At = clock.Now()
				return Step(testPolicy(), state, seen)
			}
			state := look()
			if state.Phase != test.soon {
				t.Errorf("at the first look: %s, want %s", state.Phase, test.soon)
			}
			if (state.Open != nil) != test.kept {
				t.Errorf("the state has %+v", state.Open)
			}
			if seen := runner.drain(t.Context(), at(Drain, moved, second)); !strings.Contains(seen.Message, test.says) {
				t.Errorf("said %q, want %q", seen.Message, test.says)
			}
			clock.SetTime(start.Add(testPolicy().Deadlines.Drain.Std()))
			if state := look(); state.Phase != test.late {
				t.Errorf("at the deadline: %s, want %s", state.Phase, test.late)
			}
		})
	}
}

// A run that went on past what is open says so, as a warning and where it ends.
func TestWhatIsOpenIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		open measure.Reading
		says string
	}{
		"a stream": {streams(1), "green serves production, blue is drained (0 residual requests/s); 1 request or stream is still open on blue (by http_requests_in_flight, pods): blue stays, and finish will not end it before"},
		"nothing":  {streams(0), "green serves production, blue is drained (0 residual requests/s)"},
		"unknown":  {perhaps(), "green serves production, blue is drained (0 residual requests/s)"},
	} {
		t.Run(name, func(t *testing.T) {
			requests := rate(0)
			outcome := outcomeOf(at(Done, func(s *State) { s.Residual, s.Open = &requests, &test.open }))
			if diff := cmp.Diff(test.says, outcome.Message); diff != "" || outcome.Code != CodeDone {
				t.Errorf("exit code %d, message (-want +got):\n%s", outcome.Code, diff)
			}
		})
	}
	var levels []Level
	runner := &Runner{Clock: clocktesting.NewFakeClock(start), Progress: func(event Event) { levels = append(levels, event.Level) }}
	yielding := waiting("a stream is open")
	yielding.Yields = true
	runner.tellTransition(at(Drain), at(GiveBack), yielding)
	runner.tellTransition(at(Drain), at(GiveBack), succeeded("drained"))
	if diff := cmp.Diff([]Level{Warning, Success}, levels); diff != "" {
		t.Errorf("levels (-want +got):\n%s", diff)
	}
}
