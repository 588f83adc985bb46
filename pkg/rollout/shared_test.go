package rollout

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// cartRun is a run of another release.
const cartRun = "20261122-153012-aaaaa"

// sharing is a runner whose cluster has a release cart too, with a run that stamps
// what both release: by its side what was told, and what was written.
type sharing struct {
	*Runner
	t          *testing.T
	production *route
	prepend    func(verb, resource string, react clienttesting.ReactionFunc)
	cart       *journal.Tenure
	told       []string
	writes     []string
}

// share begins cart's run, above an epoch.
func share(t *testing.T, floor int64) *sharing {
	t.Helper()
	s := &sharing{t: t}
	s.Runner, s.production = newFinisher(t, still())
	s.prepend = clientsetOf(t, s.Runner).PrependReactor
	// No run of these tests needs to get further: who comes so far was let through.
	s.Runner.Preflight = func(context.Context, string) (*preflight.Report, error) {
		fail := preflight.Finding{ID: "BG-COL-01", Outcome: preflight.Fail, Blocks: true}
		return &preflight.Report{Verdict: preflight.VerdictBlocked, Findings: []preflight.Finding{fail}, Blocking: []string{fail.ID}}, nil
	}
	s.Runner.Progress = func(event Event) { s.told = append(s.told, event.Message) }
	var err error
	s.cart, err = journal.New(s.Client.Kubernetes, "shop", "cart", clock.RealClock{}).
		Acquire(t.Context(), journal.AcquireOptions{Holder: "carol@laptop/3", Floor: floor}, journal.Run{ID: cartRun})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cart.Release(context.WithoutCancel(t.Context())) })
	return s
}

// stampsDeployment puts cart's stamp on a Deployment that both releases name.
func (s *sharing) stampsDeployment() {
	s.t.Helper()
	if err := s.Client.Stamp(s.t.Context(), "shop", release.Workload{Kind: "deployment", Name: "shop-blue"}, s.cart.Fence()); err != nil {
		s.t.Fatal(err)
	}
}

// listens counts what is written from here on.
func (s *sharing) listens() {
	s.prepend("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		switch action.GetVerb() {
		case "create", "update", "patch", "delete":
			s.writes = append(s.writes, action.GetVerb()+" "+action.GetResource().Resource)
		}
		return false, nil, nil
	})
}

// forbids takes the right to list leases away, as a Role does that was cut.
func (s *sharing) forbids() {
	s.prepend("list", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, forbidden("list", "leases", "coordination.k8s.io")
	})
}

