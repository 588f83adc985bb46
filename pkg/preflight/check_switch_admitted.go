package preflight

func switchAdmitted() Check {
	return Check{
		ID: "BG-COL-06", Title: "the server admits the switch (dry run)", Area: AreaColors,
		Stages: []Stage{StageDeploy, StageRollback}, Critical: true,
		Why:    "The exact patch of every step of the switch, a preview among them, is sent with dryRun=All, so that admission policies, quotas and typos speak now and not in the middle of a release. A rule about weights, such as their sum or the highest, bites only at the steps between.",
		Remedy: "read the server's reason; an admission policy or a missing right has to be changed before the shift",
		Source: "second runbook, Pre-Deployment Checklist (selector can be patched atomically); Best Practices, Test Selector Patch Locally",
		Evaluate: func(facts *Facts) []Finding {
			subject := routeName(facts)
			switch {
			case facts.Route.Known && facts.Route.Value.Live == facts.Target && facts.Target != "":
				return []Finding{pass(subject, "it gives everything to %s already", facts.Target)}
			case facts.DryRunRefused:
				return []Finding{fail(subject, "the server refuses it: %s", facts.DryRun.Problem)}
			case !facts.DryRun.Known:
				return facts.DryRun.unknown(subject)
			default:
				return []Finding{pass(subject, "the switch to %s would be admitted", facts.Target).with("patch", facts.DryRun.Value)}
			}
		},
	}
}
