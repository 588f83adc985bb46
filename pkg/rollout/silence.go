package rollout

import (
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// A pod is silenced that has a secret which can't be read. What it wrote itself is
// kept nowhere then: not its logs, and not what others repeat of it.

// ofTheCluster are the reasons of events whose words are the cluster's own, as
// the kubelet, the scheduler and the controllers give them. Others, such as
// Unhealthy, may repeat what a container answered, or printed at its end.
func ofTheCluster() []string {
	return []string{
		"Scheduled", "FailedScheduling", "NotTriggerScaleUp", "TriggeredScaleUp", "Preempted", "Preempting", "Evicted", "NodeNotReady",
		"TaintManagerEviction", "Pulling", "Pulled", "BackOff", "Created", "Started", "Killing", "FailedMount", "FailedAttachVolume",
		"SuccessfulAttachVolume", "FailedCreatePodSandBox", "SandboxChanged",
	}
}

// plainly matches what else the kubelet says without a word of the container's.
var plainly = regexp.MustCompile(`^(?:(?:Readiness|Liveness|Startup) probe failed: HTTP probe failed with statuscode: \d+$` +
	`|Failed to pull image |Error: (?:ErrImagePull|ImagePullBackOff|ErrImageNeverPull|secret "|configmap "|couldn't find key ))`)

// silenceEvent leaves out of an event about a pod what may be the pod's words.
func silenceEvent(event *corev1.Event) {
	if !slices.Contains(ofTheCluster(), event.Reason) && !plainly.MatchString(event.Message) {
		event.Message = leftOut
	}
}

// silenceStatus leaves out of a pod's status what its containers said at their
// end, which may be the last lines of their logs.
func silenceStatus(status *corev1.PodStatus) {
	for _, statuses := range [][]corev1.ContainerStatus{status.InitContainerStatuses, status.ContainerStatuses, status.EphemeralContainerStatuses} {
		for index := range statuses {
			for _, state := range []corev1.ContainerState{statuses[index].State, statuses[index].LastTerminationState} {
				if state.Terminated != nil && state.Terminated.Message != "" {
					state.Terminated.Message = leftOut
				}
			}
		}
	}
}
