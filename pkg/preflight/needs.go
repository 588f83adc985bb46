package preflight

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
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
		part := coming{spec: withDefaults(workload.Template.Spec, facts.LimitRanges.Value), missing: max(0, int(workload.Replicas)-existing(workload, target.Owned.Value))}
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

// needs are pods that do not exist yet.
type needs []podsNeeded

// podsNeeded are some of the same spec.
type podsNeeded struct {
	spec  corev1.PodSpec
	count int64
}

func (n needs) plus(spec corev1.PodSpec, count int) needs {
	if count == 0 {
		return n
	}
	return append(n, podsNeeded{spec, int64(count)})
}

// pods is how many they are.
func (n needs) pods() int64 {
	var count int64
	for _, part := range n {
		count += part.count
	}
	return count
}

// amount is what they ask for of what a quota limits by a name, 0 of what is no
// matter of pods.
func (n needs) amount(limit corev1.ResourceName) resource.Quantity {
	if limit == corev1.ResourcePods || limit == "count/pods" {
		return *resource.NewQuantity(n.pods(), resource.DecimalSI)
	}
	of, name := podRequest, strings.TrimPrefix(string(limit), corev1.DefaultResourceRequestsPrefix)
	if limited, is := strings.CutPrefix(string(limit), "limits."); is {
		of, name = podLimit, limited
	}
	var sum resource.Quantity
	for _, part := range n {
		amount := of(part.spec, corev1.ResourceName(name))
		amount.Mul(part.count)
		sum.Add(amount)
	}
	return sum
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
		trial = trial.plus(withDefaults(live.Workloads.Value[0].Template.Spec, facts.LimitRanges.Value), 1)
	}
	return rollout, trial
}
