package preflight

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func requestRate() Check {
	return Check{
		ID: "BG-MON-06", Title: "there are enough requests for the gate to judge by", Area: AreaMonitoring,
		Stages: []Stage{StageDeploy},
		Why:    "A rule that asks for 100 requests in a minute has no data at fewer. No data never advances, so a service that is too quiet for its rules runs into the deadline however healthy the release is.",
		Remedy: "lower minimumSamples of the rule in spec.gates.rules, or lengthen its window",
		Source: "second runbook, Deployment Procedure, step 4 (request volume parity); the numbers of requests are those of docs/gates.md",
		Evaluate: func(facts *Facts) []Finding {
			const subject = "request rate"
			live, ok := facts.live()
			switch {
			case !ok:
				return []Finding{unknown(subject, liveUnread)}
			case !facts.Monitoring.Rules.Known:
				return facts.Monitoring.Rules.unknown(subject)
			}
			reading := facts.Monitoring.Requests[live.Name]
			switch reading.State {
			case measure.OK:
				return []Finding{enoughRequests(facts, subject, reading)}
			case measure.NoData:
				if reading.Source != "" {
					return []Finding{warn(subject, "%s of %s has none to count now, and without requests nothing advances: %s", reading.Source, live.Name, reading.Detail).
						fix("start when there are requests, or make some")}
				}
			case measure.SourceDown:
				return []Finding{unknown(subject, "%s: %s", reading.Source, reading.Detail)}
			}
			return []Finding{undeclared("metrics of " + live.Name)}
		},
	}
}

// enoughRequests holds the live colour's rate, of which the target gets the
// share of the first weight, against what each rule needs within its window.
func enoughRequests(facts *Facts, subject string, reading measure.Reading) Finding {
	rate, share := reading.Value, 100
	for _, step := range facts.Release.Spec.Traffic.Steps {
		if step.Match == nil {
			share = step.Weight
			break
		}
	}
	rate *= float64(share) / 100
	var hungriest gate.Rule
	var lacking []string
	for _, rule := range facts.Monitoring.Rules.Value {
		if rule.Disabled || !rule.Required || rule.Window <= 0 || needed(rule) <= rate {
			continue
		}
		lacking = append(lacking, rule.ID)
		if needed(rule) > needed(hungriest) {
			hungriest = rule
		}
	}
	if len(lacking) == 0 {
		return pass(subject, "%s answers %.2f/s, enough for every rule", reading.Color, reading.Value).with("source", reading.Source)
	}
	got := "it"
	if share < 100 {
		got = fmt.Sprintf("the first step of %d %%", share)
	}
	return warn(subject, "%s answers %.2f/s now; %s gives the target fewer than the %g requests in %s that %s needs, so it would have no data",
		reading.Color, reading.Value, got, hungriest.MinimumSamples, release.Duration(hungriest.Window), hungriest.ID).
		with("rules", strings.Join(lacking, ", ")).with("source", reading.Source).
		fix("%s", moreSamples(hungriest, rate))
}

// needed is the requests per second that give a rule its samples.
func needed(rule gate.Rule) float64 {
	if rule.Window <= 0 {
		return 0
	}
	return rule.MinimumSamples / rule.Window.Seconds()
}

// moreSamples names the numbers with which a rule has data at half of a rate, which is
// that of a moment.
func moreSamples(rule gate.Rule, rate float64) string {
	seen := math.Floor(rate * rule.Window.Seconds())
	if seen < 1 {
		return fmt.Sprintf("start when there are more requests: %s sees less than one in its window", rule.ID)
	}
	samples := max(1, math.Floor(seen/2))
	window := time.Duration(math.Ceil(2*rule.MinimumSamples/rate/60)) * time.Minute
	return fmt.Sprintf("in spec.gates.rules, lower minimumSamples of %s to %.0f or lengthen its window to %s: by the rate of this moment, with as much again to spare",
		rule.ID, samples, release.Duration(window))
}
