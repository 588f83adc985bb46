package preflight

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Outdated are pods that were started before what they take variables from was
// written: they run with what it said before.
type Outdated struct {
	Workload, Object string
	Written          cluster.Written
	// Pods is how many; Started is when the first of them was.
	Pods    int
	Started time.Time
}

// clockSkew is by how much the clock of a node may differ from the API server's.
const clockSkew = 5 * time.Second

// outdated are the pods of a colour that run with variables of before.
func outdated(ctx context.Context, in Inputs, color Color) ([]Outdated, error) {
	if !color.Owned.Known { // which it isn't either where the workloads aren't
		return nil, release.WithHint(errors.New(color.Owned.Problem), color.Owned.Remedy)
	}
	found := []Outdated{}
	for _, workload := range color.Workloads.Value {
		for _, given := range cluster.GivenTo(&workload.Template.Spec) {
			if !given.AsVariables {
				continue
			}
			written, err := in.Client.LastWritten(ctx, in.namespace(), given)
			if err != nil {
				return nil, err
			}
			one := Outdated{Workload: workload.Ref.String(), Object: given.String(), Written: written}
			for _, pod := range color.Owned.Value {
				one.count(pod, workload.Selector, given)
			}
			if one.Pods > 0 {
				found = append(found, one)
			}
		}
	}
	return found, nil
}

// count counts a pod, if it is of a workload and was started before.
func (o *Outdated) count(pod corev1.Pod, selector labels.Selector, given cluster.Given) {
	started := startedAt(pod)
	isGiven := slices.Contains(cluster.GivenTo(&pod.Spec), given)
	if started.IsZero() || pod.DeletionTimestamp != nil || !isGiven || !selector.Matches(labels.Set(pod.Labels)) || !o.Written.Time.After(started.Add(clockSkew)) {
		return
	}
	o.Pods++
	if o.Started.IsZero() || started.Before(o.Started) {
		o.Started = started
	}
}

// startedAt is when the first of a pod's containers that run was started, the zero time
// where none does. One that is started again reads its variables again.
func startedAt(pod corev1.Pod) time.Time {
	var first time.Time
	for _, status := range pod.Status.ContainerStatuses {
		if status.State.Running == nil {
			continue
		}
		if started := status.State.Running.StartedAt.Time; first.IsZero() || started.Before(first) {
			first = started
		}
	}
	return first
}
