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
			if workers(facts) {
				return []Finding{noRoute(facts)}
			}
			findings := eachService(facts, addressed)
			if weighted(facts) {
				findings = append(findings, pass(subject, "clients reach its proxy, which shares their requests out one by one"))
			}
			return findings
		},
	}
}

// addressed judges what address clients have of a production Service.
func addressed(subject string, service *corev1.Service) Finding {
	switch {
	case service.Spec.Type == corev1.ServiceTypeExternalName:
		return fail(subject, "it is an ExternalName for %s and selects no pods", service.Spec.ExternalName)
	case service.Spec.ClusterIP == corev1.ClusterIPNone:
		return fail(subject, "it is headless: clients hold the addresses of pods, by DNS")
	}
	return pass(subject, "clients reach it at one cluster IP")
}
