package rollout

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// toZero takes a Deployment to zero.
func toZero(deployment *appsv1.Deployment) { deployment.Spec.Replicas = ptr.To[int32](0) }

// warnings collects what a runner warns of.
func warnings(runner *Runner) *[]string {
	found := &[]string{}
	runner.Progress = func(event Event) {
		if event.Level == Warning {
			*found = append(*found, event.Message)
		}
	}
	return found
}

// Somebody who takes the old side's pods away while it is the way back is named, and
// so is what that means; whatever was seen of the release stays as it was.
func TestALostWayBackIsToldAndNamed(t *testing.T) {
	for name, test := range map[string]struct {
		phase  Phase
		kind   Kind
		change func(*testing.T, *Runner, *route)
		warns  string
		says   []string
	}{
		"it can take traffic": {phase: Watch, kind: Ticked},
		"scaled to zero in the watch": {phase: Watch, kind: Ticked, change: edit("blue", toZero),
			warns: "no pod of blue is ready: deployment/shop-blue was scaled to 0 by kubectl-rollout; there is no way back: a rollback would be refused until one is" +
				"; give it its pods back: kubectl scale deployment/shop-blue --namespace=shop --replicas=N"},
		"scaled to zero in the hold": {phase: Hold, kind: Ticked, change: edit("blue", toZero),
			warns: "a rollback would be refused until one is, and 50% is given to it; give it its pods back"},
		"scaled to zero in confirm":    {phase: Confirm, kind: Waiting, change: edit("blue", toZero), warns: "scaled to 0 by kubectl-rollout"},
		"scaled to zero in the drain":  {phase: Drain, kind: Succeeded, change: edit("blue", toZero), warns: "scaled to 0 by kubectl-rollout"},
		"scaled to zero at the end":    {phase: GiveBack, kind: Succeeded, change: edit("blue", toZero), warns: "scaled to 0 by kubectl-rollout"},
		"its pods die":                 {phase: Watch, kind: Ticked, change: edit("blue", func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To[int32](3) }), warns: "deployment/shop-blue wants 3, as kubectl-rollout set; there is no way back"},
		"it is deleted":                {phase: Drain, kind: Waiting, change: remove("blue"), warns: "deployment/shop-blue does not exist"},
		"before traffic was moved":     {phase: Baseline, kind: Waiting, change: edit("blue", toZero)},
		"on the way back":              {phase: ProveRevert, kind: Waiting, change: edit("blue", toZero)},
		"the run has failed meanwhile": {phase: Watch, kind: Failed, change: edit("blue", toZero)},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
			warned := warnings(runner)
			runner.policy = PolicyOf(runner.Release)
			runner.policy.Steps = []release.Step{{Weight: 50}, {Weight: 100}}
			if test.change != nil {
				test.change(t, runner, production)
				production.ready["blue"] = 0
			}
			state := at(test.phase, moved, second)
			if test.phase == Hold {
				state.Step = 0
			}
			seen := runner.mindWayBack(t.Context(), state, Observation{Kind: test.kind, Learned: func(s *State) { s.Unshed = "kept" }})
			if seen.Kind != test.kind {
				t.Errorf("what was seen became %s", seen.Kind)
			}
			seen.Learned(&state)
			if state.Unshed != "kept" {
				t.Error("what else was learned is lost")
			}
			if test.warns == "" {
				if len(*warned) != 0 || state.NoWayBack != "" {
					t.Errorf("warned %q, kept %q", *warned, state.NoWayBack)
				}
				return
			}
			if len(*warned) != 1 || !strings.Contains((*warned)[0], test.warns) {
				t.Errorf("warned %q, want %q", *warned, test.warns)
			}
			if !strings.HasPrefix((*warned)[0], state.NoWayBack+"; ") || state.NoWayBack == "" {
				t.Errorf("kept %q of %q", state.NoWayBack, *warned)
			}
			if runner.mindWayBack(t.Context(), state, Observation{Kind: test.kind}).Learned != nil || len(*warned) != 1 {
				t.Errorf("told again: %q", *warned)
			}
			production.ready["blue"] = 1
			if runner.mindWayBack(t.Context(), state, Observation{Kind: test.kind}).Learned(&state); state.NoWayBack != "" {
				t.Errorf("back again, and kept %q", state.NoWayBack)
			}
		})
	}
}

// An old side that can't be read is not said to be lost, and not said to be back.
func TestAnUnseenWayBackIsNotJudged(t *testing.T) {
	runner, production, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2))
	production.ready["blue"] = 0
	prepend("get", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewTooManyRequestsError("later")
	})
	if seen := runner.mindWayBack(t.Context(), at(Watch, moved), Observation{Kind: Ticked}); seen.Learned != nil {
		t.Error("judged by what can't be read")
	}
	production.ready["blue"] = 2
	if seen := runner.mindWayBack(t.Context(), at(Watch, moved), Observation{Kind: Waiting, Unseen: true}); seen.Learned != nil {
		t.Error("judged while nothing is seen")
	}
}

// A run whose old side is gone ends as the target deserves, and its end promises no
// rollback that would be refused. The record tells whoever asks later.
func TestARunWithoutAWayBackPromisesNone(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
	driving(t, runner, release.DrainNone)
	production.Fence = runner.fence()
	warned := warnings(runner)
	edit("blue", toZero)(t, runner, production)
	production.ready["blue"] = 0
	state := at(Drain, moved, cutover)
	state.Started, state.Entered, state.Step = runner.Clock.Now(), runner.Clock.Now(), len(runner.policy.Steps)-1
	outcome, err := runner.drive(t.Context(), state)
	if err != nil || outcome.Code != CodeDone || outcome.Next != "kubectl bluegreen shift --to blue" {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
	const why = "no pod of blue is ready: deployment/shop-blue was scaled to 0 by kubectl-rollout"
	if !strings.Contains(outcome.Message, "green serves production") || !strings.Contains(outcome.Message, "there is no way back: "+why) || outcome.Status.NoWayBack != why {
		t.Errorf("it ends with %q, and the status says %q", outcome.Message, outcome.Status.NoWayBack)
	}
	if len(*warned) != 1 {
		t.Errorf("warned %q, want it once", *warned)
	}
	run, err := runner.Journal.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	noted := 0
	for _, entry := range run.Entries {
		if entry.Kind == journal.Note && entry.Action == actionWayBack && entry.Message == why {
			noted++
		}
	}
	if noted != 1 {
		t.Errorf("the record has it %d times: %+v", noted, run.Entries)
	}
}

// A frozen run leaves going back to a person, who is told that it would be refused.
func TestAFrozenRunWithoutAWayBackPromisesNone(t *testing.T) {
	state := freeze(at(Watch, moved), start, "errors", nil)
	if outcome := outcomeOf(state); outcome.Next != "kubectl bluegreen rollback" {
		t.Errorf("next is %s where there is a way back", outcome.Next)
	}
	state.NoWayBack = "no pod of blue is ready: it was scaled"
	if outcome := outcomeOf(state); outcome.Next != "kubectl bluegreen status" || !strings.Contains(outcome.Message, state.NoWayBack) {
		t.Errorf("outcome = %+v", outcome)
	}
}
