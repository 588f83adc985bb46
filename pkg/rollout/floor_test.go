package rollout

import (
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// autoscaler scales the Deployment of a colour.
func autoscaler(color string, floor int32, annotations map[string]string) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-" + color, Namespace: "shop", Annotations: annotations},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{MinReplicas: ptr.To(floor), MaxReplicas: 10,
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "shop-" + color}},
	}
}

// floorOf reads what an autoscaler may go down to.
func floorOf(t *testing.T, runner *Runner, color string) int32 {
	t.Helper()
	found, err := runner.Client.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers("shop").Get(t.Context(), "shop-"+color, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return *found.Spec.MinReplicas
}

// TestFloorIsHeldAndGivenBack: the old side stays as large as it is, with an
// intent before each write, and gets its floor back.
func TestFloorIsHeldAndGivenBack(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 6), deployment("green", 6), autoscaler("blue", 2, nil), autoscaler("green", 2, nil))
	driving(t, runner, release.DrainNone)
	state := at(HoldFloor, moved)
	for range 2 { // the second time there is nothing left to do
		if seen := runner.holdFloor(t.Context(), state); seen.Kind != Succeeded {
			t.Fatalf("hold floor = %s (%s)", seen.Kind, seen.Message)
		}
	}
	if blue, green := floorOf(t, runner, "blue"), floorOf(t, runner, "green"); blue != 6 || green != 2 {
		t.Errorf("floors are blue %d and green %d, want 6 and 2", blue, green)
	}
	state.Phase = GiveBack
	if seen := runner.giveBackFloor(t.Context(), state); seen.Kind != Succeeded || !strings.Contains(seen.Message, "1 floors") {
		t.Errorf("give back = %s (%s)", seen.Kind, seen.Message)
	}
	if blue := floorOf(t, runner, "blue"); blue != 2 {
		t.Errorf("blue's floor is %d, want its own 2", blue)
	}
	var kinds []journal.Kind
	for _, entry := range runner.tenure.Run().Entries {
		kinds = append(kinds, entry.Kind)
	}
	if len(kinds) != 4 || kinds[0] != journal.Intent || kinds[1] != journal.Result || kinds[2] != journal.Intent {
		t.Errorf("recorded %v", kinds)
	}
}

// TestFloorThatSomebodySetIsLeft: what somebody set in mid-watch stays, and the
// record says so and who it was.
func TestFloorThatSomebodySetIsLeft(t *testing.T) {
	raised := autoscaler("blue", 4, map[string]string{cluster.AnnotationFloor: "2", cluster.AnnotationFloorHeld: "6"})
	raised.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl-edit", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:minReplicas":{}}}`)}}
	runner, _, _ := newRunner(t, deployment("blue", 6), deployment("green", 6), raised)
	driving(t, runner, release.DrainNone)
	var told []string
	runner.Progress = func(event Event) { told = append(told, event.Message) }
	seen := runner.giveBackFloor(t.Context(), at(GiveBack, moved))
	if seen.Kind != Succeeded || seen.Quiet || !strings.Contains(seen.Message, "1 left as somebody set them") {
		t.Errorf("give back = %s (%s)", seen.Kind, seen.Message)
	}
	if floor := floorOf(t, runner, "blue"); floor != 4 {
		t.Errorf("blue's floor is %d, want the 4 that somebody set", floor)
	}
	if text := strings.Join(told, "\n"); !strings.Contains(text, "horizontalpodautoscaler/shop-blue keeps the minReplicas of 4 that kubectl-edit set") {
		t.Errorf("told: %s", text)
	}
	entries := runner.tenure.Run().Entries
	if len(entries) == 0 || entries[0].Kind != journal.Intent || !strings.Contains(string(entries[0].Data), `"setBy":"kubectl-edit"`) {
		t.Errorf("recorded %+v", entries)
	}
}

// A rollback by the live objects alone gives back what a run before it raised.
func TestRollbackGivesTheFloorBack(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"),
		autoscaler("blue", 5, map[string]string{cluster.AnnotationFloor: "2"}))
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	if floor := floorOf(t, runner, "blue"); floor != 2 {
		t.Errorf("blue's floor is %d, want 2", floor)
	}
}

// Who may not write to autoscalers shifts all the same, and is told what that
// costs; what may pass is waited for.
func TestFloorThatCantBeHeld(t *testing.T) {
	for name, test := range map[string]struct {
		failure error
		want    Kind
	}{
		"a right is missing": {forbidden("patch", "horizontalpodautoscalers", "shop-blue"), Succeeded},
		"its controller was faster": {apierrors.NewConflict(autoscalingv2.Resource("horizontalpodautoscalers"), "shop-blue", cluster.ErrFenced),
			Waiting},
		"the server is away":          {apierrors.NewServiceUnavailable("away"), Waiting},
		"the server is away for long": {apierrors.NewServiceUnavailable("away"), Succeeded},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, prepend := newRunner(t, deployment("blue", 6), deployment("green", 6), autoscaler("blue", 2, nil))
			driving(t, runner, release.DrainNone)
			prepend("patch", "horizontalpodautoscalers", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, test.failure })
			warned := false
			runner.Progress = func(event Event) { warned = warned || event.Level == Warning }
			state := at(HoldFloor, moved)
			if state.Entered = runner.Clock.Now(); strings.HasSuffix(name, "for long") {
				state.Entered = state.Entered.Add(-runner.policy.Deadlines.Reroute.Std() / 2)
			}
			seen := runner.holdFloor(t.Context(), state)
			if seen.Kind != test.want || warned != (test.want == Succeeded) {
				t.Errorf("hold floor = %s (%s), warned %v; want %s", seen.Kind, seen.Message, warned, test.want)
			}
		})
	}
}

// What had nothing to do is in the record, and is no line of progress.
func TestNothingToDoIsNotTold(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
	driving(t, runner, release.DrainNone)
	runner.Progress = func(event Event) { t.Errorf("told: %s", event.Message) }
	before := at(HoldFloor, moved)
	seen := runner.holdFloor(t.Context(), before)
	after := Step(testPolicy(), before, seen)
	runner.tellTransition(before, after, seen)
	if entry := runner.transition(before, after, seen); !strings.Contains(entry.Message, "no autoscaler") {
		t.Errorf("recorded %+v", entry)
	}
}
