package rollout

import (
	"context"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// A shift that begins, and is cut off, between a rollback's look at the record and
// its lease is in nobody's way: the rollback decides anew, by what that has left.
func TestRollbackWhileAShiftBegins(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	begun := false
	production.looked = func() {
		if begun {
			return
		}
		begun = true
		bob, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
		if err != nil {
			t.Error(err)
			return
		}
		if err := bob.Save(t.Context(), State{Phase: Preflight, From: "green", To: "blue"}, string(Preflight)); err != nil {
			t.Error(err)
		}
		if err := bob.Release(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone || !begun {
		t.Fatalf("outcome = %+v, %v, begun %t", outcome, err, begun)
	}
	if run, err := runner.Journal.Current(t.Context()); err != nil || run.Finished.IsZero() {
		t.Errorf("the last run is %+v, %v", run, err)
	}
	if !production.Split.Equal(traffic.Whole("green")) {
		t.Errorf("the route is at %s, though what is gone back from has moved nothing", production.Split)
	}
}
