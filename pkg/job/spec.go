package job

import (
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// Purpose is what a Job is for. It is the value of LabelPurpose.
type Purpose string

// The purposes.
const (
	PurposeShift Purpose = "shift"
	PurposeGuard Purpose = "guard"
)

// The labels and annotations of a Job, its pods and its ConfigMap.
const (
	// LabelPurpose says what they are for; cluster.LabelRelease says of what.
	LabelPurpose = "bluegreen.dev/purpose"
	// LabelJob is the Job's name.
	LabelJob = "bluegreen.dev/job"
	// AnnotationRun is the run's id. It is no label: past runs have that.
	AnnotationRun = "bluegreen.dev/run"
)

// Spec is what a Job is made from.
type Spec struct {
	Namespace string
	// Release is the release's name, RunID the id of the run.
	Release string
	RunID   string
	// Image is the reference of this program's image, PullSecret the Secret
	// to pull it with, "" for none.
	Image      string
	PullSecret string
	// ServiceAccount is who the pod is.
	ServiceAccount string
	// Bundle are the files of the release.
	Bundle Bundle
	// Args are further arguments of the verb, as a person would type them.
	Args []string
}

// Watch is what a guard is told.
type Watch struct {
	// Silence is how long a holder may be silent.
	Silence time.Duration
	// Policy is what the guard does then: rollback, hold or continue.
	Policy string
}

// Objects are what is created for one Job.
type Objects struct {
	Job    *batchv1.Job
	Config *corev1.ConfigMap
}

// Detached is the Job that carries a run to the target colour, "" for the idle
// one.
func Detached(spec Spec, target string) (Objects, error) {
	var args []string
	if target != "" {
		args = []string{"--to", target}
	}
	return build(spec, PurposeShift, args)
}

// Guard is the Job that watches a run which another process drives.
func Guard(spec Spec, watch Watch) (Objects, error) {
	return build(spec, PurposeGuard, []string{"--silence", watch.Silence.String(), "--policy", watch.Policy})
}

// nameLimit bounds the name of a Job: Kubernetes gives it to the Job's pods as
// the value of a label.
const nameLimit = 63

// name is the Job's and the ConfigMap's: bluegreen-<release>-<purpose>-<run>.
// A long name of a release is cut; the run's id is what makes it unique.
func (s Spec) name(purpose Purpose) string {
	behind := fmt.Sprintf("-%s-%s", purpose, s.RunID)
	before := "bluegreen-" + s.Release
	return strings.TrimRight(before[:min(len(before), nameLimit-len(behind))], "-.") + behind
}
