package preflight

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func quotaHeadroom() Check {
	return Check{
		ID: "BG-COL-10", Title: "the namespace's quota has room for the target's pods", Area: AreaColors,
		Stages:   []Stage{StageDeploy},
		Why:      "Both colours run at once. A quota sized for one refuses the pods that the target still wants, and those that a rolling update adds.",
		Remedy:   "raise spec.hard of the ResourceQuota",
		Source:   "first seed, Introduction (ensuring infrastructure capacity aligns with peak deployment load)",
		Evaluate: evaluateQuota,
	}
}

func evaluateQuota(facts *Facts) []Finding {
	target := facts.target()
	switch {
	case !facts.Quotas.Known:
		return facts.Quotas.unknown("resourcequotas")
	case !target.Workloads.Known:
		return target.Workloads.unknown("colour " + facts.Target)
	case len(facts.Quotas.Value) == 0:
		return []Finding{pass("namespace "+facts.Namespace, "it has no ResourceQuota")}
	}
	need := missingPods(target.Workloads.Value)
	var findings []Finding
	for _, quota := range facts.Quotas.Value {
		findings = append(findings, quotaRoom(quota, need))
	}
	return findings
}

// needs is what pods that do not exist yet will ask for.
type needs struct{ pods, cpu, memory int64 }

// missingPods are those that workloads want beyond the ready ones, and their
// surge.
func missingPods(workloads []cluster.Workload) needs {
	var sum needs
	for _, workload := range workloads {
		count := int64(max(0, workload.Replicas-workload.ReadyReplicas) + workload.MaxSurge)
		cpu, memory := podRequests(workload.Template.Spec)
		sum.pods += count
		sum.cpu += count * cpu
		sum.memory += count * memory
	}
	return sum
}

func quotaRoom(quota corev1.ResourceQuota, need needs) Finding {
	subject := "resourcequota/" + quota.Name
	for _, limit := range []struct {
		name   corev1.ResourceName
		amount resource.Quantity
	}{
		{corev1.ResourcePods, *resource.NewQuantity(need.pods, resource.DecimalSI)},
		{"count/pods", *resource.NewQuantity(need.pods, resource.DecimalSI)},
		{corev1.ResourceRequestsCPU, *resource.NewMilliQuantity(need.cpu, resource.DecimalSI)},
		{corev1.ResourceCPU, *resource.NewMilliQuantity(need.cpu, resource.DecimalSI)},
		{corev1.ResourceRequestsMemory, *resource.NewQuantity(need.memory, resource.BinarySI)},
		{corev1.ResourceMemory, *resource.NewQuantity(need.memory, resource.BinarySI)},
	} {
		hard, limited := quota.Status.Hard[limit.name]
		if !limited {
			continue
		}
		after := quota.Status.Used[limit.name].DeepCopy()
		after.Add(limit.amount)
		if after.Cmp(hard) > 0 {
			return fail(subject, "%s would be %s of %s with the pods that are still to come", limit.name, after.String(), hard.String()).
				with("stillToCome", need.pods).fix("raise spec.hard[%s] of %s to at least %s", limit.name, subject, after.String())
		}
	}
	return pass(subject, "it has room for %s", fmt.Sprintf("%d more pods", need.pods))
}
