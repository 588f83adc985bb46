package preflight

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

func versionSeries() Check {
	return Check{
		ID: "BG-MON-01", Title: "both colours have metrics of their own", Area: AreaMonitoring,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:      "Without request rate, error rate and latency by version, decisions to roll back are blind; and a gate over series that do not exist passes in silence.",
		Remedy:   "label the pods' metrics by colour (spec.metrics.versionLabel) and see that both colours are scraped",
		Source:   "second runbook, Pre-Deployment Checklist, Monitoring & Observability; Key Takeaways, 3",
		Evaluate: evaluateVersionSeries,
	}
}

func evaluateVersionSeries(facts *Facts) []Finding {
	var findings []Finding
	for _, color := range facts.colors() {
		subject := "metrics of " + color.Name
		if color.Planned {
			findings = append(findings, skip(subject, "none of its pods is wanted yet; the gate waits for its metrics"))
			continue
		}
		if facts.Monitoring.Declared {
			findings = append(findings, prometheusSeries(facts, subject, color.Name))
			continue
		}
		findings = append(findings, podSeries(facts, subject, color.Name))
	}
	return findings
}

// prometheusSeries asks more of the live colour than of one that has had no
// request yet: its counters appear with the first.
func prometheusSeries(facts *Facts, subject, color string) Finding {
	fact := facts.Monitoring.Series[color]
	if !fact.Known {
		return fact.unknown(subject)[0]
	}
	series := fact.Value
	live, _ := facts.live()
	switch {
	case series.Total == 0:
		return fail(subject, "prometheus has no series %s", series.Selector)
	case color == live.Name && (series.Requests == 0 || series.Latency == 0):
		return fail(subject, "prometheus has %d series %s of the request counter and %d of the latency histogram", series.Requests, series.Selector, series.Latency).
			fix("expose the request counter and the latency histogram of spec.metrics.provider %s", facts.Release.Spec.Metrics.Provider)
	default:
		return pass(subject, "prometheus has %d series %s", series.Total, series.Selector).
			with("requests", series.Requests).with("latency", series.Latency)
	}
}

// podSeries judges what any other source says, such as the pods' own
// /metrics. No requests yet is no fault of the metrics.
func podSeries(facts *Facts, subject, color string) Finding {
	reading := facts.Monitoring.Requests[color]
	switch {
	case reading.Source == "":
		finding := undeclared("metrics of " + color)
		finding.Subject = subject
		return finding
	case reading.State == measure.SourceDown:
		return unknown(subject, "%s: %s", reading.Source, reading.Detail)
	case reading.State == measure.NoData:
		return warn(subject, "%s has no data yet: %s", reading.Source, reading.Detail)
	default:
		return pass(subject, "%s answers", reading.Source).with("requestRate", fmt.Sprintf("%.2f/s", reading.Value))
	}
}
