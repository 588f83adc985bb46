package rollout

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// remove deletes a Service past the runner, also while a write is answered.
func (s *setRunner) remove(name string) {
	s.t.Helper()
	if err := s.Client.Kubernetes.(*fake.Clientset).Tracker().Delete(corev1.SchemeGroupVersion.WithResource("services"), "shop", name); err != nil {
		s.t.Fatal(err)
	}
}

// wantLeft fails the test unless the one route that is left of the set gives
// everything to blue, and the outcome says which one is gone.
func (s *setRunner) wantLeft(outcome Outcome, gone string) traffic.Route {
	s.t.Helper()
	route, _ := s.open().Read(s.t.Context())
	if len(route.Members) != 1 || !route.Members[0].Split.Equal(traffic.Whole("blue")) {
		s.t.Errorf("left of the set: %s", route.Shares())
	}
	if want := "; service/" + gone + " is gone, and nothing is proven of it"; !strings.Contains(outcome.Message, want) {
		s.t.Errorf("outcome %q lacks %q", outcome.Message, want)
	}
	return route
}

// TestASetOfWhichOneWasDeletedIsGivenBack: whichever it is and whoever goes back,
// the others are, under this run's stamp.
func TestASetOfWhichOneWasDeletedIsGivenBack(t *testing.T) {
	rollback := func(s *setRunner) (Outcome, error) {
		return s.again().Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	}
	for _, gone := range setServices {
		for name, goBack := range map[string]func(s *setRunner) (Outcome, error){
			"from a watch": func(s *setRunner) (Outcome, error) { s.left(Watch); return rollback(s) },
			"after a run": func(s *setRunner) (Outcome, error) {
				ran(t, s.Runner, State{Phase: Done, From: "blue", To: "green", Moved: true, Started: start})
				return rollback(s)
			},
			"of a rollback that was killed": func(s *setRunner) (Outcome, error) { s.left(Revert); return s.again().Resume(t.Context()) },
		} {
			t.Run(gone+" "+name, func(t *testing.T) {
				s := newSetRunner(t)
				for _, service := range setServices {
					s.edit(service, switched)
				}
				s.remove(gone)
				outcome, err := goBack(s)
				if err != nil || outcome.Status.Phase != RolledBack {
					t.Fatalf("outcome = %+v, %v", outcome, err)
				}
				if route := s.wantLeft(outcome, gone); route.Fence.Epoch != outcome.Status.Epoch {
					t.Errorf("left at epoch %d, not %d", route.Fence.Epoch, outcome.Status.Epoch)
				}
			})
		}
	}
}

// TestASetOfWhichOneIsDeletedOnTheWayBack: at each phase of it, and between the
// look at a route and its write.
func TestASetOfWhichOneIsDeletedOnTheWayBack(t *testing.T) {
	for _, phase := range []Phase{Revert, ProveRevert, Preserve, DrainReverse, End, Recover, Restore} {
		t.Run(string(phase), func(t *testing.T) {
			s := newSetRunner(t)
			driving(t, s.Runner, release.DrainNone)
			if err := s.takeOver(t.Context(), nil, State{}); err != nil {
				t.Fatal(err)
			}
			s.remove("svc-internal")
			if seen := s.look(t.Context(), at(phase, moved, func(state *State) { state.Entered = s.Clock.Now() })); seen.Kind != Succeeded {
				t.Errorf("%s = %s (%s)", phase, seen.Kind, seen.Message)
			}
		})
	}
	t.Run("between a look and a write", func(t *testing.T) {
		s := newSetRunner(t)
		for _, service := range setServices {
			s.edit(service, switched)
		}
		s.left(Watch)
		s.answers = func(name string) error {
			if name == "svc-internal" && s.wrote > len(setServices) { // the stamps
				s.answers = nil
				s.remove(name)
				return apierrors.NewNotFound(corev1.Resource("services"), name)
			}
			return nil
		}
		outcome, err := s.again().Rollback(t.Context(), RollbackRequest{Reason: "asked"})
		if err != nil || outcome.Code != CodeDone {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		s.wantLeft(outcome, "svc-internal")
	})
}

// TestASideIsNotEndedWhileWhatIsLeftLeadsThere: that one route is gone says nothing
// of the others.
func TestASideIsNotEndedWhileWhatIsLeftLeadsThere(t *testing.T) {
	s := newSetRunner(t)
	s.edit("svc", switched)
	driving(t, s.Runner, release.DrainNone)
	s.remove("svc-internal")
	if seen := s.look(t.Context(), at(End, moved, func(state *State) { state.Entered = s.Clock.Now() })); seen.Kind == Succeeded || replicas(t, s.Runner, "green") != 2 {
		t.Errorf("end = %s (%s), with %d replicas", seen.Kind, seen.Message, replicas(t, s.Runner, "green"))
	}
}

// TestASetOfWhichOneWasDeletedIsNotMoved: neither by a new run nor by one that is
// under way or goes on, and nothing is written.
func TestASetOfWhichOneWasDeletedIsNotMoved(t *testing.T) {
	const says = "of this one service/svc-internal is gone"
	for name, run := range map[string]func(s *setRunner) error{
		"shift":  func(s *setRunner) error { _, err := s.Shift(t.Context(), ShiftRequest{}); return err },
		"resume": func(s *setRunner) error { s.left(Switch); _, err := s.Resume(t.Context()); return err },
		"finish": func(s *setRunner) error { _, err := s.Finish(t.Context(), FinishRequest{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetRunner(t)
			s.remove("svc-internal")
			if err := run(s); err == nil || !strings.Contains(err.Error(), says) || release.HintOf(err) == "" || s.wrote != 0 {
				t.Errorf("err = %v after %d writes", err, s.wrote)
			}
		})
	}
	for _, phase := range []Phase{Switch, Prove, Watch, Drain} {
		t.Run(string(phase), func(t *testing.T) {
			s := newSetRunner(t)
			driving(t, s.Runner, release.DrainNone)
			if err := s.takeOver(t.Context(), nil, State{}); err != nil {
				t.Fatal(err)
			}
			s.remove("svc-internal")
			wrote := s.wrote
			if seen := s.look(t.Context(), at(phase, moved)); seen.Kind != Rival || !strings.Contains(seen.Message, says) || s.wrote != wrote {
				t.Errorf("%s = %s (%s) after %d writes", phase, seen.Kind, seen.Message, s.wrote-wrote)
			}
		})
	}
}
