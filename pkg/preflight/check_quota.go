package preflight

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func quotaHeadroom() Check {
	return Check{
		ID: "BG-COL-10", Title: "the namespace's quota has room for the target's pods", Area: AreaColors,
		Stages:   []Stage{StageDeploy},
		Why:      "Both colours run at once. A quota sized for one refuses the pods that the target still wants, those that a rolling update adds when manifests are applied, and the spare pod of the termination trial.",
		Remedy:   "raise spec.hard of the ResourceQuota",
		Source:   "first runbook, Introduction (ensuring infrastructure capacity aligns with peak deployment load)",
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
	case !target.Owned.Known:
		return target.Owned.unknown("colour " + facts.Target)
	case len(facts.Quotas.Value) == 0:
		return []Finding{pass("namespace "+facts.Namespace, "it has no ResourceQuota")}
	}
	var findings []Finding
	for _, quota := range facts.Quotas.Value {
		findings = append(findings, quotaRoom(quota, facts))
	}
	return findings
}

// quotaRoom fails a quota that refuses the target's pods. One that has no room
// for the spare pod of the termination trial stops no shift: what is not
// proven is waited for instead.
func quotaRoom(quota corev1.ResourceQuota, facts *Facts) Finding {
	subject := "resourcequota/" + quota.Name
	rollout, trial := neededBy(facts)
	if name, after, hard := exceeded(quota, rollout); name != "" {
		return fail(subject, "%s would be %s of %s with the pods that are still to come", name, after.String(), hard.String()).
			with("stillToCome", rollout.pods).fix("raise spec.hard[%s] of %s to at least %s", name, subject, after.String())
	}
	if name, after, hard := exceeded(quota, trial); name != "" {
		return warn(subject, "%s would be %s of %s with the spare pod that proves how pods end; without the proof the old pods' requests are waited for", name, after.String(), hard.String()).
			with("stillToCome", trial.pods).fix("raise spec.hard[%s] of %s to at least %s, or set traffic.drain to none", name, subject, after.String())
	}
	return pass(subject, "it has room for %d more pods", max(rollout.pods, trial.pods))
}

// exceeded is the first of a quota's limits that would be, "" when none is.
func exceeded(quota corev1.ResourceQuota, need needs) (name corev1.ResourceName, after, hard resource.Quantity) {
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
		if !limited || limit.amount.IsZero() {
			continue
		}
		after := quota.Status.Used[limit.name].DeepCopy()
		after.Add(limit.amount)
		if after.Cmp(hard) > 0 {
			return limit.name, after, hard
		}
	}
	return "", after, hard
}
