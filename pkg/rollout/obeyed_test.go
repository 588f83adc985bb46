package rollout

import (
	"context"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// A stop that a run has obeyed before it moved anything is off the route when
// the run has ended, and not in the way of the next shift.
func TestAStopThatWasObeyedIsTakenOff(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("green"))
	runner.Preflight = func(context.Context, string) (*preflight.Report, error) {
		production.Route.Stop = "orders are doubled"
		return &preflight.Report{}, nil
	}
	outcome, err := runner.Shift(t.Context(), ShiftRequest{})
	if err != nil || outcome.Code != CodeBlocked || outcome.Status.Reason != "emergency stop: orders are doubled" {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	if production.Route.Stop != "" || !production.Split.Equal(traffic.Whole("green")) {
		t.Errorf("the route is %s with stop %q", production.Split, production.Route.Stop)
	}
	run, err := runner.Journal.Get(t.Context(), outcome.Status.ID)
	if err != nil || len(journal.Open(run.Entries)) != 0 || run.Entries[len(run.Entries)-1].Action != "obey" {
		t.Errorf("the record ends with %+v, %v", run.Entries[len(run.Entries)-1], err)
	}
}

// A rollback of a run that was left before it moved anything takes off the stop
// that somebody asked that run for.
func TestARollbackOfARunThatMovedNothingTakesTheStopOff(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("green"))
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		t.Fatal(err)
	}
	state := State{Phase: Health, From: "green", To: "blue", Started: start, Entered: start}
	if err := tenure.Save(t.Context(), state, string(state.Phase)); err != nil {
		t.Fatal(err)
	}
	if err := tenure.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	production.Route.Stop = "rollback requested by ana@laptop/1"
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeDone || production.Route.Stop != "" {
		t.Errorf("outcome = %+v, %v; stop %q", outcome, err, production.Route.Stop)
	}
}
