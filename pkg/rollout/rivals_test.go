package rollout

import (
	"context"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// rolled changes a Deployment as `kubectl rollout restart` does.
func rolled(deployment *appsv1.Deployment) {
	deployment.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
}

// TestRivals lets somebody else at the objects of a run in mid-watch.
func TestRivals(t *testing.T) {
	for name, test := range map[string]struct {
		phase  Phase
		change func(*testing.T, *Runner, *route)
		want   Kind
		says   string
	}{
		"nobody is there": {Watch, func(*testing.T, *Runner, *route) {}, Succeeded, ""},
		"an autoscaler adds pods": {Watch, edit("green", func(d *appsv1.Deployment) { d.Spec.Replicas = ptr.To[int32](5) }),
			Succeeded, ""},
		"the target is rolled": {Watch, edit("green", rolled), Rival, "deployment/shop-green was rolled by kubectl-rollout"},
		"the target is rolled, policy rollback": {Watch, func(t *testing.T, r *Runner, p *route) {
			t.Helper()
			r.Release.Spec.Gates.OnRival = release.PolicyRollback
			edit("green", rolled)(t, r, p)
		}, Failed, "deployment/shop-green was rolled by kubectl-rollout"},
		"the old side is rolled":       {Hold, edit("blue", rolled), Rival, "deployment/shop-blue was rolled by kubectl-rollout"},
		"the target is deleted":        {Watch, remove("green"), Failed, "deployment/shop-green was deleted"},
		"the old side is deleted":      {Watch, remove("blue"), Rival, "no way back to blue"},
		"rolled on the way back":       {Revert, edit("green", rolled), Succeeded, ""},
		"rolled before traffic came":   {WaitReady, edit("green", rolled), Succeeded, ""},
		"the selector is taken back":   {Watch, func(_ *testing.T, _ *Runner, p *route) { p.Split = traffic.Whole("blue") }, Rival, "changed to blue=100"},
		"the route is made anew":       {Watch, func(_ *testing.T, _ *Runner, p *route) { p.Fence = cluster.Fence{} }, Rival, "does not carry this run's stamp"},
		"the route is made anew: back": {Revert, func(_ *testing.T, _ *Runner, p *route) { p.Fence = cluster.Fence{} }, Succeeded, ""},
	} {
		t.Run(name, func(t *testing.T) {
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
			tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: runner.Holder}, journal.Run{ID: "run"})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tenure.Release(context.WithoutCancel(t.Context())) }()
			runner.tenure, runner.policy, production.Fence = tenure, PolicyOf(runner.Release), tenure.Fence()
			state := at(test.phase, moved, cutover)
			if test.phase == WaitReady {
				production.Split = traffic.Whole("blue")
			}
			if state.Templates, err = runner.templates(t.Context()); err != nil {
				t.Fatal(err)
			}
			test.change(t, runner, production)
			if _, seen := runner.guard(t.Context(), state); seen.Kind != test.want || !strings.Contains(seen.Message, test.says) {
				t.Errorf("guard = %s (%s), want %s (%s)", seen.Kind, seen.Message, test.want, test.says)
			}
		})
	}
}

// Who resumes a run that a rival held accepts what the rival has done; what
// is done after that holds it again.
func TestResumeAcceptsWhatTheRivalDid(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
	driving(t, runner, release.DrainNone)
	production.Fence = runner.fence()
	state := at(Watch, moved, cutover)
	var err error
	if state.Templates, err = runner.templates(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, rolls := range []string{"once", "again"} {
		edit("green", func(d *appsv1.Deployment) { d.Spec.Template.Annotations = map[string]string{"rolled": rolls} })(t, runner, production)
		if _, found := runner.rival(t.Context(), state); !found {
			t.Fatalf("rolled %s: no rival is seen", rolls)
		}
		state = runner.accept(t.Context(), state)
		if seen, found := runner.rival(t.Context(), state); found {
			t.Fatalf("rolled %s and accepted: %s", rolls, seen.Message)
		}
	}
	remove("blue")(t, runner, production)
	if seen, found := runner.rival(t.Context(), runner.accept(t.Context(), state)); found {
		t.Errorf("deleted and accepted: %s", seen.Message)
	}
}

// edit changes the Deployment of a colour.
func edit(color string, change func(*appsv1.Deployment)) func(*testing.T, *Runner, *route) {
	return func(t *testing.T, runner *Runner, _ *route) {
		t.Helper()
		deployments := runner.Client.Kubernetes.AppsV1().Deployments("shop")
		found, err := deployments.Get(t.Context(), "shop-"+color, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		change(found)
		if _, err := deployments.Update(t.Context(), found, metav1.UpdateOptions{FieldManager: "kubectl-rollout"}); err != nil {
			t.Fatal(err)
		}
	}
}

// remove deletes the Deployment of a colour.
func remove(color string) func(*testing.T, *Runner, *route) {
	return func(t *testing.T, runner *Runner, _ *route) {
		t.Helper()
		if err := runner.Client.Kubernetes.AppsV1().Deployments("shop").Delete(t.Context(), "shop-"+color, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}
