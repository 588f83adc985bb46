package rollout

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// asked is a rollback that a person asked for, of a side that nothing is
// known to be wrong with.
func asked(s *State) { s.Moved, s.Requested = true, true }

func graceful(s *State) { s.Termination = &traffic.Termination{Graceful: true} }
func abrupt(s *State)   { s.Termination = &traffic.Termination{} }
func bad(s *State)      { s.Because = broken.Because }

// A side is ended where that is known to lose nothing, where it was asked for,
// or where the side is bad; never because nobody looked.
func TestDrainReverse(t *testing.T) {
	busy, quiet := []measure.Source{&meter{reading: rate(2)}}, []measure.Source{&meter{reading: rate(0)}}
	mute := []measure.Source{&meter{reading: measure.Reading{State: measure.NoData, Detail: "no counter"}}}
	for name, test := range map[string]struct {
		drain   release.Drain
		sources []measure.Source
		change  func(*State)
		want    Kind
		kept    bool
	}{
		"quiet":                        {release.DrainAuto, quiet, abrupt, Succeeded, false},
		"busy and graceful":            {release.DrainAuto, busy, graceful, Succeeded, false},
		"busy and abrupt":              {release.DrainAuto, busy, abrupt, Waiting, false},
		"busy, abrupt, not waited for": {release.DrainNone, busy, abrupt, Succeeded, false},
		"busy, to be recycled":         {release.DrainRecycle, busy, abrupt, Succeeded, false},
		"unmeasured and graceful":      {release.DrainAuto, nil, graceful, Succeeded, false},
		"unmeasured and abrupt":        {release.DrainAuto, nil, abrupt, Succeeded, true},
		"unmeasured, waited for":       {release.DrainWait, nil, abrupt, Succeeded, true},
		"unmeasured, not waited for":   {release.DrainNone, nil, abrupt, Succeeded, false},
		"no data and abrupt":           {release.DrainAuto, mute, abrupt, Succeeded, true},
		"unmeasured and bad":           {release.DrainAuto, nil, bad, Succeeded, false},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("green"))
			driving(t, runner, test.drain, test.sources...)
			state := longAgo(at(DrainReverse, asked, test.change))
			seen := runner.drainReverse(t.Context(), state)
			if seen.Learned != nil {
				seen.Learned(&state)
			}
			if seen.Kind != test.want || (state.Kept != "") != test.kept {
				t.Errorf("drain = %s (%s), kept %q; want %s, kept %v", seen.Kind, seen.Message, state.Kept, test.want, test.kept)
			}
		})
	}
}

// A bad side is ended at once, but for the time that a proxy may still lead
// clients there who know nothing of it. One that is not ended is not waited for.
func TestBadSideEndsOnceProxiesFollow(t *testing.T) {
	busy, quiet := []measure.Source{&meter{reading: rate(2)}}, []measure.Source{&meter{reading: rate(0)}}
	for name, test := range map[string]struct {
		router  route
		sources []measure.Source
		since   time.Duration
		want    Kind
	}{
		"a Service has no proxy":          {route{}, busy, 0, Succeeded},
		"requests still come":             {route{weighs: true}, busy, 5 * time.Second, Waiting},
		"the last window has begun":       {route{weighs: true}, quiet, time.Second, Waiting},
		"nothing comes":                   {route{weighs: true}, quiet, 4 * time.Second, Succeeded},
		"nobody measures":                 {route{weighs: true}, nil, 5 * time.Second, Waiting},
		"requests come for too long":      {route{weighs: true}, busy, 11 * time.Second, Succeeded},
		"nobody measures for too long":    {route{weighs: true}, nil, 11 * time.Second, Succeeded},
		"requests come to one that stays": {route{weighs: true, keeps: true}, busy, 0, Succeeded},
		"nobody measures one that stays":  {route{weighs: true, keeps: true}, nil, 0, Succeeded},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("green"))
			driving(t, runner, release.DrainAuto, test.sources...)
			runner.Release.Spec.Gates.Interval = release.Duration(time.Second)
			production.weighs, production.keeps = test.router.weighs, test.router.keeps
			state := at(DrainReverse, bad)
			state.Entered = runner.Clock.Now().Add(-test.since)
			if seen := runner.drainReverse(t.Context(), state); seen.Kind != test.want {
				t.Errorf("drain = %s (%s), want %s", seen.Kind, seen.Message, test.want)
			}
		})
	}
}

