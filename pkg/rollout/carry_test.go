package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// carrier is a second pod of the run that bob, the first one, drives.
func carrier(t *testing.T, state State) *guarding {
	t.Helper()
	g := guard(t, state)
	g.Runner.Holder = "pod-2"
	g.Runner.HandsOver = func(error) bool { return true }
	return g
}

// A pod that was lost is followed by one that goes on with the run.
func TestCarryGoesOnWithARun(t *testing.T) {
	g := carrier(t, moving(Revert))
	if err := g.bob.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	outcome, err := g.Carry(t.Context(), ShiftRequest{RunID: guardedRun})
	run, state := g.left()
	if err != nil || outcome.Code != CodeRolledBack || run.ID != guardedRun || run.Holder != "pod-2" || state.Phase != RolledBack {
		t.Errorf("outcome = %+v, %v; run %s of %s in phase %s", outcome, err, run.ID, run.Holder, state.Phase)
	}
}

// A run that has ended is not begun again, and one that is held for a person
// is not gone on with, whatever pod comes after it.
func TestCarryDoesNothingTwice(t *testing.T) {
	for phase, code := range map[Phase]int{Done: CodeDone, RolledBack: CodeRolledBack, Blocked: CodeBlocked} {
		g := carrier(t, moving(Watch))
		g.finish(phase)
		outcome, err := g.Carry(t.Context(), ShiftRequest{RunID: guardedRun})
		if err != nil || outcome.Code != code || outcome.Status.ID != guardedRun {
			t.Errorf("%s: outcome = %+v, %v", phase, outcome, err)
		}
		g.untouched()
	}
	for phase, code := range map[Phase]int{Held: CodeHeld, Unproven: CodeUnproven} {
		g := carrier(t, moving(phase))
		outcome, err := g.Carry(t.Context(), ShiftRequest{RunID: guardedRun})
		if err != nil || outcome.Code != code {
			t.Errorf("%s: outcome = %+v, %v", phase, outcome, err)
		}
		g.untouched()
	}
}

// Beside a run of somebody else nothing is begun.
func TestCarryBesideAnotherRun(t *testing.T) {
	g := carrier(t, moving(Watch))
	outcome, err := g.Carry(t.Context(), ShiftRequest{RunID: "20261122-160000-other"})
	if err != nil || outcome.Code != CodeBlocked || !strings.Contains(outcome.Message, guardedRun) {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
	g.untouched()
}

// A new run gets the id that was asked for, and an API server that is away at
// its beginning is waited for.
func TestCarryBeginsTheRunOfThatID(t *testing.T) {
	g := carrier(t, moving(Watch))
	g.finish(Done)
	const id = "20261122-160000-newer"
	asked := ""
	g.Runner.Preflight = func(_ context.Context, target string) (*preflight.Report, error) {
		asked = target
		return &preflight.Report{Verdict: preflight.VerdictBlocked, Blocking: []string{"BG-COL-01"}}, nil
	}
	failures := 0
	g.prepend("get", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		failures++
		return failures < 4, nil, apierrors.NewServiceUnavailable("away")
	})
	outcome, err := g.Carry(t.Context(), ShiftRequest{RunID: id, To: "blue"})
	run, state := g.left()
	if err != nil || outcome.Code != CodeBlocked || run.ID != id || state.Phase != Blocked || asked != "blue" {
		t.Fatalf("outcome = %+v, %v; run %s in phase %s to %s", outcome, err, run.ID, state.Phase, asked)
	}
	again := carrierOf(g)
	if outcome, err := again.Carry(t.Context(), ShiftRequest{RunID: id, To: "blue"}); err != nil || outcome.Code != CodeBlocked || !strings.Contains(outcome.Message, "BG-COL-01") {
		t.Errorf("the next pod: outcome = %+v, %v", outcome, err)
	}
}

// carrierOf is one more pod of the same run.
func carrierOf(g *guarding) *Runner {
	return &Runner{Client: g.Client, Release: g.Release, Router: g.Router, Clock: g.clock, Holder: "pod-3", Journal: g.Journal}
}

