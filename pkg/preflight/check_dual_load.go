package preflight

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/signoff"

func dualLoad() Check {
	return Check{
		ID: signoff.DualLoad, Title: "both colours were loaded together at full capacity", Area: AreaTesting,
		Stages: []Stage{StageDeploy},
		Why:    "The incident came because the load test had exercised one colour alone. Whether both carry the load at once, no machine can see without making it, so a person signs it off. That is bound to the images of both colours: other programs take another load. An absent sign-off is not declared; one that has expired, or was given for other images, counts as not known.",
		Remedy: "load both colours at full capacity, and then: kubectl bluegreen signoff BG-TST-01 --by NAME --until DATE",
		Source: "first runbook, Pre-Deployment Checklist (perform full-capacity load test under dual-environment conditions); Key Takeaways",
		Evaluate: func(facts *Facts) []Finding {
			return []Finding{signedOff(facts, signoff.DualLoad)}
		},
	}
}
