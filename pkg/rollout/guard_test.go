package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

const guardedRun = "20261122-153012-k7f3q"

// hurried is a clock on which every wait is over at once. What a test wants to
// happen meanwhile happens before each.
type hurried struct {
	*testingclock.FakeClock
	waits   int
	between func(wait int)
}

func (h *hurried) After(duration time.Duration) <-chan time.Time {
	h.waits++
	if h.between != nil {
		h.between(h.waits)
	}
	h.Step(duration)
	over := make(chan time.Time, 1)
	over <- h.Now()
	return over
}

// guarding is a guard of a run that bob drives, in the state given.
type guarding struct {
	*Runner
	t       *testing.T
	route   *route
	clock   *hurried
	prepend func(verb, resource string, react clienttesting.ReactionFunc)
	bob     *journal.Tenure
}

func guard(t *testing.T, state State) *guarding {
	t.Helper()
	runner, production, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	now := &hurried{FakeClock: testingclock.NewFakeClock(start)}
	runner.Clock, runner.Holder = now, "guard-pod"
	runner.Journal = journal.New(runner.Client.Kubernetes, "shop", "shop", now.FakeClock)
	// Bob's clock stands still, so he renews nothing by himself.
	bob, err := journal.New(runner.Client.Kubernetes, "shop", "shop", testingclock.NewFakeClock(start)).
		Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: guardedRun, From: state.From, To: state.To})
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.Save(t.Context(), state, string(state.Phase)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bob.Release(context.Background()) })
	return &guarding{Runner: runner, t: t, route: production, clock: now, prepend: prepend, bob: bob}
}

// moving is a run whose target has all traffic.
func moving(phase Phase) State {
	return State{Phase: phase, From: "blue", To: "green", Moved: true, Started: start, Entered: start, Cutover: start}
}

// irreversible is a run that began with a change after which blue can't take over.
func irreversible(state State) State {
	state.Irreversible = []string{letsNullIn}
	return state
}

// renew is a sign of bob's life.
func (g *guarding) renew() {
	g.t.Helper()
	leases := g.Client.Kubernetes.CoordinationV1().Leases("shop")
	lease, err := leases.Get(g.t.Context(), "bluegreen-shop", metav1.GetOptions{})
	if err == nil {
		lease.Spec.RenewTime = &metav1.MicroTime{Time: g.clock.Now()}
		_, err = leases.Update(g.t.Context(), lease, metav1.UpdateOptions{})
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// finish ends bob's run, as his process does.
func (g *guarding) finish(phase Phase) {
	g.t.Helper()
	state := moving(phase)
	if err := errors.Join(g.bob.Save(g.t.Context(), state, string(phase)), g.bob.Finish(g.t.Context(), string(phase))); err != nil {
		g.t.Fatal(err)
	}
}

// left is what the record says in the end.
func (g *guarding) left() (journal.Run, State) {
	g.t.Helper()
	run, err := g.Journal.Current(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	state := State{}
	if err := json.Unmarshal(run.State, &state); err != nil {
		g.t.Fatal(err)
	}
	return *run, state
}

// untouched fails the test if anybody but bob has written.
func (g *guarding) untouched() {
	g.t.Helper()
	if run, _ := g.left(); run.Holder != "bob@laptop/2" || g.route.Fence.Epoch != 0 || !g.route.Split.Equal(traffic.Whole("green")) {
		g.t.Errorf("the run is of %s, the route has %s at epoch %d", run.Holder, g.route.Split, g.route.Fence.Epoch)
	}
}

// A holder that has fallen silent is waited for as long as was asked, and then
// its traffic goes back: by itself, for nobody asked.
func TestGuardRollsBackASilentRun(t *testing.T) {
	g := guard(t, moving(Watch))
	outcome, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Silence: 30 * time.Second, Policy: GuardRollback})
	if err != nil || outcome.Code != CodeRolledBack {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	run, state := g.left()
	if g.route.Split.Sole() != "blue" || run.Finished.IsZero() || run.Holder != "guard-pod" || state.Requested {
		t.Errorf("route %s, run of %s finished %s, requested %v", g.route.Split, run.Holder, run.Finished, state.Requested)
	}
	if !strings.Contains(state.Reason, "bob@laptop/2, who drove the run, has been silent for 30s") {
		t.Errorf("reason = %q", state.Reason)
	}
	if err := g.bob.Record(t.Context(), journal.Entry{Kind: journal.Note}); !errors.Is(err, journal.ErrLost) {
		t.Errorf("bob can still write: %v", err)
	}
}

// A lease that lasts longer than the silence that was asked for is waited for:
// its holder may still be at work.
func TestGuardWaitsForTheLease(t *testing.T) {
	g := guard(t, moving(Watch))
	began := g.clock.Now()
	if _, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Silence: time.Second, Policy: GuardHold}); err != nil {
		t.Fatal(err)
	}
	if took := g.clock.Since(began); took < journal.DefaultLeaseDuration {
		t.Errorf("taken over after %s, and the lease lasts %s", took, journal.DefaultLeaseDuration)
	}
}

