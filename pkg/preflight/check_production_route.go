package preflight

func productionRoute() Check {
	return Check{
		ID: "BG-COL-05", Title: "the production route selects exactly the live colour's ready pods", Area: AreaColors,
		Stages: []Stage{StageDeploy, StageRollback}, Critical: true,
		Why:    "Everything that follows is told by the route: which colour is live, what to go back to. A selector that has lost its colour label sends traffic to everything or nothing, and stops everything; it is never a fast track.",
		Remedy: "put the live colour's label back into the selector of the production Service",
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
				return []Finding{fail(subject, "%s", route.Ambiguous).with("selector", route.Service.Spec.Selector)}
			case !route.Proof.Known:
				return route.Proof.unknown(subject)
			case len(route.Proof.Value.Ready) == 0 && len(route.Proof.Value.Missing) == 0:
				return []Finding{broken(subject, "%s", route.Proof.Value.Message).fix("bring %s back first: nothing is behind the route now", route.Live)}
			case !route.Proof.Value.Proven:
				return []Finding{broken(subject, "%s", route.Proof.Value.Message).with("live", route.Live)}
			default:
				return []Finding{pass(subject, "%s", route.Proof.Value.Message).with("live", route.Live)}
			}
		},
	}
}

// routeName names the production route.
func routeName(facts *Facts) string {
	if service := facts.Release.Spec.Traffic.Service; service != nil {
		return "service/" + service.Name
	}
	return "the production route"
}
