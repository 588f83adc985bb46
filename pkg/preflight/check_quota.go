package preflight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func quotaHeadroom() Check {
	return Check{
		ID: "BG-COL-10", Title: "the namespace's quota has room for the target's pods", Area: AreaColors,
		Stages:   []Stage{StageDeploy},
		Why:      "Both colours run at once. A quota sized for one refuses the pods that the target still wants, those that a rolling update adds when manifests are applied, and the spare pod of the termination trial. Their number, their requests and their limits are reckoned with, as they stand in the workloads and as the namespace's LimitRanges fill in what these leave open; what a PriorityClass by default gives to pods is not. A quota on CPU or memory refuses a pod with a container that states none at all.",
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
	coming := max(rollout.pods(), trial.pods())
	rollout, trial = rollout.within(quota), trial.within(quota)
	if finding, refused := refusedBy(quota, rollout, facts); refused {
		return finding
	}
	if name, after, hard := exceeded(quota, rollout); name != "" {
		return fail(subject, "%s would be %s of %s with the pods that are still to come", name, after.String(), hard.String()).
			with("stillToCome", rollout.pods()).fix("raise spec.hard[%s] of %s to at least %s", name, subject, after.String())
	}
	if name, after, hard := exceeded(quota, trial); name != "" {
		return warn(subject, "%s would be %s of %s with the spare pod that proves how pods end; without the proof the old pods' requests are waited for", name, after.String(), hard.String()).
			with("stillToCome", trial.pods()).fix("raise spec.hard[%s] of %s to at least %s, or set traffic.drain to none", name, subject, after.String())
	}
	counted := max(rollout.pods(), trial.pods())
	if coming > 0 && counted == 0 {
		return pass(subject, "none of the pods that are still to come is in its scope")
	}
	return pass(subject, "it has room for %d more pods%s", counted, notReckoned(quota, slices.Concat(rollout, trial)))
}

// refusedBy is about pods that a quota refuses whatever room it has, since one of their
// containers doesn't state what it limits.
func refusedBy(quota corev1.ResourceQuota, rollout needs, facts *Facts) (finding Finding, refused bool) {
	subject := "resourcequota/" + quota.Name
	limit, container := unstated(quota, rollout)
	switch {
	case limit == "":
		return Finding{}, false
	case !facts.LimitRanges.Known:
		finding = facts.LimitRanges.unknown(subject)[0]
		finding.Cause = fmt.Sprintf("container %s states no %s, without which pods are refused, and whether a LimitRange fills it in is not known: %s", container, limit, finding.Cause)
		return finding, true
	}
	return fail(subject, "it refuses the pods that are still to come: container %s states no %s, and no LimitRange fills it in", container, limit).
		with("stillToCome", rollout.pods()).fix("state %s in the resources of container %s, or give namespace %s a LimitRange with a default", limit, container, facts.Namespace), true
}

// exceeded is the first of a quota's limits that would be, "" when none is.
func exceeded(quota corev1.ResourceQuota, need needs) (name corev1.ResourceName, after, hard resource.Quantity) {
	for _, name := range slices.Sorted(maps.Keys(quota.Status.Hard)) {
		hard, amount := quota.Status.Hard[name], need.amount(name)
		if amount.IsZero() {
			continue
		}
		after := quota.Status.Used[name].DeepCopy()
		after.Add(amount)
		if after.Cmp(hard) > 0 {
			return name, after, hard
		}
	}
	return "", after, hard
}

// notReckoned says which limits of a quota were not held against pods, for these ask
// for nothing of the kind: it is about other objects, or something gives it to them.
func notReckoned(quota corev1.ResourceQuota, need needs) string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(quota.Status.Hard)) {
		if amount := need.amount(name); amount.IsZero() {
			names = append(names, string(name))
		}
	}
	if len(need) == 0 || len(names) == 0 {
		return ""
	}
	return "; not reckoned with: " + strings.Join(names, ", ")
}
