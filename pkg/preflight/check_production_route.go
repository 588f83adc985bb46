package preflight

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

func productionRoute() Check {
	return Check{
		ID: "BG-COL-05", Title: "the production route selects exactly the live colour's ready pods", Area: AreaColors,
		Stages: []Stage{StageDeploy, StageRollback}, Critical: true,
		Why:    "Everything that follows is told by the route: which colour is live, what to go back to. A selector that has lost its colour label sends traffic to everything or nothing, and stops everything; it is never a fast track.",
		Remedy: "put the live colour's label back into the selector of the production Service, or its weight into the route",
		Source: "second runbook, Pre-Deployment Checklist (traffic is routed through svc-production → version=blue); Key Takeaways, 1",
		Evaluate: func(facts *Facts) []Finding {
			subject := routeName(facts)
			if !facts.Route.Known {
				return facts.Route.unknown(subject)
			}
			route := facts.Route.Value
			// A live colour that is broken is why one rolls back.
			broken := fail
			if facts.Stage == StageRollback {
				broken = warn
			}
			switch {
			case route.Ambiguous != "":
				return []Finding{fail(subject, "%s", route.Ambiguous).with("selector", route.selector())}
			case !route.Proof.Known:
				return route.Proof.unknown(subject)
			case !route.Proof.Value.Proven || nothingBehind(route):
				return []Finding{unproven(broken(subject, "%s", route.Proof.Value.Message).with("live", route.Live), route)}
			default:
				return append([]Finding{pass(subject, "%s", route.Proof.Value.Message).with("live", route.Live)}, receivingService(facts)...)
			}
		},
	}
}

// unproven is a finding about a route that is not proven, with what is done about it:
// who serves it may refuse it, whatever is behind it.
func unproven(finding Finding, route Route) Finding {
	proof, remedies := route.Proof.Value, []string{}
	if proof.Remedy != "" {
		remedies = append(remedies, proof.Remedy)
	}
	if nothingBehind(route) {
		remedies = append(remedies, fmt.Sprintf("bring %s back first: nothing is behind the route now", route.Live))
	}
	if len(remedies) == 0 {
		return finding
	}
	return finding.fix("%s", strings.Join(remedies, "; "))
}

// nothingBehind reports whether the live colour has no ready pod.
func nothingBehind(route Route) bool {
	return len(route.Proof.Value.Ready) == 0 && len(route.Proof.Value.Missing) == 0
}

// receivingService judges the Service by which a route with weights would give
// the target its requests. Past such a route it is a convenience, behind it it
// is the way.
func receivingService(facts *Facts) []Finding {
	if !weighted(facts) || facts.Target == "" || facts.Stage == StageRollback {
		return nil
	}
	return []Finding{colorService(facts, facts.target())}
}

// routeName names the production route, or all of a set.
func routeName(facts *Facts) string {
	if names := routeNames(facts); len(names) > 0 {
		return strings.Join(names, " + ")
	}
	return "the production route"
}

// routeNames are the kind and name of each production route.
func routeNames(facts *Facts) []string {
	routes, _ := traffic.Describe(facts.Release) // what declares no route names none
	var names []string
	for _, route := range routes {
		names = append(names, route.Object)
	}
	return names
}

// weighted reports whether a production route leads to the colours by their own
// Services.
func weighted(facts *Facts) bool { return facts.Release.Spec.Traffic.NamesServices() }
