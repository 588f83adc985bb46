package preflight

import (
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// workers reports whether the release is of workers, whose switch is scaling.
func workers(facts *Facts) bool { return facts.Release.Spec.Traffic.Workers != nil }

// noRoute is the finding of a check about what stands between clients and pods.
func noRoute(facts *Facts) Finding {
	return skip(routeName(facts), "it does not apply: workers take their jobs themselves, and no client reaches them by a route")
}

// writtenBeside judges who else writes the replicas of workers, by which they are
// switched. A horizontal autoscaler leaves a side without replicas alone, and the
// count of one that takes everything is its own to find; but it holds no share. KEDA
// starts a side from nothing as soon as there is a job, and so takes it back.
func writtenBeside(facts *Facts) []Finding {
	if !facts.Autoscalers.Known {
		return facts.Autoscalers.unknown("autoscalers of the workers")
	}
	var findings []Finding
	for _, color := range facts.colors() {
		for _, ref := range color.Declared.Workloads {
			for _, autoscaler := range facts.autoscalers(ref) {
				findings = append(findings, scaledBeside(facts, ref, autoscaler))
			}
		}
	}
	if len(findings) == 0 {
		return []Finding{pass("autoscalers of the workers", "none scales them beside the switch")}
	}
	return findings
}

func scaledBeside(facts *Facts, ref release.Workload, autoscaler autoscalingv2.HorizontalPodAutoscaler) Finding {
	subject := ref.String()
	for _, owner := range autoscaler.OwnerReferences {
		if owner.Kind == "ScaledObject" && strings.HasPrefix(owner.APIVersion, "keda.sh/") {
			return fail(subject, "scaledobject/%s of KEDA starts it from zero as soon as there is a job, on whichever side it is", owner.Name).
				fix("pause it for the shift: kubectl -n %s annotate scaledobject %s autoscaling.keda.sh/paused=true", facts.Namespace, owner.Name)
		}
	}
	for _, step := range facts.Release.Spec.Traffic.Steps {
		if step.Weight < 100 {
			return fail(subject, "horizontalpodautoscaler/%s decides its replicas, so a share of %d %% can't be held", autoscaler.Name, step.Weight).
				fix("leave only the step of weight 100 in spec.traffic.steps, or take the autoscaler away for the shift")
		}
	}
	return pass(subject, "horizontalpodautoscaler/%s leaves it alone while it has no replicas", autoscaler.Name)
}
