package preflight

import "strings"

func notRolledBack() Check {
	return Check{
		ID: "BG-COL-18", Title: "the target is not what the last run was rolled back from", Area: AreaColors,
		Stages: []Stage{StageDeploy},
		Why:    "A version that was sent back a minute ago is as bad as it was, and nothing else that is checked may show it: its pods are ready, and its requests fail.",
		Remedy: "deploy what mends it, or suppress the finding with what has changed around it",
		Source: "second runbook, Rollback Procedure (root cause before the next attempt)",
		Evaluate: func(facts *Facts) []Finding {
			const subject = "the last run"
			last := facts.RolledBack.Value
			switch {
			case !facts.RolledBack.Known:
				return facts.RolledBack.unknown(subject)
			case last == nil:
				return []Finding{pass(subject, "it was not rolled back from %s", facts.Target)}
			case len(last.Unchanged) == 0:
				return []Finding{pass("run "+last.Run, "%s is not what it was rolled back from", facts.Target)}
			}
			reason := ""
			if last.Reason != "" {
				reason = ": " + last.Reason
			}
			return []Finding{warn("run "+last.Run, "it was rolled back from %s, which is what it was then (%s)%s", facts.Target, strings.Join(last.Unchanged, ", "), reason)}
		},
	}
}
