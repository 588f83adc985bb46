package e2e

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A process that is killed in mid-watch leaves a record from which the next
// one goes on, or goes back, without a hand edit.
func TestKilledShiftIsResumedOrRolledBack(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(30 * time.Second)})
	run := s.production(keepAliveClients, freshClients)
	before := run.Counts()

	killed := s.leftBehind(shop.Green)
	s.awaitSilence()
	status := s.status(s.run(rollout.CodeDone, "resume", "-o", "json"))
	if status.ID != killed.ID || status.Phase != rollout.Done || status.Epoch <= killed.Epoch {
		t.Errorf("resumed run %s in phase %s at epoch %d, want %s, done and after epoch %d", status.ID, status.Phase, status.Epoch, killed.ID, killed.Epoch)
	}
	s.serves(shop.Green)
	s.drained(status)
	s.onlyVersion(run, "v2.5.0")

	// A rollback need not be told that nobody drives the run.
	killed = s.leftBehind(shop.Blue)
	status = s.status(s.run(rollout.CodeDone, "rollback", "-o", "json"))
	if status.ID != killed.ID || status.Phase != rollout.RolledBack {
		t.Errorf("run %s is in phase %s, want %s, rolled back", status.ID, status.Phase, killed.ID)
	}
	s.serves(shop.Green)
	s.scaledToZero(shop.Blue, 2)
	s.onlyVersion(run, "v2.5.0")
	s.lostNothingToKills("two killed shifts, one resumed and one rolled back", run.Counts().Since(before))
}

// An interrupt is answered with the state kept and the command that goes on.
func TestInterruptedShiftIsHeld(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(20 * time.Second)})
	s.production(keepAliveClients, freshClients)

	process := s.inWatch(shop.Green, "shift")
	if err := process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	result := s.ended(process, rollout.CodeHeld)
	says(t, result.Stderr, "next: kubectl bluegreen resume")
	says(t, result.Stdout, "held in phase watch", "interrupt")

	status := s.status(s.run(rollout.CodeDone, "status", "-o", "json"))
	if status.Phase != rollout.Held || status.Live != "green=100" {
		t.Errorf("status: phase %s with %s, want held with green=100", status.Phase, status.Live)
	}
	says(t, s.run(rollout.CodeDone, "status").Stderr, "next: kubectl bluegreen resume")
	result = s.run(rollout.CodeBlocked, "shift")
	says(t, result.Stdout, "not finished", status.ID)

	status = s.status(s.run(rollout.CodeDone, "resume", "-o", "json"))
	if status.Phase != rollout.Done {
		t.Errorf("resumed run is in phase %s, want done", status.Phase)
	}
	s.serves(shop.Green)
}

// A run that died before it moved anything is ended by a rollback, which
// touches no pod, and then stands in nobody's way.
func TestRollbackEndsARunThatMovedNothing(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true})
	process := s.start("shift")
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, hang, true, func(context.Context) (bool, error) {
		return strings.Contains(process.Stderr(), "/health of 2 pods of green answered 200"), nil
	})
	if err != nil {
		t.Fatalf("wait for the phase health: %v\n%s", err, process.Stderr())
	}
	if err := process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-process.Done()
	status := s.status(s.run(rollout.CodeDone, "status", "-o", "json"))
	if status.Live != "blue=100" || status.Phase.Terminal() {
		t.Fatalf("killed in phase %s with %s, want before the switch", status.Phase, status.Live)
	}
	ended := s.status(s.run(rollout.CodeDone, "rollback", "-o", "json"))
	if ended.ID != status.ID || ended.Phase != rollout.RolledBack || ended.Finished.IsZero() {
		t.Errorf("run %s is in phase %s, finished %s; want %s, rolled back and finished", ended.ID, ended.Phase, ended.Finished, status.ID)
	}
	s.serves(shop.Blue)
	if replicas, err := s.shop.Replicas(t.Context(), shop.Green); err != nil || replicas != 2 {
		t.Errorf("green has %d replicas, want its 2: %v", replicas, err)
	}
}

// watching makes the watch last.
func watching(duration time.Duration) func(*release.Release) {
	return func(document *release.Release) { document.Spec.Traffic.Watch = release.Duration(duration) }
}

// inWatch starts the program and returns once production selects a colour and
// the record says that the watch has begun.
func (s *scenario) inWatch(color string, args ...string) *shop.Process {
	s.t.Helper()
	process := s.start(args...)
	guard := time.NewTimer(hang)
	defer guard.Stop()
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	for {
		if live, err := s.shop.Live(s.t.Context()); err == nil && live == color {
			if status := s.status(s.run(rollout.CodeDone, "status", "-o", "json")); status.Phase == rollout.Watch {
				return process
			}
		}
		select {
		case <-guard.C:
			s.t.Fatalf("no watch began in %s:\n%s", hang, process.Stderr())
		case <-process.Done():
			result, _ := process.Wait()
			s.t.Fatalf("ended with %d before its watch began\n%s%s", result.Code, result.Stderr, result.Stdout)
		case <-look.C:
		}
	}
}

// leftBehind kills a shift in mid-watch and returns what status says of it.
func (s *scenario) leftBehind(to string) *rollout.RunStatus {
	s.t.Helper()
	process := s.inWatch(to, "shift")
	if err := process.Signal(syscall.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
	<-process.Done()
	said := s.run(rollout.CodeDone, "status")
	says(s.t, said.Stdout, "live       "+to, "phase      watch", "holder")
	status := s.status(s.run(rollout.CodeDone, "status", "-o", "json"))
	if status.Phase != rollout.Watch || status.To != to || status.Live != to+"=100" || !status.Finished.IsZero() {
		s.t.Errorf("status after the kill: phase %s to %s with %s, finished %s; want an unfinished watch of %s",
			status.Phase, status.To, status.Live, status.Finished, to)
	}
	return status
}

// awaitSilence waits until status knows that nobody drives the run any more,
// and looks at what it says then.
func (s *scenario) awaitSilence() {
	s.t.Helper()
	err := wait.PollUntilContextTimeout(s.t.Context(), time.Second, hang, true, func(ctx context.Context) (bool, error) {
		result, err := s.shop.Run(ctx, "status", "-o", "json")
		if err != nil {
			return false, err
		}
		status, err := result.Status()
		return err == nil && status.Silent, err
	})
	if err != nil {
		s.t.Fatalf("wait until status says that nobody drives the run: %v", err)
	}
	said := s.run(rollout.CodeHeld, "status", "-w")
	says(s.t, said.Stdout, "nobody drives the run")
	says(s.t, said.Stderr, "next: kubectl bluegreen resume")
}