// Whoever renews is left alone, however slowly, and the guard ends with the
// run.
func TestGuardLeavesAHealthyRunAlone(t *testing.T) {
	for _, end := range []Phase{Done, RolledBack, Blocked} {
		g := guard(t, moving(Watch))
		g.clock.between = func(wait int) {
			switch {
			case wait == 100:
				g.finish(end)
			case wait%9 == 0 && wait < 100:
				g.renew()
			}
		}
		outcome, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Silence: 30 * time.Second, Policy: GuardRollback})
		if err != nil || outcome.Status == nil || outcome.Status.Phase != end || g.clock.waits != 100 {
			t.Errorf("%s: outcome = %+v after %d waits, %v", end, outcome, g.clock.waits, err)
		}
		g.untouched()
	}
}

// What a guard can't see is not silent: an API server that is away keeps the
// holder from renewing as much as the guard from looking.
func TestGuardTakesNoMissingAnswerForSilence(t *testing.T) {
	g := guard(t, moving(Watch))
	away := false
	g.prepend("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return away, nil, apierrors.NewServiceUnavailable("away")
	})
	g.clock.between = func(wait int) {
		// 27 s of silence, 5 minutes of nothing, 27 s of silence.
		away = wait > 9 && wait < 110
		if wait == 118 {
			g.finish(Done)
		}
	}
	outcome, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Silence: 30 * time.Second, Policy: GuardRollback})
	if err != nil || outcome.Code != CodeDone || g.clock.waits != 118 {
		t.Errorf("outcome = %+v after %d waits, %v", outcome, g.clock.waits, err)
	}
	g.untouched()
}

// The policies, over where a run may have been left.
func TestGuardPolicies(t *testing.T) {
	early := State{Phase: Health, From: "green", To: "blue", Started: start, Entered: start}
	for name, test := range map[string]struct {
		state   State
		policy  GuardPolicy
		prepare func(*guarding)
		want    Phase
		code    int
		live    string
		says    string
	}{
		"hold leaves it where it is":             {moving(Watch), GuardHold, nil, Held, CodeHeld, "green", "held by the guard: bob@laptop/2"},
		"continue goes on":                       {moving(Confirm), GuardContinue, nil, Done, CodeDone, "green", ""},
		"nothing was moved, nothing goes back":   {early, GuardRollback, nil, Blocked, CodeBlocked, "green", "the guard took over"},
		"nothing was moved, it is held":          {early, GuardHold, nil, Held, CodeHeld, "green", "held by the guard"},
		"what goes back goes back to the end":    {moving(Revert), GuardHold, nil, RolledBack, CodeRolledBack, "blue", ""},
		"what only drains goes on":               {moving(Drain), GuardRollback, nil, Done, CodeDone, "green", ""},
		"what only gives floors back goes on":    {moving(GiveBack), GuardHold, nil, Done, CodeDone, "green", ""},
		"an end that was not written in full":    {moving(Done), GuardRollback, nil, Done, CodeDone, "green", ""},
		"freeze leaves going back to a person":   {moving(Watch), GuardRollback, func(g *guarding) { g.Release.Spec.Gates.OnFailure = release.PolicyFreeze }, Held, CodeHeld, "green", "frozen: the guard took over"},
		"a schema that stays leaves it to one":   {irreversible(moving(Watch)), GuardRollback, nil, Held, CodeHeld, "green", "frozen: the guard took over"},
		"it does not go back to nothing":         {moving(Watch), GuardRollback, func(g *guarding) { g.route.ready = nil }, Held, CodeHeld, "green", "no pod of blue is ready"},
		"left to it, it does not wait":           {moving(Watch), GuardRollback, func(g *guarding) { _ = g.bob.Release(context.Background()) }, RolledBack, CodeRolledBack, "blue", "left the run to its guard"},
		"what a person holds is that person's":   {State{Phase: Held, Resume: Watch, From: "blue", To: "green", Moved: true, Reason: "interrupted"}, GuardRollback, nil, Held, CodeHeld, "green", "interrupted"},
		"what could not be proven is a person's": {moving(Unproven), GuardRollback, nil, Unproven, CodeUnproven, "green", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := guard(t, test.state)
			if test.prepare != nil {
				test.prepare(g)
			}
			outcome, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Policy: test.policy})
			if err != nil || outcome.Code != test.code {
				t.Fatalf("outcome = %+v, %v; want code %d", outcome, err, test.code)
			}
			run, state := g.left()
			if state.Phase != test.want || g.route.Split.Sole() != test.live || !strings.Contains(state.Reason, test.says) {
				t.Errorf("run in phase %s (%s) with %s live, want %s with %s and %q", state.Phase, state.Reason, g.route.Split, test.want, test.live, test.says)
			}
			if ended := test.want == Done || test.want == RolledBack || test.want == Blocked; run.Finished.IsZero() == ended {
				t.Errorf("finished %s in phase %s", run.Finished, state.Phase)
			}
			if replicas(t, g.Runner, "green") == 0 && test.live == "green" {
				t.Error("the live side was scaled to zero")
			}
		})
	}
}

