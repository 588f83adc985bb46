package preflight

import corev1 "k8s.io/api/core/v1"

func affinityOff() Check {
	return Check{
		ID: "BG-NET-01", Title: "session affinity is off", Area: AreaRouting,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "Sticky sessions keep users on the old version after a switch, and on the bad one after a rollback: a partial switch.",
		Remedy: "set spec.sessionAffinity of the production Service to None, and turn stickiness off at the load balancer in front",
		Source: "second runbook, Common Pitfalls, Partial traffic switch",
		Evaluate: func(facts *Facts) []Finding {
			subject := routeName(facts)
			if !facts.Route.Known {
				return facts.Route.unknown(subject)
			}
			service := facts.Route.Value.Service
			if affinity := service.Spec.SessionAffinity; affinity != "" && affinity != corev1.ServiceAffinityNone {
				return []Finding{fail(subject, "spec.sessionAffinity is %s, so clients stay on the version they had", affinity).
					fix(`kubectl -n %s patch %s --type merge -p '{"spec":{"sessionAffinity":"None","sessionAffinityConfig":null}}'`, facts.Namespace, subject)}
			}
			return []Finding{pass(subject, "spec.sessionAffinity is None")}
		},
	}
}