// While somebody else drives the run it is waited for, and its end told.
func TestCarryWaitsForAnother(t *testing.T) {
	g := carrier(t, moving(Watch))
	g.Runner.Journal = journal.New(g.Client.Kubernetes, "shop", "shop", clock.RealClock{})
	awake, rests := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for awake.Err() == nil {
			g.clock.Step(time.Millisecond)
			g.renew()
		}
	}()
	waited := 0
	g.clock.between = func(int) {
		if waited++; waited == 2 {
			rests()
			<-stopped
			g.finish(Done)
		}
	}
	outcome, err := g.Carry(t.Context(), ShiftRequest{RunID: guardedRun})
	rests()
	if err != nil || outcome.Code != CodeDone || waited != 2 {
		t.Errorf("outcome = %+v, waited %d times, %v", outcome, waited, err)
	}
	g.untouched()
}

// A pod that is told to go leaves the run where it stands, its lease free and
// nothing held: the next one goes on at once.
func TestInterruptedRunIsHandedOver(t *testing.T) {
	g := carrier(t, moving(Revert))
	if err := g.bob.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	g.Runner.Progress = func(event Event) {
		if event.Phase == ProveRevert {
			cancel(errors.New("terminated"))
		}
	}
	outcome, err := g.Carry(ctx, ShiftRequest{RunID: guardedRun})
	if err != nil || !outcome.HandedOver || outcome.Code != CodeHeld || !strings.Contains(outcome.Message, "terminated") {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	run, state := g.left()
	beat, err := g.Journal.Heartbeat(t.Context())
	if err != nil || state.Phase != ProveRevert || !run.Finished.IsZero() || beat.Holder != "" {
		t.Errorf("run in phase %s, finished %s, lease of %q, %v", state.Phase, run.Finished, beat.Holder, err)
	}
	last := run.Entries[len(run.Entries)-1]
	if last.Kind != journal.Note || last.Action != "hand over" {
		t.Errorf("last entry: %+v", last)
	}
	if outcome, err := carrierOf(g).Carry(t.Context(), ShiftRequest{RunID: guardedRun}); err != nil || outcome.Code != CodeRolledBack || !g.route.Split.Equal(traffic.Whole("blue")) {
		t.Errorf("the next pod: outcome = %+v, %v", outcome, err)
	}
}

// A person's interrupt holds the run, also where others could go on.
func TestInterruptIsHeldUnlessItIsHandedOver(t *testing.T) {
	g := carrier(t, moving(Revert))
	if err := g.bob.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("interrupt")
	g.Runner.HandsOver = func(err error) bool { return !errors.Is(err, cause) }
	ctx, cancel := context.WithCancelCause(t.Context())
	g.Runner.Progress = func(event Event) {
		if event.Phase == ProveRevert {
			cancel(cause)
		}
	}
	outcome, err := g.Carry(ctx, ShiftRequest{RunID: guardedRun})
	if _, state := g.left(); err != nil || outcome.HandedOver || outcome.Code != CodeHeld || state.Phase != Held || state.Resume != ProveRevert {
		t.Errorf("outcome = %+v, %v; phase %s", outcome, err, state.Phase)
	}
}

// A run that was lost to somebody who has let it go again is taken up again:
// that is no end.
func TestCarryTakesUpAgainWhatItLost(t *testing.T) {
	g := carrier(t, moving(Revert))
	if err := g.bob.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	stolen := false
	g.Runner.Progress = func(event Event) {
		if event.Phase != ProveRevert || stolen {
			return
		}
		stolen = true
		other, err := g.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "cem@laptop/3", TakeOver: true}, journal.Run{ID: guardedRun})
		if err == nil {
			err = other.Release(t.Context())
		}
		if err != nil {
			t.Error(err)
		}
	}
	outcome, err := g.Carry(t.Context(), ShiftRequest{RunID: guardedRun})
	if run, _ := g.left(); err != nil || !stolen || outcome.Code != CodeRolledBack || run.Holder != "pod-2" {
		t.Errorf("outcome = %+v, stolen %v, %v", outcome, stolen, err)
	}
}

// Where somebody else was first, to take the run or to end it, that is read next,
// and is no error of this pod's.
func TestCarryReadsWhatAnotherHasDone(t *testing.T) {
	for name, first := range map[string]error{"taken": journal.ErrLost, "ended": journal.ErrEnded} {
		g := carrier(t, moving(Revert))
		if err := g.bob.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		failures := 0
		g.prepend("update", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
			failures++
			return failures == 1, nil, fmt.Errorf("continue run: %w", first)
		})
		outcome, err := g.Carry(t.Context(), ShiftRequest{RunID: guardedRun})
		if err != nil || outcome.Status.Phase != RolledBack || failures < 2 {
			t.Errorf("%s: outcome = %+v, %v after %d tries", name, outcome, err, failures)
		}
	}
}
