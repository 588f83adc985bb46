package preflight

import (
	"time"
)

// staleAfter is four scrapes at Prometheus's usual 15 s.
const staleAfter = time.Minute

func prometheusFresh() Check {
	return Check{
		ID: "BG-MON-02", Title: "prometheus answers and its samples are fresh", Area: AreaMonitoring,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "A metrics pipeline that is down or behind shows a release that went well minutes ago.",
		Remedy: "check spec.metrics.prometheus, the server itself and its targets",
		Source: "first runbook, Pre-Deployment Checklist, Monitoring & Alerts (confirm end-to-end metrics pipeline is active)",
		Evaluate: func(facts *Facts) []Finding {
			if !facts.Monitoring.Declared {
				return []Finding{undeclared("prometheus")}
			}
			if !facts.Monitoring.Up.Known {
				return facts.Monitoring.Up.unknown("prometheus")
			}
			findings := []Finding{pass("prometheus", "it answers: %s", facts.Monitoring.Up.Value)}
			if facts.Monitoring.ScrapeAge > staleAfter {
				findings[0] = fail("prometheus", "it scrapes nothing: %s", facts.Monitoring.Up.Value)
			}
			for _, color := range facts.colors() {
				series := facts.Monitoring.Series[color.Name]
				if series.Known && series.Value.Age > staleAfter {
					findings = append(findings, fail("samples of "+color.Name, "the newest is %s old", series.Value.Age.Round(time.Second)).
						with("selector", series.Value.Selector))
				}
			}
			return findings
		},
	}
}
