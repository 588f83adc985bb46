package cluster

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestStuck(t *testing.T) {
	waits := func(reason, message string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled", Message: "password=hunter2"}}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	const pulled = "container app: its image registry/app:v2 can't be pulled"
	for name, test := range map[string]struct {
		status corev1.ContainerStatus
		want   string
	}{
		"well":                     {corev1.ContainerStatus{Ready: true, State: running, LastTerminationState: ended}, ""},
		"on its way":               {corev1.ContainerStatus{State: waits("ContainerCreating", "")}, ""},
		"not yet through a probe":  {corev1.ContainerStatus{State: running}, ""},
		"an image that is not":     {corev1.ContainerStatus{State: waits("ErrImagePull", "not found")}, pulled},
		"again":                    {corev1.ContainerStatus{State: waits("ImagePullBackOff", "back-off")}, pulled},
		"a Secret that is not":     {corev1.ContainerStatus{State: waits("CreateContainerConfigError", `secret "db" not found`)}, `container app: CreateContainerConfigError secret "db" not found`},
		"a name that is none":      {corev1.ContainerStatus{State: waits("InvalidImageName", "x")}, "container app: InvalidImageName"},
		"ended":                    {corev1.ContainerStatus{State: ended}, "container app ended with exit code 137 (OOMKilled)"},
		"ended, and to begin anew": {corev1.ContainerStatus{State: waits("CrashLoopBackOff", "back-off"), LastTerminationState: ended}, "container app ended with exit code 137 (OOMKilled)"},
		"ended, and begun anew":    {corev1.ContainerStatus{State: running, LastTerminationState: ended}, "container app ended with exit code 137 (OOMKilled)"},
	} {
		test.status.Name, test.status.Image = "app", "registry/app:v2"
		pod := &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{test.status}}}
		if got := Stuck(pod); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	unscheduled := &corev1.Pod{Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "0/3 nodes are available: 3 Insufficient cpu."}}}}
	if got, want := Stuck(unscheduled), "no node takes it: 0/3 nodes are available: 3 Insufficient cpu."; got != want {
		t.Errorf("unscheduled: %q, want %q", got, want)
	}
}