// A side that is kept is asked until nothing reaches it, for as long as proxies may
// need to follow: nothing else would ever move what they lead there.
func TestKeptSideIsAskedUntilProxiesFollow(t *testing.T) {
	busy, quiet := rate(2), rate(0)
	for name, test := range map[string]struct {
		reading measure.Reading
		since   time.Duration
		want    Kind
		left    float64
	}{
		"requests still come":        {busy, 5 * time.Second, Waiting, 0},
		"nothing comes":              {quiet, 5 * time.Second, Succeeded, 0},
		"requests come for too long": {busy, 11 * time.Second, Succeeded, 2},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("green"))
			driving(t, runner, release.DrainAuto, &meter{reading: test.reading})
			runner.Release.Spec.Gates.Interval = release.Duration(time.Second)
			production.weighs, production.keeps = true, true
			state := at(DrainReverse, asked, graceful)
			state.Entered = runner.Clock.Now().Add(-test.since)
			seen := runner.drainReverse(t.Context(), state)
			if seen.Learned != nil {
				seen.Learned(&state)
			}
			if seen.Kind != test.want || (seen.Kind == Succeeded && state.Residual.Value != test.left) {
				t.Errorf("drain = %s (%s), %+v is left, want %s and %v", seen.Kind, seen.Message, state.Residual, test.want, test.left)
			}
		})
	}
}

// A route that its proxy drops where one side has no pods keeps both, after a
// rollback and for good.
func TestBothSidesAreKept(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), pod("green"))
	production.keeps = true
	runner.Release.Spec.Traffic.Drain = release.DrainNone
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" || replicas(t, runner, "green") != 2 ||
		!strings.Contains(outcome.Message, "green is left running: the proxy drops a route") {
		t.Errorf("outcome = %+v, %v with route %s", outcome, err, production.Split)
	}
	if _, blocked := runner.idleSide(production.Route, FinishRequest{}); blocked == nil || blocked.Code != CodeBlocked || !strings.Contains(blocked.Message, "still holds the Service of green") {
		t.Errorf("finish = %+v, want it blocked", blocked)
	}
}

// What nothing is known about is left running, and told.
func TestRequestedRollbackKeepsAnUnmeasuredSide(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), pod("green"))
	runner.Release.Spec.Traffic.Drain = release.DrainAuto
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
		t.Fatalf("outcome = %+v, %v with route %s, want blue", outcome, err, production.Split)
	}
	if wanted := replicas(t, runner, "green"); wanted != 2 || !strings.Contains(outcome.Message, "green is left running: not declared: metrics") {
		t.Errorf("green wants %d replicas, %s", wanted, outcome.Message)
	}
	if outcome.Status.Residual == nil || outcome.Status.Residual.State != measure.NoData {
		t.Errorf("residual = %+v, want one that is not known", outcome.Status.Residual)
	}
}

// An evicted pod's object stays until it is collected; it serves nothing.
func TestRollbackPastAnEvictedPod(t *testing.T) {
	evicted := pod("green")
	evicted.Status.Phase, evicted.Status.Reason = corev1.PodFailed, "Evicted"
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), evicted)
	runner.Release.Spec.Traffic.Deadlines.Rollback = release.Duration(time.Second)
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" || replicas(t, runner, "green") != 0 {
		t.Errorf("outcome = %+v, %v with route %s", outcome, err, production.Split)
	}
}

// A bad side that somebody has deleted is as ended as can be.
func TestRollbackPastADeletedSide(t *testing.T) {
	for _, drain := range []release.Drain{release.DrainNone, release.DrainAuto} {
		runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
		runner.Release.Spec.Traffic.Drain = drain
		runner.Release.Spec.Traffic.Deadlines.Rollback = release.Duration(time.Second)
		gone(t, runner, "green")
		production.ready["green"] = 0
		outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
		if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
			t.Errorf("%s: outcome = %+v, %v with route %s", drain, outcome, err, production.Split)
		}
	}
}

