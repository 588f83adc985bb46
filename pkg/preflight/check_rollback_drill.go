package preflight

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"

func rollbackDrill() Check {
	return Check{
		ID: signoff.RollbackDrill, Title: "a rollback was rehearsed within a quarter", Area: AreaTesting,
		Stages: []Stage{StageDeploy},
		Why:    "A way back that nobody has gone for months is a guess. A person who has seen the rehearsal in staging signs it off, for 92 days at most, which is as long as a quarter lasts. It is bound to the kind of the route, for a Service goes back in another way than weights do. An absent sign-off is not declared; one that has expired, or was given for another kind, counts as not known.",
		Remedy: "rehearse a shift and its rollback in staging, and then: kubectl bluegreen signoff BG-TST-02 --by NAME --until DATE",
		Source: "first runbook, Best Practices (rollback drills: conduct quarterly in staging); Pre-Deployment Checklist (confirm rollback mechanism works in staging)",
		Evaluate: func(facts *Facts) []Finding {
			return []Finding{signedOff(facts, signoff.RollbackDrill)}
		},
	}
}
