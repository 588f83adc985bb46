package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// heard keeps what a runner tells beyond readings that replace each other.
func heard(runner *Runner) *[]Event {
	told := &[]Event{}
	runner.Progress = func(event Event) {
		if !event.Transient {
			*told = append(*told, event)
		}
	}
	return told
}

// Pods that don't get going say why: at once and once to who looks on, in the record,
// and in what the phase ends with.
func TestPodsThatDoNotGetGoingAreTold(t *testing.T) {
	unready := deployment("green", 2)
	unready.Status.ReadyReplicas, unready.Status.AvailableReplicas = 0, 0
	stuck := pod("green")
	stuck.Status = corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Image: "shop:v2",
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}}}}}
	runner, _, _ := newRunner(t, unready, stuck)
	runner.policy = PolicyOf(runner.Release)
	told := heard(runner)
	state := State{Phase: WaitReady, From: "blue", To: "green", Entered: start}

	const trouble = "pods of deployment/shop-green do not get going: container app: its image shop:v2 can't be pulled"
	for range 3 {
		seen := runner.waitReady(t.Context(), state)
		seen.At = start
		if !strings.Contains(seen.Message, "0/2 replicas are available; "+trouble) {
			t.Fatalf("seen: %q", seen.Message)
		}
		state = Step(runner.policy, state, seen)
	}
	if state.Trouble != trouble || len(*told) != 1 || (*told)[0].Message != trouble || (*told)[0].Level != Warning {
		t.Errorf("kept %q, told %v", state.Trouble, *told)
	}
	if err := runner.Client.Kubernetes.CoreV1().Pods("shop").Delete(t.Context(), stuck.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	seen := runner.waitReady(t.Context(), state)
	seen.At = start
	if state = Step(runner.policy, state, seen); state.Trouble != "" || len(*told) != 2 || (*told)[1].Message != "over: "+trouble {
		t.Errorf("kept %q, told %v", state.Trouble, *told)
	}
}

// A rule that holds, and not for long enough yet, is told when it begins to and when
// it is over.
func TestARuleThatBeginsToHoldIsTold(t *testing.T) {
	runner, source, state := comparing(t, release.RelativeAdvance)
	runner.policy.Steps[0].Hold = release.Duration(time.Hour)
	clock := runner.Clock.(*clocktesting.FakeClock)
	told := heard(runner)
	state, _ = tickFor(t, runner, state, time.Minute)
	if state.Trouble != "" {
		t.Fatalf("a healthy release: %q", state.Trouble)
	}
	source.failing["green"] = 0.3
	state, _ = tickFor(t, runner, state, 10*time.Second)
	const trouble = "rollback-error-ratio: error ratio of green > 5 % for 1m counts against the release; begun "
	if state.Phase != Hold || !strings.HasPrefix(state.Trouble, trouble) {
		t.Fatalf("%s, %q", state.Phase, state.Trouble)
	}
	first := state.Trouble
	source.failing["green"] = 0.001
	for state.Trouble != "" && clock.Since(start) < time.Hour {
		if state.Trouble != first {
			t.Fatalf("%q became %q", first, state.Trouble)
		}
		state, _ = tickFor(t, runner, state, 10*time.Second)
	}
	*told = slices.DeleteFunc(*told, func(event Event) bool { return !strings.Contains(event.Message, "rollback-error-ratio") })
	if len(*told) != 2 || (*told)[0].Message != first || (*told)[0].Level != Warning || (*told)[1].Message != "over: "+first {
		t.Errorf("told %v", *told)
	}
}

// A rule that holds for long enough is not told to be over with the verdict.
func TestTroubleThatSendsBackIsNotOver(t *testing.T) {
	runner, source, state := comparing(t, release.RelativeAdvance)
	runner.policy.Steps[0].Hold = release.Duration(time.Hour)
	told := heard(runner)
	source.failing["green"] = 0.3
	if state, _ = tickFor(t, runner, state, time.Hour); state.Phase != Revert {
		t.Fatalf("%s: %s", state.Phase, state.Reason)
	}
	troubled := false
	for _, event := range *told {
		troubled = troubled || strings.HasPrefix(event.Message, "rollback-error-ratio: ")
		if strings.HasPrefix(event.Message, "over: ") {
			t.Errorf("told %q", event.Message)
		}
	}
	if !troubled {
		t.Errorf("told %v", *told)
	}
}

// Past its time a watch says how long the gate still has.
func TestAWatchPastItsTimeSaysHowLongTheGateHas(t *testing.T) {
	runner, _, state := comparing(t, release.RelativeAdvance)
	runner.policy.Steps[0].Hold = release.Duration(time.Minute)
	runner.policy.SourceDown.Deadline = release.Duration(2 * time.Minute)
	clock := runner.Clock.(*clocktesting.FakeClock)
	waits := gate.Decision{Waiting: "no requests of green"}
	for after, want := range map[time.Duration]string{
		30 * time.Second: "blue=50,green=50, 30s left, no requests of green",
		90 * time.Second: "blue=50,green=50, the gate has 1m30s to open: no requests of green",
	} {
		clock.SetTime(start.Add(after))
		if got := runner.headline(state, DataPlane{Following: Followed}, waits); got != want {
			t.Errorf("after %s: %q, want %q", after, got, want)
		}
	}
}
