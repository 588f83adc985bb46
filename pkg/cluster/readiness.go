package cluster

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// Readiness says how far an object has come. Done means that nothing more
// will happen by itself; Successful is only true when Done is.
type Readiness struct {
	Done       bool   `json:"done"`
	Successful bool   `json:"successful"`
	Message    string `json:"message"`
	// Obstacle is why a controller can't make the pods that it should, "" where it
	// can.
	Obstacle string `json:"obstacle,omitempty"`
}

func ready(format string, args ...any) Readiness {
	return Readiness{Done: true, Successful: true, Message: fmt.Sprintf(format, args...)}
}

func waiting(format string, args ...any) Readiness {
	return Readiness{Message: fmt.Sprintf(format, args...)}
}

func failed(format string, args ...any) Readiness {
	return Readiness{Done: true, Message: fmt.Sprintf(format, args...)}
}

// PodEnded reports whether a pod has ended for good and serves nothing, such as one
// that was evicted.
func PodEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// PodReadiness judges one pod: ready when its Ready condition is true and it
// is not being deleted. A container that waits in a back-off is not done, as
// the kubelet tries again; the message names the reason.
func PodReadiness(pod *corev1.Pod) Readiness {
	switch {
	case pod.DeletionTimestamp != nil:
		return waiting("pod %s is being deleted", pod.Name)
	case pod.Status.Phase == corev1.PodFailed:
		return failed("pod %s failed: %s", pod.Name, orElse(pod.Status.Message, pod.Status.Reason, "no reason given"))
	case pod.Status.Phase == corev1.PodSucceeded:
		return failed("pod %s has ended", pod.Name)
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return ready("pod %s is ready", pod.Name)
		}
	}
	return waiting("pod %s is not ready: %s", pod.Name, podObstacle(pod))
}

// podObstacle is the most telling reason why a pod is not ready.
func podObstacle(pod *corev1.Pod) string {
	for _, status := range containerStatuses(pod) {
		if wait := status.State.Waiting; wait != nil && wait.Reason != "" && wait.Reason != "PodInitializing" {
			return fmt.Sprintf("container %s: %s", status.Name, wait.Reason)
		}
		if end := status.State.Terminated; end != nil && end.ExitCode != 0 {
			return fmt.Sprintf("container %s exited with code %d", status.Name, end.ExitCode)
		}
	}
	if refusal, ok := unscheduled(pod); ok {
		return orElse(refusal.Message, refusal.Reason, "not scheduled")
	}
	for _, status := range pod.Status.ContainerStatuses {
		if !status.Ready && status.State.Running != nil {
			return fmt.Sprintf("container %s has not passed its readiness probe", status.Name)
		}
	}
	return "it is still starting"
}

// containerStatuses are those of a pod's containers in the order in which they start.
func containerStatuses(pod *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses)
}

// unscheduled is the scheduler's refusal of a pod.
func unscheduled(pod *corev1.Pod) (corev1.PodCondition, bool) {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return condition, true
		}
	}
	return corev1.PodCondition{}, false
}

// DeploymentReadiness judges a Deployment as `kubectl rollout status` does:
// ready when every replica runs the current template, is available, and no
// replica of an older template is left.
func DeploymentReadiness(deployment *appsv1.Deployment) Readiness {
	want, status := ptr.Deref(deployment.Spec.Replicas, 1), deployment.Status
	name := "deployment " + deployment.Name
	if deployment.Generation > status.ObservedGeneration {
		return waiting("%s: its newest spec has not been seen by its controller", name)
	}
	for _, condition := range status.Conditions {
		if condition.Type == appsv1.DeploymentProgressing && condition.Reason == "ProgressDeadlineExceeded" {
			return failed("%s made no progress within its deadline: %d/%d replicas are available", name, status.AvailableReplicas, want)
		}
	}
	switch {
	case status.UpdatedReplicas < want:
		short := waiting("%s: %d/%d replicas run the newest template", name, status.UpdatedReplicas, want)
		for _, condition := range status.Conditions {
			if condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue {
				short.Obstacle = condition.Message
			}
		}
		return short
	case status.Replicas > status.UpdatedReplicas:
		return waiting("%s: %d replicas of an older template are left", name, status.Replicas-status.UpdatedReplicas)
	case status.AvailableReplicas < want:
		return waiting("%s: %d/%d replicas are available", name, status.AvailableReplicas, want)
	}
	return ready("%s: %d/%d replicas are available", name, status.AvailableReplicas, want)
}

// StatefulSetReadiness judges a StatefulSet as `kubectl rollout status` does.
// With the OnDelete strategy the controller replaces nothing by itself, so
// pods of an older template do not count against it.
func StatefulSetReadiness(set *appsv1.StatefulSet) Readiness {
	want, status := ptr.Deref(set.Spec.Replicas, 1), set.Status
	name := "statefulset " + set.Name
	if set.Generation > status.ObservedGeneration {
		return waiting("%s: its newest spec has not been seen by its controller", name)
	}
	if status.ReadyReplicas < want || status.Replicas > want {
		return waiting("%s: %d/%d replicas are ready", name, status.ReadyReplicas, want)
	}
	if set.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType {
		updated := want
		if rolling := set.Spec.UpdateStrategy.RollingUpdate; rolling != nil {
			updated -= min(ptr.Deref(rolling.Partition, 0), want)
		}
		if status.UpdatedReplicas < updated && status.CurrentRevision != status.UpdateRevision {
			return waiting("%s: %d/%d replicas run the newest template", name, status.UpdatedReplicas, updated)
		}
	}
	return ready("%s: %d/%d replicas are ready", name, status.ReadyReplicas, want)
}

// orElse is the first text that is not empty.
func orElse(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