// Pods that a deleted workload has left behind may still answer.
func TestRollbackWaitsForOrphans(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	runner.Release.Spec.Traffic.Deadlines.Rollback = release.Duration(time.Second)
	gone(t, runner, "green")
	production.ready["green"] = 1
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeUnproven || !strings.Contains(outcome.Message, "1 pods of green are still ending") {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
}

// The side to be ended is ended only while the route, as it is right before the
// write, gives it nothing and is nobody else's.
func TestNoSideIsEndedThatGetsRequests(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(*route)
		want int32
	}{
		"everything is back":            {func(*route) {}, 0},
		"somebody gave it a part":       {func(r *route) { r.Split = traffic.Between("green", "blue", 1) }, 2},
		"somebody gave it everything":   {func(r *route) { r.Split = traffic.Whole("green") }, 2},
		"somebody else moves the route": {func(r *route) { r.Fence.Epoch = 99 }, 2},
		"the route can't be read":       {func(r *route) { r.failure = traffic.ErrNoColor }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
			driving(t, runner, release.DrainAuto)
			production.Split = traffic.Whole("blue")
			test.edit(production)
			seen := runner.end(t.Context(), at(End, asked))
			if got := replicas(t, runner, "green"); got != test.want || (seen.Kind == Succeeded) != (test.want == 0) {
				t.Errorf("end = %s (%s), green wants %d, want %d", seen.Kind, seen.Message, got, test.want)
			}
		})
	}
}

// Who asked for a rollback is told how another process's run ended: as asked
// only where it obeyed.
func TestFollowed(t *testing.T) {
	told, now := start.Add(time.Hour), start.Add(time.Hour+3*time.Second)
	for name, test := range map[string]struct {
		state State
		code  int
		says  string
	}{
		"it obeyed":          {at(RolledBack, moved, func(s *State) { s.Reason = stopped + "rollback requested by ana" }), CodeDone, "rolled back as asked: blue serves production, 3s after the request"},
		"its gate was first": {at(RolledBack, moved, bad, func(s *State) { s.Reason = "rule: because" }), CodeRolledBack, "rolled back: blue serves production; rule: because"},
		"it had failed":      {at(RolledBack, moved, func(s *State) { s.Reason = "prove took longer" }), CodeRolledBack, "rolled back: blue serves production; prove"},
		"asked already":      {at(RolledBack, asked), CodeDone, "rolled back as asked"},
		"before the switch":  {at(Blocked, func(s *State) { s.Reason = stopped + "rollback" }), CodeDone, "stopped before anything was moved"},
		"unproven":           {at(Unproven, moved, func(s *State) { s.Reason = stopped + "rollback; then: away" }), CodeUnproven, "page someone"},
	} {
		t.Run(name, func(t *testing.T) {
			run := journal.Run{ID: "run"}
			state, err := json.Marshal(test.state)
			if err != nil {
				t.Fatal(err)
			}
			run.State = state
			outcome, ended, err := followed(run, told, now)
			if err != nil || !ended || outcome.Code != test.code || !strings.Contains(outcome.Message, test.says) {
				t.Errorf("outcome = %+v, ended %v, %v; want code %d: %s", outcome, ended, err, test.code, test.says)
			}
			if !outcome.Status.Entered.Equal(test.state.Entered) {
				t.Errorf("entered = %s, want the run's own", outcome.Status.Entered)
			}
		})
	}
}

// The time that a rollback took counts from the request.
func TestTimeSinceAsked(t *testing.T) {
	for name, test := range map[string]struct {
		asked time.Time
		says  string
	}{
		"asked":          {start.Add(-2 * time.Second), "blue serves production, 2s after the request"},
		"nobody knows":   {time.Time{}, "blue serves production"},
		"another's time": {start.Add(time.Second), "blue serves production"},
	} {
		state := at(RolledBack, asked)
		state.Started, state.Asked = start.Add(-time.Hour), test.asked
		if got := outcomeOf(state).Message; got != "rolled back as asked: "+test.says {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// To give up a run that moved nothing takes as long as that, not as the run.
func TestGivingUpCountsFromTheRequest(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
	production.Split = traffic.Whole("blue")
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		t.Fatal(err)
	}
	state := State{Phase: Held, Resume: Health, From: "blue", To: "green", Started: start.AddDate(-1, 0, 0)}
	if err := tenure.Save(t.Context(), state, string(Held)); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeDone || !strings.Contains(outcome.Message, ", 0s after the request") {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
}
