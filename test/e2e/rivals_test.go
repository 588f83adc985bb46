package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// A rival is at work in mid-watch. It is seen and named, the run is held or
// goes back, and what the rival has written is not written over.
func TestRivalsAreNamedAndNotFought(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(60 * time.Second)})
	s.production(keepAliveClients, freshClients)
	for _, rival := range []struct {
		name string
		// does is a command of kubectl's.
		does []string
		code int
		says []string
		live string
	}{
		{"a GitOps engine takes the selector back",
			[]string{"apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "deploy/production.yaml"},
			rollout.CodeHeld, []string{"changed to blue=100", "argocd-controller"}, shop.Blue},
		{"somebody edits the selector",
			[]string{"patch", "service", shop.Service, "-p", `{"spec":{"selector":{"version":"blue"}}}`},
			rollout.CodeHeld, []string{"changed to blue=100", "kubectl-patch"}, shop.Blue},
		{"somebody rolls the target",
			[]string{"rollout", "restart", "deployment/" + shop.Deployment(shop.Green)},
			rollout.CodeHeld, []string{"deployment/recommendation-green was rolled by kubectl-rollout"}, shop.Green},
		{"somebody rolls the old side",
			[]string{"set", "env", "deployment/" + shop.Deployment(shop.Blue), "NOTE=changed"},
			rollout.CodeHeld, []string{"deployment/recommendation-blue was rolled by kubectl-set"}, shop.Green},
	} {
		t.Logf("rival: %s", rival.name)
		process := s.inWatch(shop.Green, "shift")
		s.byHand(rival.does...)
		version := func() string {
			return s.byHand("get", "service", shop.Service, "-o", "jsonpath={.metadata.resourceVersion}")
		}
		before := version() // as the rival has left it, which this run has not seen yet
		result := s.ended(process, rival.code)
		for _, text := range rival.says {
			says(t, result.Stdout, text)
		}
		if live, err := s.shop.Live(t.Context()); err != nil || live != rival.live {
			t.Errorf("%s: production selects %s (%v), want %s as the rival left it", rival.name, live, err, rival.live)
		}
		if after := version(); after != before {
			t.Errorf("%s: the route was written to after the rival had been at work", rival.name)
		}
		s.await("blue is whole", func(ctx context.Context) error { return s.shop.AwaitReady(ctx, shop.Blue) })
		s.run(rollout.CodeDone, "rollback")
		s.serves(shop.Blue)
	}
}

// Who deletes the target that serves has it taken back at once; who scales it
// changes nothing.
func TestDeletedTargetGoesBack(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(60 * time.Second)})
	s.production(keepAliveClients, freshClients)
	process := s.inWatch(shop.Green, "shift")
	s.byHand("scale", "deployment/"+shop.Deployment(shop.Green), "--replicas=3")
	s.await("green has three pods", func(ctx context.Context) error { return s.shop.AwaitReady(ctx, shop.Green) })
	if status := s.status(s.run(rollout.CodeDone, "status", "-o", "json")); status.Phase != rollout.Watch {
		t.Errorf("the run is in phase %s after green was scaled, want watch", status.Phase)
	}
	s.byHand("delete", "deployment", shop.Deployment(shop.Green))
	says(t, s.ended(process, rollout.CodeRolledBack).Stdout, "deployment/recommendation-green was deleted")
	s.serves(shop.Blue)
}

// A deleted production Service is said to be gone; with it made again by hand
// the run goes back.
func TestDeletedRouteHolds(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true, Release: watching(60 * time.Second)})
	process := s.inWatch(shop.Green, "shift")
	s.byHand("delete", "service", shop.Service)
	says(t, s.ended(process, rollout.CodeHeld).Stdout, `services "svc-production" not found`)
	s.byHand("apply", "-f", "deploy/production.yaml")
	s.run(rollout.CodeDone, "rollback")
	s.serves(shop.Blue)
}

// The autoscaler of the old side may not take it down while the new one is
// watched, and may again afterwards.
func TestFloorOfTheOldSideIsHeld(t *testing.T) {
	s := open(t, shop.Options{GreenByHand: true})
	s.byHand("autoscale", "deployment", shop.Deployment(shop.Blue), "--name=blue", "--min=1", "--max=4", "--cpu=50%")
	s.production(keepAliveClients, freshClients)
	process := s.inWatch(shop.Green, "shift")
	floor := func() string {
		return s.byHand("get", "hpa", "blue", "-o", `jsonpath={.spec.minReplicas} {.metadata.annotations.bluegreen\.dev/floor}`)
	}
	if held := floor(); held != "2 1" {
		t.Errorf("in the watch minReplicas and what is recorded are %q, want 2 and 1", held)
	}
	result := s.ended(process, rollout.CodeDone)
	says(t, result.Stderr, "horizontalpodautoscaler/blue may not go below 2")
	if given := strings.TrimSpace(floor()); given != "1" {
		t.Errorf("after the shift minReplicas is %q, want 1 and nothing recorded", given)
	}

	// A killed run's floor is given back by the rollback.
	s.byHand("autoscale", "deployment", shop.Deployment(shop.Green), "--name=green", "--min=1", "--max=4", "--cpu=50%")
	s.leftBehind(shop.Blue)
	s.run(rollout.CodeDone, "rollback")
	s.serves(shop.Green)
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, hang, true, func(context.Context) (bool, error) {
		left := s.byHand("get", "hpa", "green", "-o", `jsonpath={.spec.minReplicas} {.metadata.annotations}`)
		return strings.HasPrefix(left, "1 ") && !strings.Contains(left, cluster.AnnotationFloor), nil
	})
	if err != nil {
		t.Errorf("green's floor is not given back: %v", err)
	}
}
