package preflight

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func affinityOff() Check {
	return Check{
		ID: "BG-NET-01", Title: "session affinity is off", Area: AreaRouting,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "Sticky sessions keep users on the old version after a switch, and on the bad one after a rollback: a partial switch.",
		Remedy: "set spec.sessionAffinity of the production Service to None, or take the stickiness out of the route, and turn it off at the load balancer in front",
		Source: "second runbook, Common Pitfalls, Partial traffic switch",
		Evaluate: func(facts *Facts) []Finding {
			subject := routeName(facts)
			if !facts.Route.Known {
				return facts.Route.unknown(subject)
			}
			if workers(facts) {
				return []Finding{noRoute(facts)}
			}
			findings := eachService(facts, func(subject string, service *corev1.Service) Finding { return stickyService(facts, subject, service) })
			if weighted(facts) {
				findings = append(findings, stickyRoute(subject, facts.Route.Value.State.Affinity))
			}
			return findings
		},
	}
}

// stickyService judges whether a production Service ties clients to a pod.
func stickyService(facts *Facts, subject string, service *corev1.Service) Finding {
	if affinity := service.Spec.SessionAffinity; affinity != "" && affinity != corev1.ServiceAffinityNone {
		return fail(subject, "spec.sessionAffinity is %s, so clients stay on the version they had", affinity).
			fix(`kubectl -n %s patch %s --type merge -p '{"spec":{"sessionAffinity":"None","sessionAffinityConfig":null}}'`, facts.Namespace, subject)
	}
	sticky, looked := facts.Route.Value.Sticky[service.Name]
	switch {
	case !looked:
		return unknown(subject, "spec.sessionAffinity is None; what its annotations ask of a load balancer was not looked at")
	case len(sticky) > 0:
		return fail(subject, "what stands in front of it ties clients, so they stay on the version they had: %s", strings.Join(sticky, ", ")).
			fix("take the annotation from metadata.annotations of %s, or turn it off", subject)
	}
	return pass(subject, "spec.sessionAffinity is None, and no annotation asks for sticky sessions")
}

// stickyRoute judges what a route with weights says itself of its clients.
func stickyRoute(subject, affinity string) Finding {
	if affinity != "" {
		return fail(subject, "it ties clients to a backend by %s, so they stay on the version they had", affinity)
	}
	return pass(subject, "it does not tie clients to a backend")
}