// Every command, whatever the two releases share and whatever has become of the
// other one's run: on the way forward what is in its hands refuses the command
// before anything is written, on the way back it warns, and what is in nobody's
// hands is no obstacle.
func TestWhatAnotherReleaseHasInHand(t *testing.T) {
	t.Parallel()
	type verb struct {
		forward bool
		run     func(*sharing) (Outcome, error)
	}
	shift := func(s *sharing) (Outcome, error) { return s.Shift(s.t.Context(), ShiftRequest{}) }
	rollback := func(force bool) func(*sharing) (Outcome, error) {
		return func(s *sharing) (Outcome, error) {
			return s.Rollback(s.t.Context(), RollbackRequest{Reason: "asked", Force: force})
		}
	}
	verbs := map[string]verb{
		"shift": {true, shift},
		"may shift": {true, func(s *sharing) (Outcome, error) {
			outcome, err := s.MayShift(s.t.Context(), ShiftRequest{})
			return value(outcome), err
		}},
		"resume": {true, func(s *sharing) (Outcome, error) { return s.Resume(s.t.Context()) }},
		"finish": {true, func(s *sharing) (Outcome, error) {
			return s.Finish(s.t.Context(), FinishRequest{SignOffs: connectionsSigned})
		}},
		"rollback":         {false, rollback(false)},
		"rollback --force": {false, rollback(true)},
	}
	shares := map[string]struct {
		stamp   func(*sharing)
		objects string
	}{
		"nothing":      {func(*sharing) {}, ""},
		"the route":    {func(s *sharing) { s.production.Fence = s.cart.Fence() }, "service/svc"},
		"a Deployment": {(*sharing).stampsDeployment, "deployment/shop-blue"},
		"both":         {func(s *sharing) { s.production.Fence = s.cart.Fence(); s.stampsDeployment() }, "service/svc, deployment/shop-blue"},
	}
	ends := map[string]struct {
		end  func(*sharing) error
		open bool
	}{
		"under way": {func(*sharing) error { return nil }, true},
		"held":      {func(s *sharing) error { return s.cart.Release(s.t.Context()) }, false},
		"ended":     {func(s *sharing) error { return s.cart.Finish(s.t.Context(), string(Done)) }, false},
	}
	for command, verb := range verbs {
		for what, shared := range shares {
			for how, other := range ends {
				t.Run(fmt.Sprintf("%s, %s shared, the other run %s", command, what, how), func(t *testing.T) {
					s := share(t, 6)
					shared.stamp(s)
					if err := other.end(s); err != nil {
						t.Fatal(err)
					}
					if command == "resume" {
						leftBehind(t, s.Runner, State{Phase: Preflight, From: "green", To: "blue", Started: start, Entered: start})
					}
					s.listens()
					stamp, disputed := s.production.Fence, other.open && shared.objects != ""
					outcome, err := verb.run(s)
					if err != nil {
						t.Fatal(err)
					}
					says := shared.objects + " is in the hands of another release: release cart is held by carol@laptop/3 with run " + cartRun
					warned := strings.Contains(strings.Join(s.told, "\n"), "going back all the same: "+says)
					refused := outcome.Code == CodeBlocked && strings.HasPrefix(outcome.Message, says)
					if refused != (disputed && verb.forward) || warned != (disputed && !verb.forward) {
						t.Errorf("outcome = %+v, told %q", outcome, s.told)
					}
					if refused && (len(s.writes) > 0 || s.production.Fence != stamp || outcome.Next != "kubectl bluegreen status -f FILE -w") {
						t.Errorf("written %q, the route has %+v; next: %s", s.writes, s.production.Fence, outcome.Next)
					}
					if !refused && command != "may shift" && (len(s.writes) == 0 || s.production.Fence.Holder != s.Holder) {
						t.Errorf("written %q, the route has %+v: the run did not begin", s.writes, s.production.Fence)
					}
					if !verb.forward && (outcome.Code != CodeDone || s.production.Split.Sole() != "blue") {
						t.Errorf("outcome = %+v, the route has %s", outcome, s.production.Split)
					}
				})
			}
		}
	}
}

// Another release that stamps the route after a run was let through, and before it
// has its own stamp there, refuses it too, at whichever of the two epochs is the
// higher one. What was begun is on record as blocked and holds nobody up.
func TestAnotherReleaseIsFaster(t *testing.T) {
	for _, floor := range []int64{0, 1, 20} { // below, at and above the epoch of shop's run
		s := share(t, floor)
		s.production.Fence = cluster.Fence{Epoch: 1, Holder: "eve@laptop/4"} // of a run that is long over
		reads := 0
		s.production.reads = func() {
			if reads++; reads == 2 {
				s.production.Fence = s.cart.Fence()
			}
		}
		outcome, err := s.Shift(t.Context(), ShiftRequest{})
		if err != nil || outcome.Code != CodeBlocked || !strings.HasPrefix(outcome.Message, "service/svc is in the hands of another release: release cart") {
			t.Errorf("above %d: outcome = %+v, %v", floor, outcome, err)
		}
		if s.production.Fence != s.cart.Fence() {
			t.Errorf("above %d: the route has %+v, want cart's stamp", floor, s.production.Fence)
		}
		run, err := s.Journal.Current(t.Context())
		if err != nil || run.Outcome != string(Blocked) {
			t.Errorf("above %d: the record is %+v, %v", floor, run, err)
		}
		if beat, err := s.Journal.Heartbeat(t.Context()); err != nil || beat.Holder != "" {
			t.Errorf("above %d: the lease is held by %q, %v", floor, beat.Holder, err)
		}
	}
}

