package preflight

import (
	"fmt"
	"strings"
)

func switchAdmitted() Check {
	return Check{
		ID: "BG-COL-06", Title: "the server admits the switch (dry run)", Area: AreaColors,
		Stages: []Stage{StageDeploy, StageRollback}, Critical: true,
		Why:    "What every step of the switch makes of the route, a preview among them, is sent with dryRun=All, so that admission policies, quotas and typos speak now and not in the middle of a release. A rule about weights, such as their sum or the highest, bites only at the steps between. Each is tried on the route as it is, for the server has no other: an operation on what an earlier step makes, such as the removal of a preview, is not tried, and named.",
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
				said := fmt.Sprintf("the switch to %s would be admitted", facts.Target)
				if len(facts.DryRunUntried) > 0 {
					said += "; not tried, for an earlier step makes what it is about: " + strings.Join(facts.DryRunUntried, "; ")
				}
				return []Finding{pass(subject, "%s", said).with("patch", facts.DryRun.Value)}
			}
		},
	}
}
