package rollout

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A rollback from the midst of a finish gives back what that has taken so far,
// whether the finish was cut off once or twice, or ended.
func TestRollbackFromTheMidstOfAFinish(t *testing.T) {
	for _, cuts := range []int{1, 2} {
		worker := deployment("blue", 3)
		worker.Name = "worker-blue"
		runner, production := newFinisher(t, still(), worker)
		declared := runner.Release.Spec.Colors["blue"]
		declared.Workloads = []release.Workload{{Kind: "deployment", Name: "worker-blue"}, {Kind: "deployment", Name: "shop-blue"}}
		runner.Release.Spec.Colors["blue"] = declared
		for number := range cuts {
			ctx, cut := context.WithCancel(t.Context())
			attempt := another(runner)
			attempt.Progress = func(event Event) {
				if strings.HasPrefix(event.Message, "deployment/worker-blue scaled") || number == 1 && strings.HasPrefix(event.Message, "reads whether requests") {
					cut()
				}
			}
			if outcome, err := attempt.Finish(ctx, FinishRequest{SignOffs: connectionsSigned}); err != nil || outcome.Code != CodeHeld {
				t.Fatalf("cut %d: %+v, %v", number, outcome, err)
			}
			cut()
		}
		outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
		if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
			t.Fatalf("outcome = %+v, %v with route %s", outcome, err, production.Split)
		}
		found, err := runner.Client.Workload(t.Context(), "shop", declared.Workloads[0])
		if err != nil || found.Replicas != 3 || replicas(t, runner, "blue") != 2 || replicas(t, runner, "green") != 0 {
			t.Errorf("after %d cuts the worker wants %d, %v; blue %d, green %d", cuts, found.Replicas, err, replicas(t, runner, "blue"), replicas(t, runner, "green"))
		}
	}
}

// Who goes back by name to a side that was decommissioned gets its pods back,
// once traffic is where it was sent.
func TestForcedRollbackAfterFinishGivesThePodsBack(t *testing.T) {
	runner, production := newFinisher(t, still())
	if outcome, err := runner.Finish(t.Context(), FinishRequest{SignOffs: connectionsSigned}); err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	back := another(runner)
	back.Progress = func(event Event) {
		if event.Message == "deployment/shop-blue scaled from 0 to 2" {
			// What its controller does then.
			if _, err := runner.Client.Kubernetes.CoreV1().Pods("shop").Create(t.Context(), pod("blue"), metav1.CreateOptions{}); err != nil {
				t.Error(err)
			}
		}
	}
	outcome, err := back.Rollback(t.Context(), RollbackRequest{Force: true, Unready: true, Reason: "asked"})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" || replicas(t, runner, "blue") != 2 {
		t.Errorf("outcome = %+v, %v with route %s; blue wants %d", outcome, err, production.Split, replicas(t, runner, "blue"))
	}
}
