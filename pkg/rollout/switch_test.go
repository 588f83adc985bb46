package rollout

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// interrupted is a Router that is told to stop, once, while the receivers are
// counted.
type interrupted struct {
	traffic.Router
	reason string
}

func (i *interrupted) Receivers(ctx context.Context, color string) (int, error) {
	if reason := i.reason; reason != "" {
		i.reason = ""
		if err := i.Stop(ctx, reason); err != nil {
			return 0, err
		}
	}
	return i.Router.Receivers(ctx, color)
}

// TestAStopWinsTheRaceAgainstTheSwitch asks for a stop after the guard has
// looked and before the switch is written: traffic stays where it is.
func TestAStopWinsTheRaceAgainstTheSwitch(t *testing.T) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "svc", Namespace: "shop"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"version": "blue"}}}
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"), pod("green"), service)
	router, err := traffic.NewRouter(runner.Client, runner.Release, runner.Clock)
	if err != nil {
		t.Fatal(err)
	}
	runner.policy = PolicyOf(runner.Release)
	runner.tenure, err = runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: runner.Holder}, journal.Run{ID: "run"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = runner.tenure.Release(context.WithoutCancel(t.Context())) }()
	runner.Router = router
	if err := runner.takeOver(t.Context(), nil, State{}); err != nil {
		t.Fatal(err)
	}
	runner.Router = &interrupted{Router: router, reason: "wrong button"}
	state := State{Phase: Switch, From: "blue", To: "green", Entered: runner.Clock.Now()}
	if seen := runner.look(t.Context(), state); seen.Kind != Waiting {
		t.Errorf("the write after the stop gave %s (%s), want %s", seen.Kind, seen.Message, Waiting)
	}
	if seen := runner.look(t.Context(), state); seen.Kind != Stopped {
		t.Errorf("the next look gave %s (%s), want %s", seen.Kind, seen.Message, Stopped)
	}
	route, err := router.Read(t.Context())
	if err != nil || route.Split.Sole() != "blue" || route.Stop != "wrong button" {
		t.Errorf("route = %s, stop %q, %v", route.Split, route.Stop, err)
	}
}
