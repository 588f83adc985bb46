package rollout

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// TestFreeze goes every automatic way back under a policy that leaves it to a
// person, and every way that is not one.
func TestFreeze(t *testing.T) {
	policy := testPolicy()
	policy.OnFailure, policy.SourceDown.Policy = "freeze", "rollback"
	unanswered := func(s *State) { s.Unanswered, s.Closed = start, start }
	for name, test := range map[string]struct {
		state State
		seen  Observation
		want  Phase
	}{
		"a rollback rule fires in a hold":      {at(Hold, moved), ticked(time.Second, broken), Held},
		"a rollback rule fires in the watch":   {at(Watch, moved, second, cutover), ticked(time.Second, broken), Held},
		"the switch is refused":                {at(Switch, moved), after(0, Failed), Held},
		"the switch is overdue":                {at(Prove, moved), after(time.Minute, Waiting), Held},
		"business logic fails":                 {at(Confirm, moved, second), after(0, Failed), Held},
		"the run is late between two weights":  {at(Hold, moved), ticked(16*time.Minute, open), Held},
		"an advance rule keeps failing":        {at(Hold, moved, unanswered), ticked(6*time.Minute, notReached), Held},
		"a source stays silent":                {at(Watch, moved, second, cutover, unanswered), ticked(3*time.Minute, silent), Held},
		"somebody says stop":                   {at(Watch, moved, second, cutover), after(0, Stopped), Revert},
		"somebody says stop before the switch": {at(Health), after(0, Stopped), Blocked},
		"a check fails before the switch":      {at(Preflight), after(0, Failed), Blocked},
		"a way back that can't be proven":      {at(ProveRevert, moved), after(time.Minute, Waiting), Unproven},
	} {
		t.Run(name, func(t *testing.T) {
			got := Step(policy, test.state, test.seen)
			if got.Phase != test.want {
				t.Fatalf("Step = %s (%s), want %s", got.Phase, got.Reason, test.want)
			}
			if told := strings.HasPrefix(got.Reason, "frozen: ") && outcomeOf(got).Next == "kubectl bluegreen rollback"; told != (got.Phase == Held) {
				t.Errorf("%s with reason %q", got.Phase, got.Reason)
			}
			if outcome := outcomeOf(got); got.Phase == Held && (outcome.Code != CodeHeld || got.Resume != test.state.Phase) {
				t.Errorf("exit code %d, to resume %s, want %d and %s", outcome.Code, got.Resume, CodeHeld, test.state.Phase)
			}
		})
	}
}

func TestAFrozenRunIsAPersonsToDecide(t *testing.T) {
	policy := testPolicy()
	policy.OnFailure = "freeze"
	frozen := Step(policy, at(Watch, moved, second, cutover), ticked(time.Second, broken))
	if len(frozen.Because) == 0 {
		t.Errorf("frozen because of nothing: %s", frozen.Reason)
	}
	resumed := resume(frozen, start.Add(time.Minute))
	if again := Step(policy, resumed, ticked(2*time.Minute, broken)); resumed.Phase != Watch || again.Phase != Held {
		t.Errorf("resumed in %s, then %s while the rule still fires, want watch, then held", resumed.Phase, again.Phase)
	}
	if healed := Step(policy, resumed, ticked(10*time.Minute, open)); healed.Phase != Confirm || healed.Reason != "" {
		t.Errorf("then %s (%s) once the gate is open, want confirm", healed.Phase, healed.Reason)
	}
	if asked := back(frozen, "asked", start.Add(time.Minute)); asked.Phase != Revert || asked.Because != nil {
		t.Errorf("a rollback that was asked for begins with %s because of %v, want revert", asked.Phase, asked.Because)
	}
}

func TestPolicyOfTakesTheFailurePolicy(t *testing.T) {
	document := &release.Release{Spec: release.Spec{Gates: release.Gates{OnFailure: release.PolicyFreeze}}}
	release.ApplyDefaults(document)
	if got := PolicyOf(document).OnFailure; got != release.PolicyFreeze {
		t.Errorf("OnFailure = %q, want freeze", got)
	}
}

// refusing is a route that can't be given to a colour.
type refusing struct {
	*route
	color string
}

func (r *refusing) Plan(read traffic.Route, to traffic.Split, fence cluster.Fence) (traffic.Patch, error) {
	if to.Sole() == r.color && read.Split.Sole() != r.color {
		return traffic.Patch{}, errors.New("admission webhook denied the request")
	}
	return r.route.Plan(read, to, fence)
}

// TestAFrozenRunIsKeptForAPerson drives a run into a failure of its switch: it
// stays where it is until somebody asks for the rollback.
func TestAFrozenRunIsKeptForAPerson(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	runner.Release.Spec.Gates.OnFailure = release.PolicyFreeze
	production.Split, production.Previous, production.Origin = traffic.Whole("blue"), nil, ""
	runner.Router = &refusing{route: production, color: "green"}
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		t.Fatal(err)
	}
	state := State{Phase: Switch, From: "blue", To: "green", Moved: true, Started: start}
	if err := errors.Join(tenure.Save(t.Context(), state, string(Switch)), tenure.Release(t.Context())); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		outcome, err := again(runner).Resume(t.Context())
		if err != nil || outcome.Code != CodeHeld || !strings.Contains(outcome.Message, "held in phase switch: frozen: admission webhook denied the request") {
			t.Fatalf("resumed: %+v, %v, want it frozen", outcome, err)
		}
		if production.Split.Sole() != "blue" || replicas(t, runner, "green") != 2 {
			t.Fatalf("frozen with route %s, green wants %d", production.Split, replicas(t, runner, "green"))
		}
	}
	outcome, err := again(runner).Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone || outcome.Status.Phase != RolledBack || replicas(t, runner, "green") != 0 {
		t.Errorf("rolled back: %+v, %v, green wants %d", outcome, err, replicas(t, runner, "green"))
	}
}

// again is another process over the same cluster.
func again(runner *Runner) *Runner {
	return &Runner{Client: runner.Client, Release: runner.Release, Router: runner.Router, Clock: runner.Clock, Holder: "bob@laptop/2", Journal: runner.Journal}
}
