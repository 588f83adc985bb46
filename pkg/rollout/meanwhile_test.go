package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// baseline is a run that has moved nothing yet.
func baseline() State {
	return State{Phase: Baseline, From: "blue", To: "green", Started: start, Entered: start}
}

// driven is a run that bob drives before anything is moved, and somebody else
// who waits for its lease; meanwhile is done while they do, and bob is gone then.
func driven(t *testing.T, meanwhile func(bob *journal.Tenure, production *route) error) (*Runner, *route) {
	t.Helper()
	runner, production, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	production.Split, production.Previous, production.Origin = traffic.Whole("blue"), nil, ""
	bob, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q", From: "blue", To: "green"})
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.Save(t.Context(), baseline(), string(Baseline)); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	act := sync.OnceFunc(func() {
		go func() {
			gone <- errors.Join(meanwhile(bob, production), bob.Release(context.WithoutCancel(t.Context())))
		}()
	})
	prepend("get", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		act()
		return false, nil, nil
	})
	t.Cleanup(func() {
		if err := <-gone; err != nil {
			t.Error(err)
		}
	})
	return runner, production
}

// takenFurther is a run whose process gave the target everything and died, or was held.
func takenFurther(phase Phase) func(*journal.Tenure, *route) error {
	state := moving(phase)
	if phase == Held {
		state.Resume, state.Reason = Watch, "interrupted"
	}
	return func(bob *journal.Tenure, production *route) error {
		if err := bob.Save(context.Background(), state, string(phase)); err != nil {
			return err
		}
		production.Split, production.Previous, production.Origin, production.Fence = traffic.Whole("green"), traffic.Whole("blue"), "blue", bob.Fence()
		return nil
	}
}

// onRecord is what the record of the last run says.
func onRecord(t *testing.T, runner *Runner) State {
	t.Helper()
	run, err := runner.Journal.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state := State{}
	if err := json.Unmarshal(run.State, &state); err != nil {
		t.Fatal(err)
	}
	return state
}

// What a run had moved before the lease was ours is gone back from, though it had
// moved nothing when the rollback looked.
func TestARollbackOfARunThatMovesMeanwhile(t *testing.T) {
	t.Parallel()
	for _, phase := range []Phase{Switch, Watch, Held} {
		t.Run(string(phase), func(t *testing.T) {
			runner, production := driven(t, takenFurther(phase))
			outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
			if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
				t.Fatalf("outcome = %+v, %v with route %s, want blue", outcome, err, production.Split)
			}
			if state := onRecord(t, runner); state.Phase != RolledBack || !state.Moved {
				t.Errorf("the record says %s, moved %v", state.Phase, state.Moved)
			}
		})
	}
}

// One that somebody moved by hand meanwhile is gone back from too.
func TestARollbackOfARouteThatIsMovedMeanwhile(t *testing.T) {
	runner, production := driven(t, func(_ *journal.Tenure, production *route) error {
		production.Split, production.Previous, production.Origin = traffic.Whole("green"), traffic.Whole("blue"), "blue"
		return nil
	})
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
		t.Errorf("outcome = %+v, %v with route %s, want blue", outcome, err, production.Split)
	}
}

// A resume goes on from where the run is, and not from where it was.
func TestAResumeOfARunThatMovesMeanwhile(t *testing.T) {
	for _, phase := range []Phase{Switch, Held} {
		t.Run(string(phase), func(t *testing.T) {
			runner, production := driven(t, takenFurther(phase))
			ctx, cut := context.WithCancel(t.Context())
			defer cut()
			runner.Progress = func(event Event) {
				if event.Phase == Watch && !strings.Contains(event.Message, "was left in phase") {
					cut() // it has begun
				}
			}
			outcome, err := runner.Resume(ctx)
			if err != nil || outcome.Code != CodeHeld || production.Split.Sole() != "green" {
				t.Fatalf("outcome = %+v, %v with route %s, want held on green", outcome, err, production.Split)
			}
			if state := onRecord(t, runner); state.Phase != Held || state.Resume != Watch || !state.Moved {
				t.Errorf("the record says %s to go on with %s, moved %v", state.Phase, state.Resume, state.Moved)
			}
		})
	}
}

// A guard that takes over a run which its holder took further last goes by that:
// what was moved goes back, and what was held is a person's.
func TestAGuardOfARunThatMovesMeanwhile(t *testing.T) {
	for _, test := range []struct {
		phase, want Phase
		policy      GuardPolicy
		live        string
	}{
		{Switch, RolledBack, GuardRollback, "blue"},
		{Held, Held, GuardRollback, "green"},
		{Held, Held, GuardContinue, "green"},
		{Done, Done, GuardContinue, "green"},
	} {
		t.Run(string(test.phase)+" "+string(test.policy), func(t *testing.T) {
			g := guard(t, baseline())
			g.route.Split, g.route.Previous, g.route.Origin = traffic.Whole("blue"), nil, ""
			act := takenFurther(test.phase)
			g.Runner.Router = &stirring{route: g.route, once: func() {
				if test.phase == Done {
					g.route.Split = traffic.Whole("green")
					g.finish(Done)
				} else if err := act(g.bob, g.route); err != nil {
					t.Error(err)
				}
			}}
			outcome, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Policy: test.policy})
			if err != nil {
				t.Fatalf("outcome = %+v, %v", outcome, err)
			}
			if _, state := g.left(); state.Phase != test.want || g.route.Split.Sole() != test.live || state.From != "blue" || !state.Moved {
				t.Errorf("the record says %s of %s, moved %v, with %s live", state.Phase, state.From, state.Moved, g.route.Split)
			}
		})
	}
}

// A guard ends no run as one that moved nothing while the other side has all.
func TestAGuardOfARouteThatSomebodyMoved(t *testing.T) {
	g := guard(t, baseline()) // on green
	outcome, err := g.Guard(t.Context(), GuardRequest{RunID: guardedRun, Policy: GuardRollback})
	if err != nil || outcome.Code != CodeHeld || !strings.Contains(outcome.Message, "has green=100, and this run had not moved it from blue=100") {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
}

// To decide anew has an end, however often somebody else is faster.
func TestDecidingAnewEnds(t *testing.T) {
	runner, _, _ := newRunner(t)
	decided := 0
	_, err := runner.anew(t.Context(), func() (Outcome, error) {
		decided++
		return Outcome{}, errMeanwhile
	})
	if err == nil || overtaken(err) || decided != decidedOften {
		t.Errorf("err = %v after %d times", err, decided)
	}
}

// A stop is no reason to say that nothing was moved where somebody did: the run
// is held, and who asked for a rollback rolls back.
func TestStopOfARunWhoseRouteSomebodyMoved(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: runner.Holder}, journal.Run{ID: "run"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tenure.Release(context.WithoutCancel(t.Context())) }()
	runner.tenure, runner.policy = tenure, PolicyOf(runner.Release)
	production.Fence, production.Route.Stop = tenure.Fence(), "rollback requested by bob"
	for live, want := range map[string]Kind{"blue": Stopped, "green": Rival} {
		production.Split = traffic.Whole(live)
		if _, seen := runner.guard(t.Context(), baseline()); seen.Kind != want {
			t.Errorf("on %s: %s (%s), want %s", live, seen.Kind, seen.Message, want)
		}
	}
}
