package rollout

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// ran leaves a run in the journal that another process has finished.
func ran(t *testing.T, runner *Runner, state State) {
	t.Helper()
	ranAs(t, runner, "20261122-153012-k7f3q", state)
}

// ranAs leaves one of that id, with what it has on record.
func ranAs(t *testing.T, runner *Runner, id string, state State, entries ...journal.Entry) {
	t.Helper()
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(tenure.Record(t.Context(), entries...), tenure.Save(t.Context(), state, string(state.Phase)), tenure.Finish(t.Context(), string(state.Phase))); err != nil {
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
	for _, force := range []bool{false, true} {
		_, err := runner.Rollback(t.Context(), RollbackRequest{Force: force})
		if err == nil || !strings.Contains(release.HintOf(err), "rollback --force=ready-endpoints") {
			t.Errorf("force %v: err = %v, hint %q", force, err, release.HintOf(err))
		}
	}
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Force: true, Unready: true})
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

// Who waits for nobody does not wait for a run that has moved nothing either.
func TestForceTakesARunOverThatMovedNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
		production.Split, production.Previous, production.Origin = traffic.Whole("blue"), nil, ""
		bob, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = bob.Release(context.WithoutCancel(t.Context())) }()
		if err := bob.Save(t.Context(), baseline(), string(Baseline)); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		outcome, err := runner.Rollback(t.Context(), RollbackRequest{Force: true, Reason: "asked"})
		if took := time.Since(began); err != nil || outcome.Code != CodeDone || took > journal.DefaultLeaseDuration/3 {
			t.Errorf("outcome = %+v, %v after %s", outcome, err, took)
		}
		if err := bob.Record(t.Context(), journal.Entry{Kind: journal.Note}); !errors.Is(err, journal.ErrLost) {
			t.Errorf("bob can still write: %v", err)
		}
	})
}

// A lease whose epoch somebody has edited keeps nobody from going back, whether
// the last run has ended or not; a shift it does.
func TestRollbackPastALeaseWithoutAnEpoch(t *testing.T) {
	for _, ended := range []bool{true, false} {
		runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
		if ended {
			ran(t, runner, at(Done, moved))
		} else {
			bob, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(bob.Save(t.Context(), at(Watch, moved), string(Watch)), bob.Release(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		leases := runner.Client.Kubernetes.CoordinationV1().Leases("shop")
		lease, err := leases.Get(t.Context(), journal.Name("shop"), metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		lease.Annotations[cluster.AnnotationEpoch] = "x"
		if _, err := leases.Update(t.Context(), lease, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		if ended {
			if outcome, err := runner.Shift(t.Context(), ShiftRequest{}); err == nil || !strings.Contains(err.Error(), "is not a whole number") {
				t.Errorf("a shift: outcome = %+v, %v", outcome, err)
			}
		}
		outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
		if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" || production.Fence.Epoch != 2 {
			t.Errorf("ended %v: outcome = %+v, %v with route %s at epoch %d", ended, outcome, err, production.Split, production.Fence.Epoch)
		}
	}
}
