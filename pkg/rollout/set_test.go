package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// setRunner is a runner of a release with two production Services, on blue, whose
// endpoints are blue's pods.
type setRunner struct {
	*Runner
	// A write is one of a Service that is no dry run.
	mortal
	t *testing.T
}

var setServices = []string{"svc", "svc-internal"}

func newSetRunner(t *testing.T) *setRunner {
	t.Helper()
	objects := []runtime.Object{deployment("blue", 2), deployment("green", 2), pod("blue"), pod("green")}
	for _, name := range setServices {
		objects = append(objects,
			&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"}, Spec: corev1.ServiceSpec{Selector: map[string]string{"version": "blue"}}},
			&discoveryv1.EndpointSlice{
				ObjectMeta:  metav1.ObjectMeta{Name: name + "-1", Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: name}},
				AddressType: discoveryv1.AddressTypeIPv4,
				Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
					TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "shop-blue-1"}}},
			})
	}
	runner, _, prepend := newRunner(t, objects...)
	s := &setRunner{Runner: runner, t: t}
	s.Release.Spec.Traffic.Also = []release.AlsoRoute{{Service: &release.ServiceRoute{Name: "svc-internal"}}}
	tracker := runner.Client.Kubernetes.(*fake.Clientset).Tracker()
	prepend("*", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		if s.dead != nil {
			return true, nil, s.dead
		}
		patch, is := action.(clienttesting.PatchActionImpl)
		if is && patch.Name == "shop-green" && bytes.Contains(patch.Patch, []byte("/spec/replicas")) {
			_ = tracker.Delete(corev1.SchemeGroupVersion.WithResource("pods"), "shop", pod("green").Name) // as its controller would
		}
		if !is || patch.Resource.Resource != "services" || len(patch.PatchOptions.DryRun) > 0 {
			return false, nil, nil
		}
		s.wrote++
		if s.answers == nil {
			return false, nil, nil
		}
		err := s.answers(patch.Name)
		return err != nil, nil, err
	})
	s.Router = s.open()
	return s
}

func (s *setRunner) open() traffic.Router {
	s.t.Helper()
	router, err := traffic.NewRouter(s.Client, s.Release, s.Clock)
	if err != nil {
		s.t.Fatal(err)
	}
	return router
}

// again is another process over the same cluster.
func (s *setRunner) again() *Runner {
	return &Runner{Client: s.Client, Release: s.Release, Router: s.open(), Clock: s.Clock, Holder: "carl@desk/3", Journal: s.Journal}
}

