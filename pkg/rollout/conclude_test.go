package rollout

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// A run whose archive the cluster refuses has ended as it ended: its outcome
// stands with a warning, and its lease is free.
func TestARunThatCanNotBeArchivedKeepsItsOutcome(t *testing.T) {
	runner, _, prepend := newRunner(t, deployment("blue", 2), deployment("green", 2))
	var warned []string
	runner.Progress = func(event Event) {
		if event.Level == Warning {
			warned = append(warned, event.Message)
		}
	}
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: runner.Holder}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		t.Fatal(err)
	}
	runner.tenure = tenure
	prepend("create", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(corev1.Resource("configmaps"), "bluegreen-shop", errors.New("exceeded quota: objects"))
	})
	outcome, err := runner.conclude(t.Context(), State{Phase: Done, From: "blue", To: "green", Started: start})
	if err != nil || outcome.Code != CodeDone || outcome.Status == nil || outcome.Status.Outcome != string(Done) {
		t.Errorf("outcome = %+v, %v", outcome, err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "exceeded quota") {
		t.Errorf("warnings = %q", warned)
	}
	if beat, err := runner.Journal.Heartbeat(t.Context()); err != nil || beat.Holder != "" {
		t.Errorf("the lease is held by %q, %v", beat.Holder, err)
	}
}