// A run whose route a rollback of another release has taken says whose it is.
func TestWhoHasTakenTheRouteIsNamed(t *testing.T) {
	for ended, want := range map[bool]string{
		false: "service/svc was taken over by carol@laptop/3 at epoch 21: release cart is held by carol@laptop/3 with run " + cartRun,
		true:  "service/svc was taken over by carol@laptop/3 at epoch 21",
	} {
		s := share(t, 20)
		tenure, err := s.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: s.Holder}, journal.Run{ID: "run"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tenure.Release(context.WithoutCancel(t.Context())) })
		s.tenure, s.policy, s.production.Fence = tenure, PolicyOf(s.Release), s.cart.Fence()
		if ended {
			if err := s.cart.Finish(t.Context(), string(RolledBack)); err != nil {
				t.Fatal(err)
			}
		}
		_, seen := s.guard(t.Context(), State{Phase: Watch, From: "blue", To: "green", Moved: true})
		if seen.Kind != Rival || !strings.HasPrefix(seen.Message, want) || ended && seen.Message != want {
			t.Errorf("%s: %s, want %s", seen.Kind, seen.Message, want)
		}
	}
}

// Who may not list leases is refused a shift where a stamp is none of this
// release's, and is told so on the way back. What has only its own stamps is
// released as before.
func TestWhoseAStampIsCanNotBeTold(t *testing.T) {
	s := share(t, 6)
	s.production.Fence = s.cart.Fence()
	s.forbids()
	s.listens()
	const says = "whether another release has service/svc in hand can't be told, which carries epoch 7 of carol@laptop/3: " +
		"missing right: verb list on resource leases.coordination.k8s.io in namespace shop"
	outcome, err := s.Shift(t.Context(), ShiftRequest{})
	if err == nil || !strings.HasPrefix(err.Error(), says) || !apierrors.IsForbidden(err) || !strings.Contains(release.HintOf(err), "kubectl bluegreen generate rbac") {
		t.Errorf("outcome = %+v, %v; hint: %s", outcome, err, release.HintOf(err))
	}
	if len(s.writes) > 0 || s.production.Fence != s.cart.Fence() {
		t.Errorf("written %q, the route has %+v", s.writes, s.production.Fence)
	}

	back := another(s.Runner)
	back.Progress = s.Progress
	outcome, err = back.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone || !strings.Contains(strings.Join(s.told, "\n"), "going back all the same: "+says) {
		t.Errorf("outcome = %+v, %v, told %q", outcome, err, s.told)
	}

	s.told = nil
	own := another(s.Runner)
	own.Preflight, own.Progress = s.Preflight, s.Progress
	outcome, err = own.Shift(t.Context(), ShiftRequest{})
	if err != nil || !strings.Contains(outcome.Message, "BG-COL-01") {
		t.Errorf("with its own stamps alone: outcome = %+v, %v, told %q", outcome, err, s.told)
	}
}

// A guard takes nothing over while another release has it in hand, says so, and does
// once that one has ended.
func TestGuardWaitsForAnotherRelease(t *testing.T) {
	g := guard(t, moving(Watch))
	cart, err := journal.New(g.Client.Kubernetes, "shop", "cart", clocktesting.NewFakeClock(start)).
		Acquire(t.Context(), journal.AcquireOptions{Holder: "carol@laptop/3"}, journal.Run{ID: cartRun})
	if err != nil {
		t.Fatal(err)
	}
	g.route.Fence = cart.Fence()
	told := ""
	g.Progress = func(event Event) { told += event.Message + "\n" }
	g.clock.between = func(wait int) {
		if wait != 100 {
			return
		}
		g.clock.between = nil
		if g.route.Fence != cart.Fence() || !strings.Contains(told, "not taken over: service/svc is in the hands of another release: release cart") {
			t.Errorf("the route has %+v, told %s", g.route.Fence, told)
		}
		if err := cart.Finish(t.Context(), string(Done)); err != nil {
			t.Error(err)
		}
	}
	outcome, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Silence: 30 * time.Second, Policy: GuardHold})
	if run, state := g.left(); err != nil || outcome.Code != CodeHeld || run.Holder != "guard-pod" || state.Phase != Held || g.clock.waits <= 100 {
		t.Errorf("outcome = %+v, %v after %d waits; the run of %s is in phase %s", outcome, err, g.clock.waits, run.Holder, state.Phase)
	}
}
