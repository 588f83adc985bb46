package traffic

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
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
	marks := map[string]string{LabelPurpose: PurposeTermination}
	for _, source := range []map[string]string{workload.Object.GetLabels(), workload.Template.Labels} {
		if name, found := source[cluster.LabelRelease]; found {
			marks[cluster.LabelRelease] = name
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
			Name:        spareName(workload.Ref) + rand.String(5),
			Namespace:   namespace,
			Labels:      marks,
			Annotations: annotations,
		},
		Spec: *spec,
	}
}

// spareName is what the name of a workload's spare pod begins with.
func spareName(workload release.Workload) string {
	base := workload.Name
	if len(base) > spareNameLength {
		base = strings.TrimRight(base[:spareNameLength], "-.")
	}
	return base + "-spare-"
}

// SparePods are the pods that trials of ProveTermination have made of a
// workload's template and not removed, for they were killed. Those that end
// already are not among them.
func SparePods(ctx context.Context, client *cluster.Client, namespace string, workload release.Workload) ([]corev1.Pod, error) {
	pods, err := client.Pods(ctx, namespace, labels.SelectorFromSet(labels.Set{LabelPurpose: PurposeTermination}))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(pods, func(pod corev1.Pod) bool {
		random, its := strings.CutPrefix(pod.Name, spareName(workload))
		return !its || strings.Contains(random, "-") || pod.DeletionTimestamp != nil
	}), nil
}

// RemoveSparePods deletes spare pods, the very ones that were found. One that
// is gone by then is no error.
func RemoveSparePods(ctx context.Context, client *cluster.Client, namespace string, pods []corev1.Pod) error {
	for _, pod := range pods {
		options := metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}
		if err := client.Kubernetes.CoreV1().Pods(namespace).Delete(ctx, pod.Name, options); err != nil && !isGone(err) {
			return fmt.Errorf("remove spare pod %s: %w", pod.Name, err)
		}
	}
	return nil
}

// gracePeriod is how long a pod may take to end: 30 s unless it says.
func gracePeriod(spec corev1.PodSpec) time.Duration {
	return time.Duration(ptr.Deref(spec.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)) * time.Second
}

// isGone reports whether a deletion failed because the object, or the one of
// that UID, is no more.
func isGone(err error) bool { return apierrors.IsNotFound(err) || apierrors.IsConflict(err) }
