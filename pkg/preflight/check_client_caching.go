package preflight

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"

func clientCaching() Check {
	return Check{
		ID: signoff.ClientCaching, Title: "client-side caching does not interfere with routing", Area: AreaRouting,
		Stages: []Stage{StageDeploy},
		Why:    "A client that caches answers, addresses or connections of its own accord stays with the old version whatever the route says. That is not to be seen from the cluster, so a person who knows the clients signs it off, for a year at most. It is bound to the route. An absent sign-off is not declared; one that has expired, or was given for another route, counts as not known.",
		Remedy: "see how the clients cache answers, DNS and connections, and then: kubectl bluegreen signoff BG-NET-05 --by NAME --until DATE",
		Source: "second runbook, Pre-Deployment Checklist (DNS TTLs and client-side caching do not interfere with immediate routing control)",
		Evaluate: func(facts *Facts) []Finding {
			if workers(facts) {
				return []Finding{noRoute(facts)}
			}
			return []Finding{signedOff(facts, signoff.ClientCaching)}
		},
	}
}