// stirring is a route at whose reading something else happens once.
type stirring struct {
	*route
	once func()
}

func (s *stirring) Read(ctx context.Context) (traffic.Route, error) {
	if s.once != nil {
		s.once()
		s.once = nil
	}
	return s.route.Read(ctx)
}

// A holder that stirs between the guard's look and its claim keeps its run,
// for the guard waits for that holder like for any other.
func TestGuardComesSecond(t *testing.T) {
	g := guard(t, moving(Watch))
	g.Runner.Journal = journal.New(g.Client.Kubernetes, "shop", "shop", clock.RealClock{})
	awake, asleep := context.WithCancel(t.Context())
	defer asleep()
	rests := make(chan struct{})
	g.Runner.Router = &stirring{route: g.route, once: func() {
		g.renew()
		go func() {
			defer close(rests)
			for awake.Err() == nil {
				g.clock.Step(time.Millisecond)
				g.renew()
			}
		}()
	}}
	second := false
	g.Runner.Progress = func(event Event) { second = second || strings.Contains(event.Message, "taking over") }
	g.clock.between = func(int) {
		if second {
			asleep()
			<-rests
			g.finish(Done)
		}
	}
	outcome, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Policy: GuardRollback})
	if err != nil || outcome.Code != CodeDone || !second {
		t.Errorf("outcome = %+v, tried %v, %v", outcome, second, err)
	}
	g.untouched()
}

// A record that is deleted in mid-watch is no end of the run: its holder is
// watched, who writes it anew, and taken over from when silent. Where the lease is
// not the holder's any more either, nobody can tell how the run ended.
func TestGuardOfADeletedRecord(t *testing.T) {
	for name, test := range map[string]struct {
		after func(g *guarding) // once the record is deleted
		code  int
		says  string
		live  string
	}{
		"its holder goes on":            {func(g *guarding) { g.finish(Done) }, CodeDone, "green serves", "green"},
		"its holder is silent":          {func(*guarding) {}, CodeRolledBack, "rolled back", "blue"},
		"its holder has gone otherwise": {func(g *guarding) { _ = g.bob.Release(context.Background()) }, CodeHeld, "was deleted in phase watch", "green"},
	} {
		t.Run(name, func(t *testing.T) {
			g := guard(t, moving(Watch))
			g.clock.between = func(wait int) {
				if wait == 3 {
					if err := g.Client.Kubernetes.CoreV1().ConfigMaps("shop").Delete(t.Context(), "bluegreen-shop", metav1.DeleteOptions{}); err != nil {
						t.Error(err)
					}
				}
				if wait == 5 {
					test.after(g)
				}
			}
			outcome, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Silence: 30 * time.Second, Policy: GuardRollback})
			if err != nil || outcome.Code != test.code || !strings.Contains(outcome.Message, test.says) || g.route.Split.Sole() != test.live {
				t.Fatalf("outcome = %+v, %v with %s live", outcome, err, g.route.Split)
			}
			if test.code == CodeRolledBack {
				if run, state := g.left(); run.ID != guardedRun || run.Holder != "guard-pod" || state.From != "blue" {
					t.Errorf("the record is of run %s of %s, from %s", run.ID, run.Holder, state.From)
				}
			}
		})
	}
}

// A guard whose run never begins does not wait for ever, and one that is told
// to go leaves everything to the next.
func TestGuardOfNothing(t *testing.T) {
	g := guard(t, moving(Watch))
	began := g.clock.Now()
	outcome, err := g.Guard(t.Context(), GuardRequest{RunID: "20261122-153012-other", Policy: GuardRollback})
	if err != nil || outcome.Code != CodeDone || !strings.Contains(outcome.Message, "has not begun") || g.clock.Since(began) < guardPatience {
		t.Errorf("outcome = %+v after %s, %v", outcome, g.clock.Since(began), err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	g.clock.between = func(int) { cancel(errors.New("terminated")) }
	outcome, err = g.Guard(ctx, GuardRequest{RunID: guardedRun, Policy: GuardRollback})
	if err != nil || !outcome.HandedOver || !strings.Contains(outcome.Message, "terminated") {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
	g.untouched()
}
