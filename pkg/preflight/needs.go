package preflight

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// coming are pods of one workload that a shift will make: those that are
// wanted and not there, and the surge above them while a new template rolls
// out.
type coming struct {
	spec           corev1.PodSpec
	missing, surge int
}

// podsToCome are those of the target. Only manifests that are applied to pods
// that run can roll them; a first roll-out, or one from zero, makes no surge.
func podsToCome(facts *Facts) []coming {
	target := facts.target()
	_, applied := facts.Manifests[target.Name]
	var pods []coming
	for _, workload := range target.Workloads.Value {
		part := coming{spec: workload.Template.Spec, missing: max(0, int(workload.Replicas)-existing(workload, target.Owned.Value))}
		if applied && !target.Planned {
			part.surge = int(workload.MaxSurge)
		}
		pods = append(pods, part)
	}
	return pods
}

// existing counts the pods of a workload that need not be made again.
func existing(workload cluster.Workload, owned []corev1.Pod) int {
	count := 0
	for _, pod := range owned {
		ended := pod.DeletionTimestamp != nil || cluster.PodEnded(&pod)
		if !ended && workload.Selector.Matches(labels.Set(pod.Labels)) {
			count++
		}
	}
	return count
}

// needs is what pods that do not exist yet will ask for.
type needs struct{ pods, cpu, memory int64 }

func (n needs) plus(spec corev1.PodSpec, count int) needs {
	cpu, memory := podRequests(spec)
	return needs{pods: n.pods + int64(count), cpu: n.cpu + int64(count)*cpu, memory: n.memory + int64(count)*memory}
}

// neededBy is the most that the roll-out of the target asks for, and what the
// trial of the old colour's termination does after it with its spare pod. A
// shift that doesn't wait for residual requests has no such trial, nor has one of
// workers, where a spare pod would take jobs.
func neededBy(facts *Facts) (rollout, trial needs) {
	for _, part := range podsToCome(facts) {
		rollout = rollout.plus(part.spec, part.missing+part.surge)
		trial = trial.plus(part.spec, part.missing)
	}
	live, ok := facts.live()
	if ok && !workers(facts) && facts.Release.Spec.Traffic.Drain != release.DrainNone && len(live.Workloads.Value) > 0 {
		trial = trial.plus(live.Workloads.Value[0].Template.Spec, 1)
	}
	return rollout, trial
}
