package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// The tests below break the cluster itself, one component at a time. Each sees
// to it that the cluster is whole again when it ends, for the next one needs it.

// infrastructure is the lab that a test is about to break.
func infrastructure(t *testing.T) *lab.Lab {
	t.Helper()
	current := lab.Current(t)
	t.Cleanup(func() {
		if err := current.Mend(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return current
}

// kills kills a component.
func kills(t *testing.T, current *lab.Lab, component lab.Component) {
	t.Helper()
	if err := current.Kill(t.Context(), component); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s is killed", component)
}

// mends brings the cluster back as it was.
func mends(t *testing.T, current *lab.Lab) {
	t.Helper()
	if err := current.Mend(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Log("the cluster is whole again")
}

// impatient is a Release whose deadlines run out within a test. What remains on
// the old side is not waited for.
func impatient(watch time.Duration, changes ...func(*release.Release)) func(*release.Release) {
	return func(document *release.Release) {
		traffic := &document.Spec.Traffic
		traffic.Watch = release.Duration(watch)
		traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(3 * time.Second)}}
		traffic.Drain = release.DrainNone
		traffic.Deadlines.Validation = release.Duration(10 * time.Second)
		traffic.Deadlines.Reroute = release.Duration(10 * time.Second)
		traffic.Deadlines.Recover = release.Duration(15 * time.Second)
		traffic.Deadlines.Rollback = release.Duration(15 * time.Second)
		for _, change := range changes {
			change(document)
		}
	}
}

// resumes resumes a run, which must end in a phase with a colour in production.
func (s *scenario) resumes(phase rollout.Phase, color string) {
	s.t.Helper()
	if status := s.status(s.run(rollout.CodeDone, "resume", "-o", "json")); status.Phase != phase {
		s.t.Errorf("the resumed run is %s, want %s", status.Phase, phase)
	}
	s.serves(color)
}

// silenceLasts is how long a source may be silent, and what it leads to then.
func silenceLasts(deadline time.Duration, policy string) func(*release.Release) {
	return func(document *release.Release) {
		document.Spec.Gates.SourceDown = release.SourceDown{Deadline: release.Duration(deadline), Policy: policy}
	}
}

// The kubelet is not needed to move traffic. To ask a pod something it is: a
// shift in whose watch it stops is held where the release would be asked once
// more, and not sent back for what nobody could see. To end pods it is too: a
// rollback gives traffic back at once and then says what it could not do. Once
// the kubelet is back, either is resumed.
func TestKubeletStops(t *testing.T) {
	current := infrastructure(t)
	s := open(t, shop.Options{GreenByHand: true, Release: impatient(8 * time.Second)})
	run := s.production(keepAliveClients, freshClients)
	before := run.Counts()

	process := s.inWatch(shop.Green, "shift", "-o", "json")
	kills(t, current, lab.Kubelet)
	status := s.status(s.ended(process, rollout.CodeHeld))
	if status.Phase != rollout.Held {
		t.Errorf("the run is %s, want held", status.Phase)
	}
	says(t, status.Reason, "confirm took longer than 10s (deadlines.validation)", "forward a port of pod")
	s.serves(shop.Green)
	mends(t, current)
	s.resumes(rollout.Done, shop.Green)

	kills(t, current, lab.Kubelet)
	result := s.run(rollout.CodeUnproven, "rollback")
	says(t, result.Stdout, "blue has the traffic back", "could not be completed", "pods of green are still ending")
	s.serves(shop.Blue)
	mends(t, current)
	s.resumes(rollout.RolledBack, shop.Blue)
	s.scaledToZero(shop.Green, 2)
	s.lostNothing("a shift and a rollback without a kubelet", run.Counts().Since(before))
}

// Every pod of green dies in the same moment in mid-watch: the release goes
// back by itself, though its pods are started again.
func TestGreenPodsDieInTheWatch(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Green: shop.Slot{Env: shop.FaultsEnabled()}, Release: impatient(30*time.Second, silenceLasts(5*time.Second, release.PolicyHold))})
	run := s.production(keepAliveClients, freshClients)
	process := s.inWatch(shop.Green, "shift", "-o", "json")
	if err := s.shop.Fault(t.Context(), shop.Green, `{"crashAfter": "500ms"}`); err != nil { // after the answer
		t.Fatal(err)
	}
	result := s.ended(process, rollout.CodeRolledBack)
	s.because(result, s.status(result), []string{"advance-restarts", "rollback-restarts", "rollback-ready-ratio"})
	s.serves(shop.Blue)
	s.scaledToZero(shop.Green, 2)
	s.onlyVersion(run, "v2.4.0")
}

