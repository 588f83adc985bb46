package rollout

import (
	"context"
	"errors"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

const (
	thisRun  = "20261122-153012-k7f3q"
	otherRun = "20261122-090000-aaaaa"
)

// A stop that a rollback asks for is for the run that it names; every other one
// is for everybody, however much it looks like it.
func TestAStopIsForTheRunThatItNames(t *testing.T) {
	for stop, want := range map[string]struct{ this, other, next bool }{
		requestedBy("ana@laptop/1", ""):                       {true, true, true},
		requestedBy("ana@laptop/1", thisRun):                  {this: true},
		requestedBy("ana@laptop/1", otherRun):                 {other: true},
		"orders are doubled":                                  {true, true, true},
		"run " + otherRun + " doubles orders":                 {true, true, true},
		"see run " + otherRun + ": rollback requested by ana": {true, true, true},
		"": {},
	} {
		route := traffic.Route{Stop: stop}
		for run, want := range map[string]bool{thisRun: want.this, otherRun: want.other, "": want.next} {
			if got := StopFor(route, run); (got != "") != want || got != "" && got != stop {
				t.Errorf("%q for run %q: %q, want one: %t", stop, run, got, want)
			}
		}
	}
}

// Of a set a stop for a run that has ended hides none that is for everybody.
func TestAStopBehindOneOfAnotherRun(t *testing.T) {
	left, byHand := requestedBy("ana@laptop/1", otherRun), "orders are doubled"
	set := traffic.Route{Stop: left, Members: []traffic.Route{{Stop: left}, {}, {Stop: byHand}}}
	if got := StopFor(set, thisRun); got != byHand {
		t.Errorf("the stop is %q, want %q", got, byHand)
	}
}

// What a rollback has asked of a run that ended before it saw it neither keeps
// the next shift from beginning, nor stops it; what a person has said does.
func TestAStopOfARunThatHasEndedIsInNobodysWay(t *testing.T) {
	t.Parallel()
	for stop, blocked := range map[string]bool{requestedBy("bob@laptop/2", otherRun): false, "not today": true} {
		runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("green"))
		production.Route.Stop = stop
		refusal, err := runner.MayShift(t.Context(), ShiftRequest{})
		if err != nil || (refusal != nil) != blocked {
			t.Errorf("%q: a shift is refused with %+v, %v; want that: %t", stop, refusal, err, blocked)
		}
		runner.Preflight = func(context.Context, string) (*preflight.Report, error) {
			return &preflight.Report{Verdict: preflight.VerdictBlocked, Blocking: []string{"BG-MON-02"}}, nil
		}
		outcome, err := runner.Shift(t.Context(), ShiftRequest{})
		if err != nil || (outcome.Status == nil) != blocked {
			t.Fatalf("%q: the shift ends with %+v, %v; want one that never began: %t", stop, outcome, err, blocked)
		}
		if !blocked && obeyed(State{Reason: outcome.Status.Reason}) {
			t.Errorf("%q: a run that it does not name obeyed it: %s", stop, outcome.Status.Reason)
		}
	}
}

// The process that drives a run obeys a stop for that run, and looks past one for
// another, also right before it evicts a pod.
func TestTheDriverObeysTheStopOfItsRun(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("green"))
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: runner.Holder}, journal.Run{ID: thisRun})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tenure.Release(context.WithoutCancel(t.Context())) }()
	runner.tenure, runner.policy = tenure, PolicyOf(runner.Release)
	production.Fence = tenure.Fence()
	for run, want := range map[string]Kind{thisRun: Stopped, otherRun: Succeeded} {
		production.Route.Stop = requestedBy("bob@laptop/2", run)
		if _, seen := runner.guard(t.Context(), at(Drain, moved)); seen.Kind != want {
			t.Errorf("a stop for run %s: %s (%s), want %s", run, seen.Kind, seen.Message, want)
		}
		if err := runner.checkStamp(t.Context()); errors.Is(err, errStopped) != (want == Stopped) {
			t.Errorf("a stop for run %s, before an eviction: %v", run, err)
		}
	}
}

