package preflight

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// logsArrive is how long a line may take from a pod to a Loki: collectors and
// their queues send every few seconds.
const logsArrive = time.Minute

func logsByVersion() Check {
	return Check{
		ID: "BG-LOG-01", Title: "the logs of each colour are found by its version", Area: AreaLogs,
		Stages: []Stage{StageDeploy},
		Why: "When the new version fails, its logs are searched for by what sets it apart. Lines that lack that label, or that two colours share, " +
			"are found too late or among those of the other colour. The labels of the pods decide, as the collector of the logs should put them on every stream.",
		Remedy:   "see that what collects the logs gives each stream the label of spec.logs.loki.versionLabel from its pod",
		Source:   "second runbook, Pre-Deployment Checklist, Monitoring & Observability (Loki logs are tagged with app_version and searchable by deployment color); Common Pitfalls, Logs missing version tag",
		Evaluate: func(facts *Facts) []Finding { return eachLogs(facts, foundByVersion) },
	}
}

// eachLogs judges what a Loki has of every colour that has pods.
func eachLogs(facts *Facts, judge func(facts *Facts, subject string, color Color, logs measure.Logs) Finding) []Finding {
	if facts.Release.Spec.Logs.Loki == nil {
		return []Finding{undeclared("logs")}
	}
	var findings []Finding
	for _, color := range facts.colors() {
		subject, logs := "logs of "+color.Name, facts.Logs[color.Name]
		switch {
		case color.Planned || logs.Known && logs.Value.Pods == 0:
			findings = append(findings, skip(subject, "it has no pods yet that could log"))
		case !logs.Known:
			findings = append(findings, logs.unknown(subject)...)
		default:
			findings = append(findings, judge(facts, subject, color, logs.Value).
				at("spec.logs.loki").with("selector", logs.Value.Selector).with("pods", logs.Value.Pods).with("sought", logs.Value.Sought))
		}
	}
	return findings
}

func foundByVersion(facts *Facts, subject string, color Color, logs measure.Logs) Finding {
	if len(logs.Strays) > 0 {
		return fail(subject, "%s does not find every stream of its pods: %s", logs.Selector, strayText(logs))
	}
	other := facts.Logs[facts.Release.Spec.Other(color.Name)]
	if shared := slices.IndexFunc(logs.Values, func(value string) bool { return slices.Contains(other.Value.Values, value) }); shared >= 0 {
		return fail(subject, "the other colour has %s=%q too, so its logs are found with those of %s", logs.Label, logs.Values[shared], color.Name).
			fix("give the pods of both colours different values of the label, or name one in spec.logs.loki.versionLabel that differs")
	}
	if logs.Streams == 0 {
		return notFound(facts, subject, logs)
	}
	return pass(subject, "%s finds %d streams", logs.Selector, logs.Streams)
}

// strayText says of some streams why they are not found.
func strayText(logs measure.Logs) string {
	var texts []string
	for index, stray := range logs.Strays {
		if index == namedStrays {
			texts = append(texts, fmt.Sprintf("%d more", len(logs.Strays)-namedStrays))
			break
		}
		said := "has no label " + logs.Label
		if stray.Value != "" {
			said = fmt.Sprintf("has %s=%q", logs.Label, stray.Value)
		}
		texts = append(texts, fmt.Sprintf("that of pod %s %s", stray.Pod, said))
	}
	return strings.Join(texts, ", ")
}

// namedStrays is how many streams a finding names.
const namedStrays = 3

// notFound says what it means that no stream of a colour is there: by what its
// pods have written themselves.
func notFound(facts *Facts, subject string, logs measure.Logs) Finding {
	unread, young := "", false
	for _, pod := range logs.Followed {
		age := facts.Time.Sub(pod.Written)
		switch {
		case pod.Unread != "":
			unread = pod.Unread
		case pod.Written.IsZero() || age > measure.LogWindow:
		case age < logsArrive:
			young = true
		default:
			return fail(subject, "%s finds nothing, and pod %s wrote a line %s ago", logs.Selector, pod.Pod, age.Round(time.Second)).
				fix("see that the lines of the pods are collected, and that spec.logs.loki.selector and versionLabel are what their streams have")
		}
	}
	switch {
	case young:
		finding := unknown(subject, "%s finds nothing yet, and its pods wrote their first lines less than %s ago", logs.Selector, logsArrive).fix("check again in a minute")
		finding.Transient = true
		return finding
	case unread != "":
		return unknown(subject, "%s finds nothing, and whether its pods write anything can't be told: %s", logs.Selector, unread)
	default:
		return warn(subject, "%s finds nothing, as its pods have written no line in %.0f h", logs.Selector, measure.LogWindow.Hours()).
			fix("see that the pods write their logs to standard output")
	}
}
