package preflight

import corev1 "k8s.io/api/core/v1"

func probesDeclared() Check {
	return Check{
		ID: "BG-COL-02", Title: "readiness and liveness probes are declared", Area: AreaColors,
		Stages: []Stage{StagePR, StageDeploy}, Critical: true,
		Why:      "Without a readiness probe a pod counts as ready the moment its process starts, and the switch sends it requests that it can't answer (503 after cutover).",
		Remedy:   "set spec.template.spec.containers[].readinessProbe and livenessProbe of the workload",
		Source:   "second runbook, Pre-Deployment Checklist (running and passing readiness/liveness probes); Common Pitfalls, 503 errors after cutover",
		Evaluate: evaluateProbes,
	}
}

func evaluateProbes(facts *Facts) []Finding {
	return eachWorkload(facts, targetOrAll(facts), func(subject string, template corev1.PodTemplateSpec) Finding {
		readiness, liveness := false, false
		for _, container := range template.Spec.Containers {
			readiness = readiness || container.ReadinessProbe != nil
			liveness = liveness || container.LivenessProbe != nil
		}
		switch {
		case !readiness:
			return fail(subject, "no container has a readinessProbe").fix("set spec.template.spec.containers[].readinessProbe of %s", subject).
				at("spec.template.spec.containers")
		case !liveness:
			return warn(subject, "no container has a livenessProbe, so a hung one is never restarted").fix("set spec.template.spec.containers[].livenessProbe of %s", subject).
				at("spec.template.spec.containers")
		default:
			return pass(subject, "it has a readinessProbe and a livenessProbe")
		}
	})
}
