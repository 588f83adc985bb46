package rollout

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// newLabelledSet is a set whose Services select by another label too.
func newLabelledSet(t *testing.T) *setRunner {
	t.Helper()
	s := newSetRunner(t)
	for _, color := range []string{"blue", "green"} {
		labelled := pod(color)
		labelled.Labels["app"] = "shop"
		if _, err := s.Client.Kubernetes.CoreV1().Pods("shop").Update(t.Context(), labelled, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// A route that somebody has made unreadable is given back by the record of the
// run, which says what had everything.
func TestRollbackOfARouteThatCannotBeRead(t *testing.T) {
	for name, edit := range map[string]func(*corev1.Service){
		"the key is gone":        func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "shop"} },
		"the value is of nobody": func(s *corev1.Service) { s.Spec.Selector["version"] = "x" },
		"its stamp is junk":      func(s *corev1.Service) { s.Annotations = map[string]string{cluster.AnnotationEpoch: "x"} },
		"all of it": func(s *corev1.Service) {
			s.Spec.Selector = map[string]string{"app": "shop"}
			s.Annotations = map[string]string{cluster.AnnotationEpoch: "x", cluster.AnnotationPrevious: "junk"}
		},
	} {
		for _, edited := range [][]string{setServices[:1], setServices} {
			t.Run(name, func(t *testing.T) {
				s := newLabelledSet(t)
				s.left(Watch)
				for _, service := range setServices {
					s.edit(service, func(object *corev1.Service) { object.Spec.Selector = map[string]string{"version": "green"} })
				}
				for _, service := range edited {
					s.edit(service, edit)
				}
				outcome, err := s.again().Rollback(t.Context(), RollbackRequest{Reason: "asked"})
				if err != nil || outcome.Code != CodeDone {
					t.Fatalf("outcome = %+v, %v", outcome, err)
				}
				route, err := s.Router.Read(t.Context())
				if err != nil || route.Split.Sole() != "blue" || route.Fence.Epoch != outcome.Status.Epoch {
					t.Errorf("route %s at epoch %d, %v", route.Shares(), route.Fence.Epoch, err)
				}
			})
		}
	}
}

// Where the last run has ended, it is gone back from; what was a way back itself
// is restored, and never left for the side that was found bad.
func TestRollbackOfAnUnreadableRouteAfterARun(t *testing.T) {
	for _, test := range []struct {
		last State
		want string
	}{
		{State{Phase: Done, From: "blue", To: "green", Moved: true, Started: start}, "blue"},
		{State{Phase: RolledBack, From: "blue", To: "green", Moved: true, Started: start}, "blue"},
		{State{Phase: Blocked, From: "blue", To: "green", Started: start}, "blue"},
	} {
		t.Run(string(test.last.Phase), func(t *testing.T) {
			s := newLabelledSet(t)
			ran(t, s.Runner, test.last)
			for _, service := range setServices {
				s.edit(service, func(object *corev1.Service) {
					object.Spec.Selector = map[string]string{"app": "shop"}
					object.Annotations = map[string]string{cluster.AnnotationPrevious: "green=100"}
				})
			}
			outcome, err := s.again().Rollback(t.Context(), RollbackRequest{Reason: "asked"})
			route, failure := s.Router.Read(t.Context())
			if err != nil || outcome.Code != CodeDone || failure != nil || route.Split.Sole() != test.want {
				t.Errorf("outcome = %+v, %v with %s, %v", outcome, err, route.Shares(), failure)
			}
		})
	}
}

// With no record nobody knows which side it is, and nothing is written.
func TestRollbackOfAnUnreadableRouteWithoutARecord(t *testing.T) {
	s := newSetRunner(t)
	s.edit("svc", func(object *corev1.Service) { object.Spec.Selector = map[string]string{"app": "shop"} })
	wrote := s.wrote
	if outcome, err := s.again().Rollback(t.Context(), RollbackRequest{Force: true}); !errors.Is(err, traffic.ErrNoColor) || s.wrote != wrote {
		t.Errorf("outcome = %+v, %v after %d writes", outcome, err, s.wrote-wrote)
	}
}

// What the route said of the side before is in the record of the run as well.
func TestRollbackPastAnUnreadablePrevious(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	ran(t, runner, State{Phase: Done, From: "blue", To: "green", Moved: true, Started: start})
	production.Previous, production.Origin = nil, ""
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone || production.Split.Sole() != "blue" {
		t.Errorf("outcome = %+v, %v with route %s", outcome, err, production.Split)
	}
}

// A newer holder of a route that can't be read wins all the same.
func TestTheWayBackOfAnUnreadableRouteIsFenced(t *testing.T) {
	s := newSetRunner(t)
	driving(t, s.Runner, s.Release.Spec.Traffic.Drain)
	for _, service := range setServices {
		s.edit(service, func(object *corev1.Service) {
			object.Spec.Selector = map[string]string{"app": "shop"}
			object.Annotations = map[string]string{cluster.AnnotationEpoch: "99"}
		})
	}
	if _, seen := s.guard(t.Context(), at(Revert, asked)); seen.Kind != Rival {
		t.Errorf("the guard says %s (%s)", seen.Kind, seen.Message)
	}
	wrote := s.wrote
	if seen := s.revert(t.Context(), at(Revert, asked)); seen.Kind == Succeeded || s.wrote != wrote {
		t.Errorf("revert = %s (%s) after %d writes", seen.Kind, seen.Message, s.wrote-wrote)
	}
}
