package job

import (
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// progress is how far a pod that should start has come.
type progress struct {
	// doing is what is waited for.
	doing string
	// stuck is set when waiting won't help.
	stuck *StartError
}

// The remedies.
const (
	remedyImage = "name an image that the nodes can pull with --image, and the Secret that it takes with --image-pull-secret; " +
		"kubectl bluegreen image push makes one in a registry of yours, kubectl bluegreen image save an archive to load into the nodes"
	remedyAccount = "ask an admin for it and its rights: kubectl bluegreen generate rbac --jobs, or name another with --service-account"
	remedyProgram = "see whether --image is an image of this program, of this version: kubectl bluegreen image save makes one"
	remedyQuota   = "make room in the quota of the namespace, or ask an admin to"
	remedyAdmit   = "ask an admin which policy of the cluster refuses the pod, and why"
)

// hopeless are the reasons of a container that does not get going by waiting,
// as the kubelet names them, each with its remedy.
func hopeless() map[string]string {
	return map[string]string{
		"ErrImagePull": remedyImage, "ImagePullBackOff": remedyImage, "InvalidImageName": remedyImage, "ErrImageNeverPull": remedyImage,
		"ImageInspectError": remedyImage, "RegistryUnavailable": remedyImage, "SignatureValidationFailed": remedyImage,
		"CreateContainerConfigError": "see what it says, and what --image names: kubectl bluegreen image save makes an image that fits",
		"CreateContainerError":       "see what it says, and what --image names: kubectl bluegreen image save makes an image that fits",
		"RunContainerError":          "see whether --image is an image of this program for the nodes' platform: kubectl bluegreen image save --platform",
		"StartError":                 "see whether --image is an image of this program for the nodes' platform: kubectl bluegreen image save --platform",
	}
}

// ofPod judges a pod.
func ofPod(job *batchv1.Job, pod corev1.Pod) progress {
	stuck := func(remedy, format string, values ...any) progress {
		return progress{stuck: &StartError{Job: job.Name, Code: 1, Reason: fmt.Sprintf(format, values...), Remedy: remedy}}
	}
	for _, container := range pod.Status.ContainerStatuses {
		state := container.State
		if ended := state.Terminated; ended != nil {
			if remedy, known := hopeless()[ended.Reason]; known {
				return stuck(remedy, "the container does not run: %s: %s", ended.Reason, brief(ended.Message))
			}
			return ofReport(job, *ended)
		}
		if state.Waiting == nil {
			continue
		}
		if remedy, known := hopeless()[state.Waiting.Reason]; known {
			return stuck(remedy, "the container of image %s does not run: %s: %s", job.Spec.Template.Spec.Containers[0].Image, state.Waiting.Reason, brief(state.Waiting.Message))
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return stuck(remedyAdmit, "its pod has failed: %s: %s", pod.Status.Reason, brief(pod.Status.Message))
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return progress{doing: "no node takes its pod: " + brief(condition.Message)}
		}
	}
	if pod.Status.Phase == corev1.PodRunning {
		return progress{doing: "its pod runs and has not begun yet"}
	}
	return progress{doing: "its pod is being started"}
}

// ofReport is a pod that ended before it began.
func ofReport(job *batchv1.Job, ended corev1.ContainerStateTerminated) progress {
	report, reported := ParseReport(ended.Message)
	switch {
	case report.Message == "":
		report = Report{Code: 1, Message: fmt.Sprintf("its pod ended with exit code %d (%s) and said nothing", ended.ExitCode, ended.Reason), Hint: remedyProgram}
	case !reported:
		report.Message, report.Hint = "its pod ended and said: "+brief(report.Message), remedyProgram
	}
	return progress{stuck: &StartError{Job: job.Name, Code: report.Code, Reason: report.Message, Remedy: report.Hint}}
}

// ofEvents says why a Job has no pod yet.
func ofEvents(job *batchv1.Job, events []corev1.Event) progress {
	for _, event := range events {
		if event.Reason != "FailedCreate" || event.InvolvedObject.UID != job.UID && job.UID != "" {
			continue
		}
		remedy := remedyAdmit
		switch {
		case strings.Contains(event.Message, "serviceaccount"):
			remedy = remedyAccount
		case strings.Contains(event.Message, "exceeded quota"):
			remedy = remedyQuota
		}
		return progress{stuck: &StartError{Job: job.Name, Code: 1, Reason: "its pod is refused: " + brief(event.Message), Remedy: remedy}}
	}
	return progress{doing: "it has no pod yet"}
}

// brief is what somebody else says, on one line and not too long.
func brief(text string) string {
	return cut(release.Redacted(strings.Join(strings.Fields(text), " ")), 400)
}
