package job

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/image"
)

const (
	// ContainerName is the pod's one container.
	ContainerName = "kubectl-bluegreen"
	// releaseFolder is where the files of the release are in the pod.
	releaseFolder = "/release"
	// workFolder is the one folder that the pod may write to.
	workFolder = "/work"
	// variablePod holds the pod's name, which is its run's holder.
	variablePod = "POD_NAME"
)

const (
	// retries is how many pods may fail before the Job gives up, the default
	// of Kubernetes: a pod that fails is one that could not do its work, and
	// the next goes on where it stopped.
	retries = 6
	// keptFor is how long a Job that has ended, its log and its ConfigMap stay:
	// a day, so that who comes to work the next morning can read them.
	keptFor = 24 * time.Hour
	// lostNode is how long a pod stays on a node that doesn't answer. The
	// default, 5 minutes, is half of the watch of the second runbook.
	lostNode = 30 * time.Second
)

// build makes the objects of one purpose.
func build(spec Spec, purpose Purpose, args []string) (Objects, error) {
	for what, value := range map[string]string{
		"namespace": spec.Namespace, "release": spec.Release, "run": spec.RunID, "image": spec.Image, "service account": spec.ServiceAccount,
	} {
		if value == "" {
			return Objects{}, errors.New("make a Job: it has no " + what)
		}
	}
	if len(spec.RunID) > nameLimit/2 {
		return Objects{}, fmt.Errorf("make a Job: the run's id %q is too long for its name", spec.RunID)
	}
	called := spec.name(purpose)
	meta := metav1.ObjectMeta{
		Name: called, Namespace: spec.Namespace,
		Labels:      map[string]string{cluster.LabelRelease: spec.Release, LabelPurpose: string(purpose), LabelJob: called},
		Annotations: map[string]string{AnnotationRun: spec.RunID},
	}
	config := &corev1.ConfigMap{ObjectMeta: *meta.DeepCopy(), Data: spec.Bundle.data()}
	return Objects{Config: config, Job: &batchv1.Job{
		ObjectMeta: *meta.DeepCopy(),
		Spec: batchv1.JobSpec{
			Parallelism: ptr.To[int32](1), Completions: ptr.To[int32](1),
			BackoffLimit:            ptr.To[int32](retries),
			TTLSecondsAfterFinished: ptr.To(int32(keptFor / time.Second)),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: podMeta(meta),
				Spec:       podSpec(spec, called, append(verb(spec, purpose), args...)),
			},
		},
	}}, nil
}

// verb is the command line of a purpose, up to what is its own.
func verb(spec Spec, purpose Purpose) []string {
	args := []string{
		"job", string(purpose), "--run", spec.RunID, "--holder", "$(" + variablePod + ")",
		"--report", TerminationLog, "--namespace", spec.Namespace, "--file", escaped(path.Join(releaseFolder, spec.Bundle.Document.Path)),
	}
	for _, word := range spec.Args {
		args = append(args, escaped(word))
	}
	return args
}

// escaped keeps Kubernetes from taking a word for a reference to a variable.
func escaped(word string) string { return strings.ReplaceAll(word, "$(", "$$(") }

// podMeta is the pods'. No mesh puts a proxy of its own beside the program:
// it would outlive it, and the Job would never complete; what it reaches, it
// reaches through the API server. No autoscaler of nodes moves a pod for which
// the next one would have to wait out a lease.
func podMeta(meta metav1.ObjectMeta) metav1.ObjectMeta {
	labels, annotations := map[string]string{"sidecar.istio.io/inject": "false"}, map[string]string{
		"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled",
		"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
	}
	for key, value := range meta.Labels {
		labels[key] = value
	}
	for key, value := range meta.Annotations {
		annotations[key] = value
	}
	return metav1.ObjectMeta{Labels: labels, Annotations: annotations}
}

// podSpec is one container of this program, as the restricted Pod Security
// standard wants it.
func podSpec(spec Spec, config string, args []string) corev1.PodSpec {
	pod := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		ServiceAccountName:            spec.ServiceAccount,
		AutomountServiceAccountToken:  ptr.To(true),
		EnableServiceLinks:            ptr.To(false),
		TerminationGracePeriodSeconds: ptr.To[int64](30),
		Tolerations:                   tolerations(),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To[int64](image.User), RunAsGroup: ptr.To[int64](image.User),
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{container(spec, args)},
		Volumes: []corev1.Volume{
			{Name: "release", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
				LocalObjectReference: corev1.LocalObjectReference{Name: config}, Items: spec.Bundle.items(),
			}}},
			{Name: "work", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}
	if spec.PullSecret != "" {
		pod.ImagePullSecrets = []corev1.LocalObjectReference{{Name: spec.PullSecret}}
	}
	return pod
}

func container(spec Spec, args []string) corev1.Container {
	return corev1.Container{
		Name: ContainerName, Image: spec.Image, ImagePullPolicy: corev1.PullIfNotPresent,
		Args: args, WorkingDir: workFolder,
		Env: []corev1.EnvVar{
			{Name: variablePod, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}},
			{Name: "HOME", Value: workFolder},
		},
		// A guard was seen to need 56 MB; the limit leaves room for a run that
		// reads the metrics of many pods.
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("64Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("500m"), corev1.ResourceMemory: resource.MustParse("256Mi")},
		},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: ptr.To(false), ReadOnlyRootFilesystem: ptr.To(true), Privileged: ptr.To(false),
			RunAsNonRoot: ptr.To(true), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		TerminationMessagePath: TerminationLog, TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		VolumeMounts: []corev1.VolumeMount{
			{Name: "release", MountPath: releaseFolder, ReadOnly: true},
			{Name: "work", MountPath: workFolder},
		},
	}
}

// tolerations let go of a node that doesn't answer early.
func tolerations() []corev1.Toleration {
	var all []corev1.Toleration
	for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		all = append(all, corev1.Toleration{
			Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute,
			TolerationSeconds: ptr.To(int64(lostNode / time.Second)),
		})
	}
	return all
}
