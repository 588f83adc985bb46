package rollout

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// workloads reads the workloads of a colour. A workload that does not exist
// is an error.
func (r *Runner) workloads(ctx context.Context, color string) ([]*cluster.Workload, error) {
	var found []*cluster.Workload
	for _, reference := range r.Release.Spec.Colors[color].Workloads {
		workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, reference)
		if err != nil {
			return nil, err
		}
		found = append(found, workload)
	}
	return found, nil
}

// present reads the workloads of a colour that exist; missing is set when one
// of them does not.
func (r *Runner) present(ctx context.Context, color string) (found []*cluster.Workload, missing bool, err error) {
	for _, reference := range r.Release.Spec.Colors[color].Workloads {
		workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, reference)
		switch {
		case apierrors.IsNotFound(err):
			missing = true
		case err != nil:
			return nil, false, err
		default:
			found = append(found, workload)
		}
	}
	return found, missing, nil
}

// remaining counts the pods of a colour that may still answer, those that are
// ending among them. What a workload that was deleted has left behind is what
// the route itself would select.
func (r *Runner) remaining(ctx context.Context, color string) (int, error) {
	workloads, missing, err := r.present(ctx, color)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, workload := range workloads {
		pods, err := r.Client.Pods(ctx, r.Release.Metadata.Namespace, workload.Selector)
		if err != nil {
			return 0, err
		}
		for index := range pods {
			if !cluster.PodEnded(&pods[index]) {
				count++
			}
		}
	}
	if !missing {
		return count, nil
	}
	orphans, err := r.Router.Receivers(ctx, color)
	return max(count, orphans), err
}

// readiness counts a colour's ready pods and the pods that it wants.
func (r *Runner) readiness(ctx context.Context, color string) (ready, wanted int, err error) {
	workloads, err := r.workloads(ctx, color)
	if apierrors.IsNotFound(err) {
		return 0, 0, nil
	}
	for _, workload := range workloads {
		ready += int(workload.ReadyReplicas)
		wanted += int(workload.Replicas)
	}
	return ready, wanted, err
}

// pods lists the pods of a colour's workloads that are not going away.
func (r *Runner) pods(ctx context.Context, color string) ([]corev1.Pod, error) {
	workloads, err := r.workloads(ctx, color)
	if err != nil {
		return nil, err
	}
	var found []corev1.Pod
	for _, workload := range workloads {
		pods, err := r.Client.Pods(ctx, r.Release.Metadata.Namespace, workload.Selector)
		if err != nil {
			return nil, err
		}
		for _, pod := range pods {
			if pod.DeletionTimestamp == nil && !cluster.PodEnded(&pod) {
				found = append(found, pod)
			}
		}
	}
	return found, nil
}
