package main

import (
	"math"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/kayenta"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/simulate"
)

// judge says when it first failed a release, counted from the switch, if it did.
type judge struct {
	name   string
	failed func(made simulate.Release) (at time.Duration, failed bool)
}

// judges are all that are compared. The first is the one that makes a promise.
func judges() []judge {
	return []judge{
		{"relative gate", byComparison},
		{"fixed thresholds", byThresholds},
		{"Kayenta, at the end", byKayentaAtTheEnd},
		{"Kayenta, each minute", byKayentaEachMinute},
	}
}

// switched is when every release is switched. Nothing depends on it.
func switched() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// baseline is what the new colour is compared with in the n-th interval after
// the switch: the old one's, or, when it has no weight, its interval as far from
// the beginning of the window before.
func baseline(made simulate.Release, n int) (old simulate.Counts, before bool) {
	if made.Weight == 1 {
		return made.Before[n].Old, true
	}
	return made.After[n].Old, false
}

// byComparison is the relative gate with its defaults.
func byComparison(made simulate.Release) (time.Duration, bool) {
	compared, state := relative.New("blue", "green"), relative.State{}
	for n, interval := range made.After {
		old, before := baseline(made, n)
		from := switched().Add(interval.Start)
		var results []relative.Result
		state, results = compared.Observe(state, relative.Observation{
			From: from, To: from.Add(simulate.Step), Weight: made.Weight, Before: before, Old: sample(old), New: sample(interval.New),
		})
		for _, result := range results {
			if result.Verdict == relative.Fail {
				return interval.Start + simulate.Step, true
			}
		}
	}
	return 0, false
}

// sample is what a source would tell of counts.
func sample(counts simulate.Counts) relative.Sample {
	latency := relative.Histogram{Bounds: simulate.Bounds(), Counts: make([]float64, len(counts.Buckets))}
	for i, count := range counts.Buckets {
		latency.Counts[i] = float64(count)
	}
	return relative.Sample{Requests: float64(counts.Requests), Failed: float64(counts.Errors), Latency: latency}
}

// byThresholds are the rollback rules of the profile weighted on errors and
// latency: more than 1 % for 60 s, a p95 above 1 s for 2 min.
func byThresholds(made simulate.Release) (time.Duration, bool) {
	rules := thresholds()
	state := gate.State{}
	window := int(rules[0].Window / simulate.Step)
	for n, interval := range made.After {
		var seen simulate.Counts
		for _, recent := range made.After[max(0, n+1-window) : n+1] {
			seen = seen.Add(recent.New)
		}
		now := switched().Add(interval.Start + simulate.Step)
		readings := make([]measure.Reading, len(rules))
		for i, rule := range rules {
			readings[i] = measure.Reading{Query: rule.Query("green", "blue"), State: measure.OK, Samples: float64(seen.Requests), Time: now}
			switch {
			case seen.Requests == 0:
				readings[i].State = measure.NoData
			case rule.Signal == measure.ErrorRatio:
				readings[i].Value = seen.Ratio()
			default:
				readings[i].Value = seen.Quantile(0.95)
			}
		}
		var results []gate.Result
		if state, results = gate.Evaluate(state, rules, readings, nil, "green", "blue", now); gate.Decide(results).Rollback {
			return interval.Start + simulate.Step, true
		}
	}
	return 0, false
}

// thresholds are the two rules.
func thresholds() []gate.Rule {
	rules, err := gate.Rules(release.Gates{Profile: gate.Weighted}, nil, func(measure.Query) bool { return true })
	if err != nil {
		return nil // the profile is the product's own
	}
	var chosen []gate.Rule
	for _, rule := range rules {
		if rule.ID == "rollback-error-ratio" || rule.ID == "rollback-latency-p95" {
			chosen = append(chosen, rule)
		}
	}
	return chosen
}

// byKayentaAtTheEnd is a single run over the whole watch.
func byKayentaAtTheEnd(made simulate.Release) (time.Duration, bool) {
	return simulate.Watch, score(made, len(made.After)) < kayenta.Passing
}

// byKayentaEachMinute is a run over what there is after each minute, from ten
// points on; all but the last need only be better than marginal.
func byKayentaEachMinute(made simulate.Release) (time.Duration, bool) {
	minute := int(time.Minute / simulate.Step)
	for intervals := minute; intervals < len(made.After); intervals += minute {
		if score(made, intervals) < kayenta.Marginal {
			return time.Duration(intervals) * simulate.Step, true
		}
	}
	return byKayentaAtTheEnd(made)
}

// score is Kayenta's for the first intervals after the switch, one point of each
// metric for each of them: it asks for fifty and more. It compares equal shares.
func score(made simulate.Release, intervals int) float64 {
	errors, latency, volume := metric("errors", kayenta.Increase, intervals), metric("latency", kayenta.Increase, intervals), metric("volume", kayenta.Either, intervals)
	share := 1.0
	if made.Weight < 1 {
		share = (1 - made.Weight) / made.Weight
	}
	for n := range intervals {
		old, _ := baseline(made, n)
		fresh := made.After[n].New
		errors.Baseline[n], errors.Canary[n] = 100*old.Ratio(), 100*fresh.Ratio()
		latency.Baseline[n], latency.Canary[n] = 1000*old.Quantile(0.95), 1000*fresh.Quantile(0.95)
		volume.Baseline[n], volume.Canary[n] = float64(old.Requests), share*float64(fresh.Requests)
	}
	return math.Round(100*kayenta.Score([]kayenta.Metric{errors, latency, volume})) / 100
}

// metric has room for so many points.
func metric(name string, direction kayenta.Direction, points int) kayenta.Metric {
	return kayenta.Metric{Name: name, Direction: direction, Baseline: make([]float64, points), Canary: make([]float64, points)}
}
