package cluster

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Stuck says what keeps a pod from becoming ready that waiting alone may not mend,
// "" for one that is well or merely on its way. It stays the same while the kubelet
// tries again, and repeats no word of a container.
func Stuck(pod *corev1.Pod) string {
	for _, status := range containerStatuses(pod) {
		if obstacle := stuckContainer(status); obstacle != "" {
			return "container " + status.Name + obstacle
		}
	}
	if refusal, ok := unscheduled(pod); ok {
		return "no node takes it: " + orElse(refusal.Message, refusal.Reason, "no reason given")
	}
	return ""
}

// stuckContainer says why a container does not get going, as what follows its name.
func stuckContainer(status corev1.ContainerStatus) string {
	if status.Ready {
		return ""
	}
	if waits := status.State.Waiting; waits != nil {
		switch waits.Reason {
		case "ErrImagePull", "ImagePullBackOff": // by turns
			return ": its image " + status.Image + " can't be pulled"
		case "CreateContainerConfigError":
			return ": " + strings.TrimSpace(waits.Reason+" "+waits.Message)
		case "CrashLoopBackOff", "ContainerCreating", "PodInitializing", "":
		default:
			return ": " + waits.Reason
		}
	}
	for _, state := range []corev1.ContainerState{status.State, status.LastTerminationState} {
		if end := state.Terminated; end != nil && end.ExitCode != 0 {
			return fmt.Sprintf(" ended with exit code %d (%s)", end.ExitCode, orElse(end.Reason, "no reason given"))
		}
	}
	return ""
}
