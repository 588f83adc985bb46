package preflight

import corev1 "k8s.io/api/core/v1"

func dnsOutOfTheWay() Check {
	return Check{
		ID: "BG-NET-02", Title: "DNS does not decide which version answers", Area: AreaRouting,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "A Service that is only a name (ExternalName, or headless) hands clients addresses that they keep for as long as they like; no switch of a selector reaches them.",
		Remedy: "give the production Service a cluster IP (type ClusterIP) and a selector",
		Source: "second runbook, Pre-Deployment Checklist (DNS TTLs do not interfere with immediate routing control)",
		Evaluate: func(facts *Facts) []Finding {
			subject := routeName(facts)
			if !facts.Route.Known {
				return facts.Route.unknown(subject)
			}
			spec := facts.Route.Value.Service.Spec
			switch {
			case spec.Type == corev1.ServiceTypeExternalName:
				return []Finding{fail(subject, "it is an ExternalName for %s and selects no pods", spec.ExternalName)}
			case spec.ClusterIP == corev1.ClusterIPNone:
				return []Finding{fail(subject, "it is headless: clients hold the addresses of pods, by DNS")}
			default:
				return []Finding{pass(subject, "clients reach it at one cluster IP")}
			}
		},
	}
}