// Blue dies while green holds the traffic. A rollback refuses to send traffic
// to nothing, in the midst of the watch and after it, forced or not, and leaves
// the shift alone, which goes on, names who took blue's pods, and promises no
// rollback when it ends; overruled by name, it goes, and says that nothing proves it. Once blue lives
// again the same run is brought to its end.
func TestBlueDiesWhileGreenHoldsTheTraffic(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: impatient(12 * time.Second)})
	run := s.production(keepAliveClients, freshClients)
	process := s.inWatch(shop.Green, "shift", "-o", "json")
	s.byHand("scale", "deployment/"+shop.Deployment(shop.Blue), "--replicas=0")
	s.awaitGone(shop.Blue)
	before := run.Counts()

	refused := func(next string, args ...string) {
		t.Helper()
		result := s.run(rollout.CodeBlocked, append([]string{"rollback"}, args...)...)
		says(t, result.Stdout, "no pod of blue is ready: going back would leave service/svc-production with nothing")
		says(t, result.Stderr, "blue", "only 0/0 ready", "next: kubectl bluegreen "+next)
		s.serves(shop.Green)
	}
	refused("rollback --force=ready-endpoints")
	ended := s.ended(process, rollout.CodeDone)
	status := s.status(ended)
	if status.Phase != rollout.Done {
		t.Errorf("the shift beside the refused rollback is %s, want done", status.Phase)
	}
	// A scale to 0 is on nobody's record: it is sent without the field, which is left
	// out where it is 0.
	lost := "no pod of blue is ready: deployment/" + shop.Deployment(shop.Blue) + " was scaled to 0 by somebody"
	says(t, ended.Stderr, lost, "a rollback would be refused until one is", "there is no way back", "next: kubectl bluegreen shift --to blue")
	says(t, status.NoWayBack, lost)
	if told := strings.Count(ended.Stderr, "a rollback would be refused"); told != 1 {
		t.Errorf("the lost way back is told %d times, want once:\n%s", told, ended.Stderr)
	}
	// Once the shift is over, another one gives blue its pods back.
	refused("shift --to blue")
	refused("shift --to blue", "--force")
	s.lostNothing("green alone, and three refused rollbacks", run.Counts().Since(before))

	result := s.run(rollout.CodeUnproven, "rollback", "--force=ready-endpoints")
	says(t, result.Stdout, "could not be proven, page someone", "no blue pod behind the route is ready")
	if live, err := s.shop.Live(t.Context()); err != nil || live != shop.Blue {
		t.Errorf("production selects %s, %v; want blue, as it was forced", live, err)
	}
	s.byHand("scale", "deployment/"+shop.Deployment(shop.Blue), "--replicas=2")
	if err := s.shop.AwaitReady(t.Context(), shop.Blue); err != nil {
		t.Fatal(err)
	}
	s.resumes(rollout.RolledBack, shop.Blue)
	s.onlyVersion(run, "v2.4.0")
}

// awaitGone waits until a colour has no pod.
func (s *scenario) awaitGone(color string) {
	s.t.Helper()
	err := wait.PollUntilContextTimeout(s.t.Context(), 200*time.Millisecond, hang, true, func(ctx context.Context) (bool, error) {
		pods, podsErr := s.shop.Pods(ctx, color)
		ready, readyErr := s.shop.Ready(ctx, color)
		return podsErr == nil && readyErr == nil && len(pods) == 0 && ready == 0, nil
	})
	if err != nil {
		s.t.Fatalf("wait until no pod of %s is left, as its Deployment knows: %v", color, err)
	}
}

// kube-proxy stops just before the switch. The control plane says that traffic
// has moved, and it has not: the run says so, does not advance, and does not
// send a release back that nothing is wrong with, whatever its policy. Once
// kube-proxy follows, the run is resumed and ends well.
func TestKubeProxyDoesNotFollow(t *testing.T) {
	current := infrastructure(t)
	s := open(t, shop.Options{GreenByHand: true, Release: impatient(8*time.Second, silenceLasts(10*time.Second, release.PolicyRollback))})
	run := s.production(keepAliveClients, freshClients)
	before := run.Counts()

	process := s.start("shift", "-o", "json")
	s.awaitSaid(process, "synthetic transactions passed") // the baseline takes a while, and then comes the switch
	kills(t, current, lab.KubeProxy)
	result := s.ended(process, rollout.CodeHeld)
	status := s.status(result)
	const symptom = "no request has reached green"
	says(t, result.Stderr, "EndpointSlices hold 2/2 ready green pods and nothing else", symptom, "after the switch, blue still answers",
		"kube-proxy or a load balancer does not follow, or every client keeps its connection")
	says(t, status.Reason, symptom)
	if status.Phase != rollout.Held || status.DataPlane.Following != rollout.NotFollowed || !status.DataPlane.Overdue {
		t.Errorf("the run is %s, with the data plane %+v; want it held for what has not followed", status.Phase, status.DataPlane)
	}
	says(t, s.run(rollout.CodeDone, "status").Stdout, "held", symptom)
	s.serves(shop.Green)
	s.onlyVersion(run, "v2.4.0")

	mends(t, current)
	status = s.status(s.run(rollout.CodeDone, "resume", "-o", "json"))
	s.followed(status)
	s.serves(shop.Green)
	s.lostNothing("a shift that kube-proxy did not follow", run.Counts().Since(before))

	// With kube-proxy alive, the requests follow at once.
	s.followed(s.status(s.run(rollout.CodeDone, "shift", "-o", "json")))
}