// left leaves a run that was killed in a phase.
func (s *setRunner) left(phase Phase, intents ...journal.Entry) {
	s.t.Helper()
	tenure, err := s.Journal.Acquire(s.t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-153012-k7f3q"})
	if err != nil {
		s.t.Fatal(err)
	}
	state := State{Phase: phase, From: "blue", To: "green", Moved: true, Started: s.Clock.Now(), Entered: s.Clock.Now()}
	if err := tenure.Save(s.t.Context(), state, string(phase), intents...); err != nil {
		s.t.Fatal(err)
	}
	if err := tenure.Release(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// edit changes a Service past the runner.
func (s *setRunner) edit(name string, change func(*corev1.Service)) {
	s.t.Helper()
	services := s.Client.Kubernetes.CoreV1().Services("shop")
	service, err := services.Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	change(service)
	if _, err := services.Update(context.Background(), service, metav1.UpdateOptions{FieldManager: "kubectl-edit"}); err != nil {
		s.t.Fatal(err)
	}
}

// switched is what a switch from blue leaves on a Service.
func switched(service *corev1.Service) {
	service.Spec.Selector["version"] = "green"
	metav1.SetMetaDataAnnotation(&service.ObjectMeta, cluster.AnnotationPrevious, "blue=100")
}

// wantAll fails the test unless every Service gives everything to a colour.
func (s *setRunner) wantAll(color string) {
	s.t.Helper()
	route, err := s.open().Read(context.Background())
	if err != nil || !route.Split.Equal(traffic.Whole(color)) {
		s.t.Errorf("the set is %s, want %s=100, %v", route.Shares(), color, err)
	}
}

// refusals refuse the writes of a Service that would move it, so many of them;
// before those it lets the takeover's stamp pass.
func refusals(name string, err error, after, times int) func(string) error {
	return func(written string) error {
		if written != name {
			return nil
		}
		if after--; after >= 0 {
			return nil
		}
		if times--; times < 0 {
			return nil
		}
		return err
	}
}

// TestASecondWriteThatFailsLeavesBothWhereTheyWere: the run goes back, once, and
// says for how long the routes differed.
func TestASecondWriteThatFailsLeavesBothWhereTheyWere(t *testing.T) {
	for name, refusal := range map[string]error{
		"forbidden": apierrors.NewForbidden(corev1.Resource("services"), "svc-internal", errors.New("not you")),
		"conflict":  apierrors.NewConflict(corev1.Resource("services"), "svc-internal", errors.New("just now")),
		"broken":    apierrors.NewInternalError(errors.New("out of space")),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetRunner(t)
			s.left(Switch)
			s.answers = refusals("svc-internal", refusal, 1, 100)
			outcome, err := s.Resume(t.Context())
			if err != nil || outcome.Code != CodeRolledBack {
				t.Fatalf("outcome = %+v, %v", outcome, err)
			}
			s.wantAll("blue")
			for _, part := range []string{"svc-internal", "service/svc given back: the routes differed for", "are where they were"} {
				if !strings.Contains(outcome.Status.Reason, part) {
					t.Errorf("reason %q lacks %q", outcome.Status.Reason, part)
				}
			}
			// Two stamps, the switch of one, the one that fails, and the first given
			// back: nothing goes to and fro.
			if s.wrote != 5 {
				t.Errorf("the Services were written %d times", s.wrote)
			}
			run, err := s.Journal.Current(t.Context())
			if err != nil || len(journal.Open(run.Entries)) != 0 {
				t.Errorf("left open: %+v, %v", journal.Open(run.Entries), err)
			}
		})
	}
}

// TestAFrozenSetIsWhereItWas: what would go back by itself is held, with nothing
// mixed.
func TestAFrozenSetIsWhereItWas(t *testing.T) {
	s := newSetRunner(t)
	s.Release.Spec.Gates.OnFailure = release.PolicyFreeze
	s.left(Switch)
	s.answers = refusals("svc-internal", apierrors.NewInternalError(errors.New("out of space")), 1, 100)
	if outcome, err := s.Resume(t.Context()); err != nil || outcome.Code != CodeHeld {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	s.wantAll("blue")
}

// TestASetThatCouldNotBeGivenBackAtOnce: the run's way back does.
func TestASetThatCouldNotBeGivenBackAtOnce(t *testing.T) {
	s := newSetRunner(t)
	s.left(Switch)
	second := refusals("svc-internal", apierrors.NewInternalError(errors.New("out of space")), 1, 1)
	first := refusals("svc", apierrors.NewInternalError(errors.New("out of space")), 2, 1) // its stamp, its switch
	s.answers = func(name string) error { return errors.Join(second(name), first(name)) }
	outcome, err := s.Resume(t.Context())
	if err != nil || outcome.Code != CodeRolledBack {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	if want := "mixed (service/svc has green=100, service/svc-internal has blue=100)"; !strings.Contains(outcome.Status.Reason, want) {
		t.Errorf("reason %q lacks %q", outcome.Status.Reason, want)
	}
	s.wantAll("blue")
}

// TestASetIsSwitched: and says for how long its routes differed.
func TestASetIsSwitched(t *testing.T) {
	s := newSetRunner(t)
	driving(t, s.Runner, release.DrainNone)
	if err := s.takeOver(t.Context(), nil, State{}); err != nil {
		t.Fatal(err)
	}
	seen := s.look(t.Context(), at(Switch, moved, func(state *State) { state.Entered = s.Clock.Now() }))
	if want := "service/svc + service/svc-internal blue=100 → green=100, written in "; seen.Kind != Succeeded || !strings.HasPrefix(seen.Message, want) ||
		!strings.Contains(seen.Message, "; 2 routes, differed for ") {
		t.Errorf("switch = %s (%s)", seen.Kind, seen.Message)
	}
	s.wantAll("green")
}

// TestASetThatWasLeftInTheMidst: a run that was killed between two writes goes on,
// and goes back, with a record and by the live objects alone.
func TestASetThatWasLeftInTheMidst(t *testing.T) {
	open := journal.Entry{Kind: journal.Intent, Action: "switch", Object: "service/svc + service/svc-internal"}
	t.Run("rollback", func(t *testing.T) {
		s := newSetRunner(t)
		s.edit("svc", switched)
		s.left(Switch, open)
		if outcome, err := s.Rollback(t.Context(), RollbackRequest{Reason: "asked"}); err != nil || outcome.Code != CodeDone {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		s.wantAll("blue")
	})
	t.Run("rollback without a record", func(t *testing.T) {
		s := newSetRunner(t)
		s.edit("svc", switched)
		if outcome, err := s.Rollback(t.Context(), RollbackRequest{Reason: "asked"}); err != nil || outcome.Code != CodeDone {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		s.wantAll("blue")
	})
	t.Run("rollback of a rollback without a record", func(t *testing.T) {
		s := newSetRunner(t)
		s.edit("svc", switched)
		s.edit("svc-internal", func(service *corev1.Service) {
			metav1.SetMetaDataAnnotation(&service.ObjectMeta, cluster.AnnotationPrevious, "green=100")
		})
		if outcome, err := s.Rollback(t.Context(), RollbackRequest{Reason: "asked"}); err != nil || outcome.Code != CodeDone {
			t.Fatalf("outcome = %+v, %v", outcome, err)
		}
		s.wantAll("blue")
	})
	t.Run("shift", func(t *testing.T) {
		s := newSetRunner(t)
		s.edit("svc", switched)
		if _, err := s.Shift(t.Context(), ShiftRequest{}); err == nil || !strings.Contains(err.Error(), "mixed (service/svc has green=100, service/svc-internal has blue=100)") {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("resume", func(t *testing.T) {
		s := newSetRunner(t)
		s.edit("svc", switched)
		driving(t, s.Runner, release.DrainNone)
		if err := s.takeOver(t.Context(), nil, State{}); err != nil {
			t.Fatal(err)
		}
		if found := s.found(t.Context(), open); !strings.Contains(found, "mixed (service/svc has green=100") {
			t.Errorf("found %q", found)
		}
		if seen := s.look(t.Context(), at(Switch, moved, func(state *State) { state.Entered = s.Clock.Now() })); seen.Kind != Succeeded {
			t.Errorf("switch = %s (%s)", seen.Kind, seen.Message)
		}
		s.wantAll("green")
	})
}

// TestASetWhoseProcessIsKilledAtAnyWrite: wherever that is, a rollback by another
// process has all routes on blue.
func TestASetWhoseProcessIsKilledAtAnyWrite(t *testing.T) {
	for after := range 4 { // two stamps, two switches
		for _, made := range []bool{true, false} {
			t.Run(fmt.Sprintf("write %d, made: %v", after+1, made), func(t *testing.T) {
				s := newSetRunner(t)
				s.left(Switch)
				s.killedAt(t, after, made, func(ctx context.Context) { _, _ = s.Resume(ctx) })
				wantBack(t, s.again())
				s.wantAll("blue")
			})
		}
	}
}

// TestASetIsGuarded: what happens to any of its routes is seen within one look,
// the weightiest first.
func TestASetIsGuarded(t *testing.T) {
	annotate := func(key, value string) func(*corev1.Service) {
		return func(service *corev1.Service) { metav1.SetMetaDataAnnotation(&service.ObjectMeta, key, value) }
	}
	stop := annotate(cluster.AnnotationStop, "orders are doubled")
	edited := func(service *corev1.Service) { service.Spec.Selector["version"] = "blue" }
	for name, test := range map[string]struct {
		first, second func(*corev1.Service)
		want          Kind
		says          string
	}{
		"as this run left it":      {want: Succeeded},
		"an edit of the second":    {second: edited, want: Rival, says: "service/svc-internal was changed to blue=100 by kubectl-edit"},
		"a takeover of the second": {second: annotate(cluster.AnnotationEpoch, "99"), want: Rival, says: "service/svc-internal was taken over"},
		"the second is made anew":  {second: func(service *corev1.Service) { service.Annotations = nil }, want: Rival, says: "service/svc-internal was replaced"},
		"a stop of the second":     {second: stop, want: Stopped, says: "orders are doubled"},
		"a stop beside an edit":    {first: edited, second: stop, want: Stopped, says: "orders are doubled"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetRunner(t)
			for _, service := range setServices {
				s.edit(service, switched)
			}
			driving(t, s.Runner, release.DrainNone)
			if err := s.takeOver(t.Context(), nil, State{}); err != nil {
				t.Fatal(err)
			}
			for i, change := range []func(*corev1.Service){test.first, test.second} {
				if change != nil {
					s.edit(setServices[i], change)
				}
			}
			if _, seen := s.guard(t.Context(), at(Watch, moved)); seen.Kind != test.want || !strings.Contains(seen.Message, test.says) {
				t.Errorf("guard = %s (%s), want %s and %q", seen.Kind, seen.Message, test.want, test.says)
			}
		})
	}
}

// TestThePlanOfASet has a write for each route, in their order.
func TestThePlanOfASet(t *testing.T) {
	s := newSetRunner(t)
	plan, err := s.DryRun(t.Context(), ShiftRequest{}, true)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, write := range plan.Writes {
		if strings.HasPrefix(write.Object, "service/") {
			found = append(found, fmt.Sprintf("%s %s: %s → %s", write.Phase, write.Object, write.From, write.To))
		}
	}
	want := []string{
		"preflight service/svc:  → stamped with epoch 1", "preflight service/svc-internal:  → stamped with epoch 1",
		"switch service/svc: blue=100 → green=100", "switch service/svc-internal: blue=100 → green=100",
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	if s.wrote != 0 || !strings.Contains(plan.Undo, "svc-internal") {
		t.Errorf("%d writes; undo %s", s.wrote, plan.Undo)
	}
}

// TestManifestsMustHoldNoRouteOfASet: neither of them.
func TestManifestsMustHoldNoRouteOfASet(t *testing.T) {
	s := newSetRunner(t)
	manifestsOf(t, s.Runner, "green", "apiVersion: v1\nkind: Service\nmetadata: {name: svc-internal}\nspec: {selector: {version: green}}\n")
	if _, err := s.DryRun(t.Context(), ShiftRequest{}, false); err == nil || !strings.Contains(err.Error(), "they hold service/svc-internal, the production route") {
		t.Errorf("err = %v", err)
	}
}
