package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/job"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// guarded are the arguments of a shift with a guard that is quick to act.
func guarded(policy string) []string {
	return []string{"shift", "--guard", "--guard-silence", "15s", "--guard-policy", policy, "--image", jobImage}
}

// The process is killed in mid-watch, and its guard gives the traffic back.
// Who watches is told that it was rolled back, not that nobody is there.
func TestGuardRollsBackAfterAKill(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(hang)})
	s.jobs()
	run := s.production(keepAliveClients, freshClients)
	before := run.Counts()

	process := s.inWatch(shop.Green, guarded("rollback")...)
	says(t, process.Stderr(), "guarded by pod bluegreen-recommendation-guard-")
	killed := s.now()
	if err := process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-process.Done()
	result := s.run(rollout.CodeRolledBack, "status", "-w")
	says(t, result.Stdout, "phase      rolled-back", killed.Holder+", who drove the run, has been silent for")

	status := s.now()
	if status.ID != killed.ID || status.Phase != rollout.RolledBack || !strings.HasPrefix(status.Holder, "bluegreen-recommendation-guard-"+killed.ID) {
		t.Errorf("run %s of %s in phase %s, want %s rolled back by its guard", status.ID, status.Holder, status.Phase, killed.ID)
	}
	s.serves(shop.Blue)
	s.scaledToZero(shop.Green, 2)
	s.onlyVersion(run, "v2.4.0")
	s.lostNothingToKills("a shift that was killed and rolled back by its guard", run.Counts().Since(before))
	s.eventually("the guard is complete", func() bool { return strings.Contains(s.jobOf(job.PurposeGuard), "Complete 1") })
}

// A terminal that is closed is nobody's decision: the run is left to the guard,
// which need not wait for silence.
func TestGuardContinuesAfterAHangUp(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(20 * time.Second)})
	s.jobs()
	s.production(keepAliveClients, freshClients)
	process := s.inWatch(shop.Green, guarded("continue")...)
	if err := process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	result := s.ended(process, rollout.CodeHeld)
	says(t, result.Stdout, "left in phase watch")
	says(t, result.Stderr, "stays and guards the run", "next: kubectl bluegreen status ", " -w")
	s.run(rollout.CodeDone, "status", "-w")
	s.serves(shop.Green)
}

// A guard leaves a healthy run alone and goes with it; and so it does when a
// person at the keyboard holds the run.
func TestGuardGoesWithItsRun(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(20 * time.Second)})
	s.jobs()
	s.production(keepAliveClients, freshClients)

	status := s.status(s.run(rollout.CodeDone, append(guarded("rollback"), "-o", "json")...))
	if status.Phase != rollout.Done || strings.Contains(status.Holder, "guard") {
		t.Errorf("run in phase %s of %s, want done by this process", status.Phase, status.Holder)
	}
	s.serves(shop.Green)
	if jobs := s.byHand("get", "jobs", "-o", "name"); jobs != "" {
		t.Errorf("jobs: %s", jobs)
	}
	s.noJobPods()

	process := s.inWatch(shop.Blue, guarded("rollback")...)
	if err := process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	says(t, s.ended(process, rollout.CodeHeld).Stdout, "held in phase watch")
	s.noJobPods()
	if status := s.now(); status.Phase != rollout.Held || status.Live != "blue=100" {
		t.Errorf("status: phase %s with %s, want held with blue=100", status.Phase, status.Live)
	}
	s.run(rollout.CodeDone, "rollback")
}

// Without a guard nothing begins: a guard that can't start is refused before
// anything of the release is written.
func TestGuardThatCanNotStart(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true})
	s.jobs()
	s.account("reader", operatorRules("get", "list"))
	before := s.objects()
	result := s.run(rollout.CodeFailed, append(guarded("rollback"), "--service-account", "reader")...)
	says(t, result.Stderr, "error: start job/", "lacks rights: patch services/"+shop.Service, "generate rbac")
	s.leavesNothing()
	if after := s.objects(); after != before {
		t.Errorf("the objects were changed:\n%s\n%s", before, after)
	}
}
