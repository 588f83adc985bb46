package traffic

import (
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// LabelPurpose marks pods that the tool makes, and says what for.
const LabelPurpose = "bluegreen.dev/purpose"

// PurposeTermination is the purpose of ProveTermination's spare pod.
const PurposeTermination = "termination-trial"

// spareNameLength is how much of a workload's name the spare pod's name
// keeps, so that the whole stays a valid host name (63).
const spareNameLength = 40

// sparePod is a pod of the workload's template that belongs to nobody: with
// none of the template's labels no Service sends it traffic and no
// ReplicaSet or budget counts it. It is named here, not by the server, so
// that it can be removed even when the answer to its creation was lost.
func sparePod(namespace string, workload *cluster.Workload) *corev1.Pod {
	base := workload.Ref.Name
	if len(base) > spareNameLength {
		base = strings.TrimRight(base[:spareNameLength], "-.")
	}
	labels := map[string]string{LabelPurpose: PurposeTermination}
	for _, source := range []map[string]string{workload.Object.GetLabels(), workload.Template.Labels} {
		if release, found := source[cluster.LabelRelease]; found {
			labels[cluster.LabelRelease] = release
		}
	}
	annotations := maps.Clone(workload.Template.Annotations)
	// Its figures would mix with those of pods that have users.
	maps.DeleteFunc(annotations, func(key, _ string) bool { return strings.HasPrefix(key, "prometheus.io/") })
	spec := workload.Template.Spec.DeepCopy()
	spec.NodeName, spec.Hostname, spec.Subdomain = "", "", ""
	spec.ActiveDeadlineSeconds = ptr.To(int64(trialLeash / time.Second))
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:        base + "-spare-" + rand.String(5),
			Namespace:   namespace,
			Labels:      labels,
			Annotations: annotations,
		},
		Spec: *spec,
	}
}

// gracePeriod is how long a pod may take to end: 30 s unless it says.
func gracePeriod(spec corev1.PodSpec) time.Duration {
	return time.Duration(ptr.Deref(spec.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)) * time.Second
}

// isGone reports whether a deletion failed because the object, or the one of
// that UID, is no more.
func isGone(err error) bool { return apierrors.IsNotFound(err) || apierrors.IsConflict(err) }
