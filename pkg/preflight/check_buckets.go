package preflight

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// widest is how far apart the two bounds around a threshold may lie before a
// quantile between them says little: within one bucket it is interpolated.
const widest = 2.5

func bucketsBracket() Check {
	return Check{
		ID: "BG-MON-03", Title: "latency buckets bracket every latency threshold", Area: AreaMonitoring,
		Stages: []Stage{StageDeploy},
		Why:    "A quantile is interpolated within a bucket, and never exceeds the largest finite bound. A threshold above that bound never fires; one in a wide bucket fires by guess.",
		Remedy: "add the thresholds of the gate to the buckets of the latency histogram",
		Source: "first runbook, Deployment Procedure, step 4 (P95 < 300 ms); both runbooks, When to Roll Back",
		Evaluate: func(facts *Facts) []Finding {
			if !facts.Monitoring.Declared {
				return []Finding{undeclared("prometheus")}
			}
			if !facts.Monitoring.Rules.Known {
				return facts.Monitoring.Rules.unknown("latency buckets")
			}
			if len(latencyThresholds(facts)) == 0 {
				return []Finding{skip("latency buckets", "no rule of the gate has a latency threshold")}
			}
			var findings []Finding
			for _, color := range facts.colors() {
				findings = append(findings, bucketsOf(facts, color)...)
			}
			return findings
		},
	}
}

func bucketsOf(facts *Facts, color Color) []Finding {
	subject := "latency buckets of " + color.Name
	series := facts.Monitoring.Series[color.Name]
	if !series.Known {
		return series.unknown(subject)
	}
	bounds := series.Value.Bounds
	switch {
	case len(bounds) == 0 && (color.Planned || color.absent):
		return []Finding{unknown(subject, "it has no latency histogram yet").
			fix("nothing to do before %s runs; its latency histogram then needs buckets at the thresholds of the gate", color.Name)}
	case len(bounds) == 0:
		return []Finding{unknown(subject, "it has no latency histogram yet").
			fix("send it a request, and see that its pods export a latency histogram with buckets at the thresholds of the gate")}
	}
	thresholds := latencyThresholds(facts)
	var findings []Finding
	for _, rule := range slices.Sorted(maps.Keys(thresholds)) {
		if finding, bad := bracket(subject, rule, thresholds[rule], bounds); bad {
			findings = append(findings, finding.with("bounds", fmt.Sprint(bounds)))
		}
	}
	if len(findings) > 0 {
		return findings
	}
	return []Finding{pass(subject, "they bracket %d thresholds", len(thresholds)).with("bounds", fmt.Sprint(bounds))}
}

// latencyThresholds are those of the gate that a quantile is held against as it
// is, in seconds by the rule's id.
func latencyThresholds(facts *Facts) map[string]float64 {
	thresholds := map[string]float64{}
	for _, rule := range facts.Monitoring.Rules.Value {
		if rule.Signal == measure.LatencyP95 && rule.RelativeTo == "" && !rule.Disabled {
			thresholds[rule.ID] = rule.Threshold
		}
	}
	return thresholds
}

// bracket looks for the finite bounds around a threshold. A bound that equals
// it is the best there is, as long as another lies above.
func bracket(subject, rule string, threshold float64, bounds []float64) (Finding, bool) {
	above := slices.IndexFunc(bounds, func(bound float64) bool { return bound > threshold })
	switch {
	case above < 0:
		return fail(subject, "no finite bound is above %g s (%s), so that threshold never fires", threshold, rule).
			fix("add a bucket above %g s, and one at it, to the latency histogram", threshold), true
	case above == 0:
		return warn(subject, "no bound is at or under %g s (%s): every quantile there is a guess", threshold, rule), true
	case bounds[above-1] < threshold && bounds[above] > widest*bounds[above-1]:
		return warn(subject, "%g s (%s) lies between the bounds %g and %g: a quantile there is a guess", threshold, rule, bounds[above-1], bounds[above]), true
	default:
		return Finding{}, false
	}
}
