package preflight

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func disruptionBudget() Check {
	return Check{
		ID: "BG-COL-09", Title: "each colour has a PodDisruptionBudget of its own", Area: AreaColors,
		Stages: []Stage{StageDeploy},
		Why:    "A node drain in the middle of a release may take every pod of a colour. One budget over both colours counts the idle one's pods for the live one's.",
		Remedy: "create a PodDisruptionBudget whose selector matches the pods of that colour only",
		Source: "first runbook, Deployment Context (zero-downtime deployment)",
		Evaluate: func(facts *Facts) []Finding {
			if !facts.Disruption.Known {
				return facts.Disruption.unknown("poddisruptionbudgets")
			}
			var findings []Finding
			for _, color := range facts.colors() {
				if !color.Workloads.Known {
					findings = append(findings, color.Workloads.unknown("colour "+color.Name)...)
				}
				for _, workload := range color.Workloads.Value {
					findings = append(findings, workloadDisruption(facts, color, workload))
				}
			}
			return findings
		},
	}
}

func workloadDisruption(facts *Facts, color Color, workload cluster.Workload) Finding {
	subject := workload.Ref.String()
	for _, budget := range overlaid(facts.Disruption.Value, color.BudgetsPlanned) {
		if !covers(budget, workload) {
			continue
		}
		other := facts.Colors[facts.Release.Spec.Other(color.Name)]
		if !other.Workloads.Known {
			return unknown(subject, "poddisruptionbudget/%s covers it; whether it covers %s too can't be seen: %s", budget.Name, other.Name, other.Workloads.Problem)
		}
		for _, workload := range other.Workloads.Value {
			if covers(budget, workload) {
				return warn(subject, "poddisruptionbudget/%s covers %s too", budget.Name, workload.Ref)
			}
		}
		return pass(subject, "poddisruptionbudget/%s covers it alone", budget.Name)
	}
	return warn(subject, "no PodDisruptionBudget covers it")
}

func covers(budget policyv1.PodDisruptionBudget, workload cluster.Workload) bool {
	selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
	return err == nil && selector.Matches(labels.Set(workload.Template.Labels))
}
