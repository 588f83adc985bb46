package preflight

func manifestsAdmitted() Check {
	return Check{
		ID: "BG-COL-17", Title: "the server admits the target's manifests (dry run)", Area: AreaColors,
		Stages: []Stage{StageDeploy},
		Why:    "The manifests that a shift applies are sent with dryRun=All, under the same field manager, so that an admission policy, a field that somebody else owns and a typo speak before the shift and not in it.",
		Remedy: "read the server's reason; change the manifest, or whatever refuses it",
		Source: "second runbook, Best Practices, Test Selector Patch Locally (validate syntax first)",
		Evaluate: func(facts *Facts) []Finding {
			subject := "manifests of " + facts.Target
			switch {
			case workers(facts):
				return []Finding{skip(subject, "it does not apply: what is written to workers is known with the switch alone")}
			case facts.Route.Known && facts.Route.Value.Live == facts.Target && facts.Target != "":
				return []Finding{skip(subject, "they are not applied: the route gives everything to "+facts.Target+" already")}
			case len(facts.Target) > 0 && !hasManifests(facts):
				return []Finding{undeclaredManifests(facts.Target)}
			case facts.DryApplyRefused:
				finding := fail(subject, "the server refuses them: %s", facts.DryApply.Problem)
				finding.Remedy = facts.DryApply.Remedy
				return []Finding{finding}
			case !facts.DryApply.Known:
				return facts.DryApply.unknown(subject)
			default:
				return []Finding{pass(subject, "%d objects would be admitted", facts.DryApply.Value)}
			}
		},
	}
}

// hasManifests reports whether the target declares some.
func hasManifests(facts *Facts) bool {
	_, declared := facts.Manifests[facts.Target]
	return declared
}
