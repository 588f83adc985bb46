package rollout

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// ran leaves a run in the journal that another process has finished.
func ran(t *testing.T, runner *Runner, state State) {
	t.Helper()
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tenure.Save(t.Context(), state, string(state.Phase)), tenure.Finish(t.Context(), string(state.Phase))); err != nil {
		t.Fatal(err)
	}
}

// replicas is what a colour's Deployment wants.
func replicas(t *testing.T, runner *Runner, color string) int32 {
	t.Helper()
	workload, err := runner.Client.Workload(t.Context(), "shop", release.Workload{Kind: "deployment", Name: "shop-" + color})
	if err != nil {
		t.Fatal(err)
	}
	return workload.Replicas
}

// forbidden is the API server's answer to who lacks a right.
func forbidden(verb, resource, group string) error {
	text := `User "ana" cannot ` + verb + ` resource "` + resource + `" in API group "` + group + `" in the namespace "shop"`
	return apierrors.NewForbidden(corev1.Resource(resource), "", errors.New(text))
}

// The side that a blocked shift left idle is the one that it found bad, or
// never looked at: a rollback goes nowhere.
func TestRollbackAfterABlockedShiftStaysWhereItIs(t *testing.T) {
	for _, force := range []bool{false, true} {
		runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
		ran(t, runner, State{Phase: Blocked, From: "green", To: "blue", Started: start, Reason: "blue is broken"})
		outcome, err := runner.Rollback(t.Context(), RollbackRequest{Force: force})
		if err != nil || outcome.Code != CodeDone || !strings.Contains(outcome.Message, "nothing to roll back: green serves") || !strings.Contains(outcome.Message, "blue is broken") {
			t.Errorf("force %v: outcome = %+v, %v", force, outcome, err)
		}
		if production.Split.Sole() != "green" || replicas(t, runner, "green") != 2 {
			t.Errorf("force %v: route = %s, green wants %d", force, production.Split, replicas(t, runner, "green"))
		}
	}
}

// A rollback that could not begin has found nothing out: the next one goes
// the same way.
func TestRollbackAfterOneThatCouldNotBegin(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	ran(t, runner, State{Phase: Blocked, From: "blue", To: "green", Started: start, Requested: true, Reason: "no right to stamp"})
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
		t.Errorf("outcome = %+v, %v with route %s, want blue", outcome, err, production.Split)
	}
}

// Traffic goes back whatever the workloads say: the route's stamp fences.
func TestRollbackPastWorkloadsThatCannotBeStamped(t *testing.T) {
	for name, test := range map[string]struct {
		verb    string
		failure error
	}{
		"unreadable": {"get", forbidden("get", "deployments", "apps")},
		"read-only":  {"patch", forbidden("patch", "deployments", "apps")},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
			back := false
			prepend(test.verb, "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
				back = back || production.Split.Sole() == "blue"
				return !back, nil, test.failure
			})
			var warnings []string
			runner.Progress = func(event Event) {
				if event.Level == Warning {
					warnings = append(warnings, event.Message)
				}
			}
			outcome, err := runner.Rollback(t.Context(), RollbackRequest{})
			if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
				t.Fatalf("outcome = %+v, %v with route %s, want blue", outcome, err, production.Split)
			}
			if text := strings.Join(warnings, "\n"); !strings.Contains(text, "going back without a stamp") {
				t.Errorf("warnings:\n%s", text)
			}
		})
	}
}

// A shift stays strict: what it can't stamp it doesn't begin to move.
func TestShiftPastAWorkloadThatCannotBeStampedIsRefused(t *testing.T) {
	for _, verb := range []string{"get", "patch"} {
		runner, production, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2))
		prepend(verb, "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, forbidden(verb, "deployments", "apps")
		})
		if outcome, err := runner.Shift(t.Context(), ShiftRequest{}); !apierrors.IsForbidden(err) {
			t.Errorf("%s: outcome = %+v, %v, want a forbidden error", verb, outcome, err)
		}
		if production.Split.Sole() != "green" {
			t.Errorf("%s: route = %s, want green", verb, production.Split)
		}
	}
}

// Unreadable pods of the side to go back to are a reason to refuse, and to
// say how to go anyway.
func TestRollbackToPodsThatCannotBeCounted(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	runner.Router = &uncounted{route: production}
	_, err := runner.Rollback(t.Context(), RollbackRequest{})
	if err == nil || !strings.Contains(release.HintOf(err), "--force") {
		t.Errorf("err = %v, hint %q", err, release.HintOf(err))
	}
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Force: true})
	if err != nil || outcome.Code != CodeDone || !production.Split.Equal(traffic.Whole("blue")) {
		t.Errorf("forced: outcome = %+v, %v with route %s", outcome, err, production.Split)
	}
}

// uncounted is a route whose pods can't be listed.
type uncounted struct{ *route }

func (u *uncounted) Receivers(context.Context, string) (int, error) {
	return 0, forbidden("list", "pods", "")
}

// gone deletes a colour's Deployment.
func gone(t *testing.T, runner *Runner, color string) {
	t.Helper()
	if err := runner.Client.Kubernetes.AppsV1().Deployments("shop").Delete(t.Context(), "shop-"+color, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

// A way back that was cut off once production was back is gone again to its
// end by the next rollback: there is no record of a shift that moved anything,
// but the route says that somebody did.
func TestRollbackAfterOneThatWasCutOff(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	ctx, cut := context.WithCancel(t.Context())
	defer cut()
	runner.Progress = func(event Event) {
		if event.Phase == Preserve {
			cut()
		}
	}
	if outcome, err := runner.Rollback(ctx, RollbackRequest{Reason: "asked"}); err != nil || outcome.Code != CodeHeld || production.Split.Sole() != "blue" {
		t.Fatalf("the first: outcome = %+v, %v with route %s, want held on blue", outcome, err, production.Split)
	}
	again := &Runner{Client: runner.Client, Release: runner.Release, Router: production, Clock: runner.Clock, Holder: "bob@laptop/2", Journal: runner.Journal}
	outcome, err := again.Rollback(t.Context(), RollbackRequest{Reason: "asked again"})
	if err != nil || outcome.Code != CodeDone || replicas(t, runner, "green") != 0 {
		t.Errorf("the second: outcome = %+v, %v, green wants %d, want it ended", outcome, err, replicas(t, runner, "green"))
	}
}