// awaitSaid waits until a process has said something.
func (s *scenario) awaitSaid(process *shop.Process, part string) {
	s.t.Helper()
	err := wait.PollUntilContextTimeout(s.t.Context(), 20*time.Millisecond, hang, true, func(context.Context) (bool, error) {
		return strings.Contains(process.Stderr(), part), nil
	})
	if err != nil {
		s.t.Fatalf("wait until it says %q: %v\n%s", part, err, process.Stderr())
	}
}

// followed fails the test unless requests were seen to follow the switch, and
// prints how long they took.
func (s *scenario) followed(status *rollout.RunStatus) {
	s.t.Helper()
	plane := status.DataPlane
	s.t.Logf("%s → %s: %s", status.From, status.To, plane.Message)
	if plane.Following != rollout.Followed || plane.Switched.IsZero() || plane.Arrived.Before(plane.Switched) {
		s.t.Errorf("the data plane is %+v, want that requests have followed", plane)
	}
}

// The same symptom without any fault: every client keeps its connection. The
// release is healthy, and is never sent back for it; the first new connection
// lets the run go on.
func TestClientsThatKeepTheirConnectionsHold(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: impatient(6*time.Second, silenceLasts(6*time.Second, release.PolicyRollback))})
	kept := s.production(keepAliveClients, 0)
	result := s.run(rollout.CodeHeld, "shift", "-o", "json")
	status := s.status(result)
	says(t, status.Reason, "no request has reached green", "or every client keeps its connection")
	if status.Phase != rollout.Held || status.DataPlane.Following != rollout.NotFollowed {
		t.Errorf("the run is %s, with the data plane %+v; want it held", status.Phase, status.DataPlane)
	}
	s.serves(shop.Green)
	fresh := s.production(0, freshClients)
	s.followed(s.status(s.run(rollout.CodeDone, "resume", "-o", "json")))
	s.serves(shop.Green)
	s.lostNothing("clients that kept their connections", kept.Stop())
	s.lostNothing("clients that opened new ones", fresh.Stop())
}

// The API server is away for a minute in the midst of the watch, four times as
// long as a lease lasts, while traffic flows: no client notices, and the same
// process goes on by itself.
func TestAPIServerIsAwayForAMinute(t *testing.T) {
	const away = time.Minute
	current := infrastructure(t)
	s := open(t, shop.Options{GreenByHand: true, Release: impatient(15*time.Second, silenceLasts(3*time.Minute, release.PolicyHold), readinessReturns)})
	run := s.production(keepAliveClients, freshClients)
	before := run.Counts()
	process := s.inWatch(shop.Green, "shift", "-o", "json")
	kills(t, current, lab.APIServer)
	gone := run.Counts()
	select {
	case <-time.After(away):
	case <-process.Done():
		result, _ := process.Wait()
		t.Fatalf("ended with %d while the API server was away\n%s%s", result.Code, result.Stderr, result.Stdout)
	}
	if meanwhile := run.Counts().Since(gone); meanwhile.ByVersion["v2.5.0"] == 0 {
		t.Errorf("green has answered nothing meanwhile: %+v", meanwhile.ByVersion)
	}
	mends(t, current)
	status := s.status(s.ended(process, rollout.CodeDone))
	if status.Phase != rollout.Done || status.Epoch != 1 {
		t.Errorf("the run is %s at epoch %d, want done by the process that began it", status.Phase, status.Epoch)
	}
	s.serves(shop.Green)
	s.recorded(status.ID, "stamp", "switch")
	s.lostNothing("a shift with the API server away", run.Counts().Since(before))
}

// readinessReturns waits for pods to be ready for as long as a node may count as lost
// after the API server was away: its kubelet has to be heard of first, which on a
// busy machine takes longer than a test else gives a pod.
func readinessReturns(document *release.Release) {
	rules := document.Spec.Gates.Rules
	at := slices.IndexFunc(rules, func(one release.RuleOverride) bool { return one.ID == "rollback-ready-ratio" })
	rules[at].For = ptr.To(release.Duration(time.Minute))
}