// A rollback beside a run that somebody drives asks that run, and no other.
func TestARollbackNamesTheRunThatItAsks(t *testing.T) {
	t.Parallel()
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: thisRun})
	if err != nil {
		t.Fatal(err)
	}
	state := State{Phase: Watch, From: "blue", To: "green", Moved: true, Started: start}
	if err := tenure.Save(t.Context(), state, string(Watch)); err != nil {
		t.Fatal(err)
	}
	production.asked = make(chan string, 1)
	ended := make(chan error, 1)
	go func() {
		<-production.asked
		// The gate of the run has sent it back before it looked again, and all
		// that it does at its end is done: what was asked stays on the route.
		state.Phase, state.Because = RolledBack, broken.Because
		ended <- errors.Join(tenure.Save(t.Context(), state, string(RolledBack)), tenure.Finish(t.Context(), string(RolledBack)))
	}()
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err != nil || outcome.Code != CodeRolledBack {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	if left := production.Route.Stop; left != requestedBy(runner.Holder, thisRun) || StopFor(production.Route, otherRun) != "" {
		t.Errorf("it leaves %q, which is for the next run: %q", left, StopFor(production.Route, otherRun))
	}
}

// Who makes way for a rollback is asked unless a person has said why already: that
// is for every run, and what it says is not to be lost.
func TestARollbackLeavesTheReasonOfAPerson(t *testing.T) {
	ours := func(runner *Runner) string { return requestedBy(runner.Holder, thisRun) }
	for stop, stays := range map[string]bool{"orders are doubled": true, requestedBy("ana@laptop/1", otherRun): false, "": false} {
		for name, ask := range map[string]func(runner *Runner) error{
			"beside a holder": func(runner *Runner) error {
				_, err := runner.beside(t.Context(), &journal.HeldError{Holder: "bob@laptop/2", Run: thisRun}, State{Requested: true})
				return err
			},
			"before a finish": func(runner *Runner) error {
				runner.resumed = thisRun
				runner.keepWayBack(t.Context())
				return nil
			},
		} {
			t.Run(name+" "+stop, func(t *testing.T) {
				runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
				ran(t, runner, State{Phase: RolledBack, From: "blue", To: "green", Moved: true, Started: start})
				production.Route.Stop = stop
				if err := ask(runner); err != nil {
					t.Fatal(err)
				}
				if left := production.Route.Stop; stays != (left == stop) || !stays && left != ours(runner) {
					t.Errorf("left %q, it was %q", left, stop)
				}
			})
		}
	}
}

// A run that is done before it sees what it was asked, and behind which another
// begins at once, as in a script, does not keep a rollback waiting until that one
// has decommissioned the way back: it is asked by its own name.
func TestARollbackAsksTheRunThatBeganBehindTheOneItAsked(t *testing.T) {
	t.Parallel()
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	begin := func(id string, state State) *journal.Tenure {
		tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: id})
		if err == nil {
			err = tenure.Save(t.Context(), state, string(state.Phase))
		}
		if err != nil {
			t.Error(err)
		}
		return tenure
	}
	end := func(tenure *journal.Tenure, state State) {
		if err := errors.Join(tenure.Save(t.Context(), state, string(state.Phase)), tenure.Finish(t.Context(), string(state.Phase))); err != nil {
			t.Error(err)
		}
	}
	state := State{Phase: Watch, From: "blue", To: "green", Moved: true, Started: start}
	shift := begin(otherRun, state)
	production.asked = make(chan string, 4)
	stops := make(chan []string, 1)
	go func() {
		stop := <-production.asked
		asked := []string{stop}
		state.Phase = Done
		end(shift, state)
		state.Phase, state.Finish = Quiet, &Finish{Idle: "blue", Live: "green"}
		finish := begin(thisRun, state)
		for !isFor(stop, thisRun) {
			stop = <-production.asked
			asked = append(asked, stop)
		}
		state.Phase = Blocked
		end(finish, state)
		stops <- asked
	}()
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
		t.Errorf("outcome = %+v, %v with route %s, want blue", outcome, err, production.Split)
	}
	if asked := <-stops; asked[0] != requestedBy(runner.Holder, otherRun) || !isFor(asked[len(asked)-1], thisRun) {
		t.Errorf("asked %q", asked)
	}
}
