package preflight

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"

func noCriticalAlert() Check {
	return Check{
		ID: "BG-MON-05", Title: "no critical alert is firing", Area: AreaMonitoring,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "A critical alert rolls a release back. One that fires before it starts says that this is no time to start, and hides those that the release would cause. They are asked of spec.metrics.alertmanager, which is NAMESPACE/SERVICE:PORT or a URL.",
		Remedy: "resolve the incident, or silence what is known, and check again",
		Source: "second runbook, When to Roll Back (any critical alert from monitoring system); Deployment Procedure, step 5 (confirm no alerts triggered)",
		Evaluate: func(facts *Facts) []Finding {
			const subject = "critical alerts"
			reading := facts.Monitoring.Critical
			switch {
			case reading.Source == "":
				return []Finding{undeclared("alertmanager")}
			case reading.State != measure.OK:
				return []Finding{unknown(subject, "%s: %s", reading.Source, reading.Detail)}
			case reading.Value > 0:
				return []Finding{fail(subject, "%.0f are firing: %s", reading.Value, reading.Detail).with("source", reading.Source)}
			default:
				return []Finding{pass(subject, "none is firing").with("source", reading.Source)}
			}
		},
	}
}
