package gate

import (
	"math"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// Result is what one rule says at one moment, with what it rests on.
type Result struct {
	Rule
	Verdict Verdict         `json:"verdict"`
	Reading measure.Reading `json:"reading"`
	// Limit is the threshold that the value was held against: Threshold,
	// or what a relative rule made of its baseline.
	Limit float64 `json:"limit"`
	// Since is when the comparison that must hold for a time began to,
	// zero when it doesn't hold. A Rollback result that passes with Since
	// set is on its way to fail.
	Since time.Time `json:"since,omitzero"`
	// Message is one sentence for people: what was read, the threshold,
	// samples and source.
	Message string `json:"message"`
}

// Evaluate holds readings against rules. It is pure: the same arguments give
// the same results, and the returned State, kept as JSON and read again,
// makes the next evaluation say what it would have said.
//
// Readings are matched to rules by their Query; baseline holds the old
// colour's readings from before the switch. A rule that has no reading has no
// data. A relative rule without a usable baseline has no data either, and is
// not required: the absolute rule on the same signal stands alone. A rule that
// compares with the old colour has its results from Compare, and none here.
func Evaluate(state State, rules []Rule, readings, baseline []measure.Reading, target, old string, now time.Time) (State, []Result) {
	now = now.Round(0) // the monotonic clock doesn't survive the journal
	next := State{Holding: map[string]Holding{}}
	results := make([]Result, 0, len(rules))
	for _, rule := range rules {
		if rule.Compares() {
			results = append(results, Comparison{Time: now}.judge(rule, target, old))
			continue
		}
		result := Result{Rule: rule, Limit: rule.Threshold}
		result.Reading = find(readings, rule.Query(target, old))
		judge(&result, baseline, old)
		if rule.Required && !rule.Disabled {
			sustain(&result, state.Holding, next.Holding, now)
		}
		result.Message = sentence(result, target, old, now)
		results = append(results, result)
	}
	return next, results
}

// find returns the reading that answers a query, or one without data.
func find(readings []measure.Reading, query measure.Query) measure.Reading {
	for _, reading := range readings {
		if reading.Query == query {
			return reading
		}
	}
	return measure.Reading{Query: query, State: measure.NoData}
}

// judge sets the verdict of this one moment. For a Rollback rule Fail means
// that the comparison is true now; how long it has been is sustain's.
func judge(result *Result, baseline []measure.Reading, old string) {
	rule, reading := result.Rule, result.Reading
	switch {
	case rule.Disabled, !rule.Required:
		result.Verdict = NoData
		return
	case reading.State == measure.NoData:
		result.Verdict = NoData
		return
	case reading.State != measure.OK, math.IsNaN(reading.Value), math.IsInf(reading.Value, 0):
		result.Verdict = SourceDown
		return
	case reading.Samples < rule.MinimumSamples && !beyondDoubt(rule, reading):
		result.Verdict = NoData
		return
	}
	if rule.RelativeTo != "" {
		limit, usable := relativeLimit(rule, find(baseline, rule.Query(old, old)))
		if !usable {
			result.Verdict, result.Required = NoData, false
			return
		}
		result.Limit = limit
	}
	holds := compare(reading.Value, rule.Comparator, result.Limit)
	result.Verdict = Pass
	if holds == (rule.Purpose == Rollback) {
		result.Verdict = Fail
	}
}

// beyondDoubt reports whether a rollback rule on the share of failed requests
// is broken whatever the requests are that it lacks: also if all of them had
// succeeded. Without it a quiet service would keep a version that fails every
// request. It says nothing of a quantile, which a few more requests may move
// anywhere.
func beyondDoubt(rule Rule, reading measure.Reading) bool {
	if rule.Purpose != Rollback || rule.Signal != measure.ErrorRatio || rule.RelativeTo != "" {
		return false
	}
	return compare(leastRatio(rule, reading), rule.Comparator, rule.Threshold) &&
		(rule.Comparator == Greater || rule.Comparator == GreaterOrEqual)
}

// leastRatio is the share that failed if every missing request had succeeded.
func leastRatio(rule Rule, reading measure.Reading) float64 {
	return reading.Value * reading.Samples / rule.MinimumSamples
}

// relativeLimit is what a relative rule compares with: a factor of the
// baseline, and never nearer to it than the minimum effect.
func relativeLimit(rule Rule, baseline measure.Reading) (limit float64, usable bool) {
	if baseline.State != measure.OK || baseline.Samples < rule.MinimumSamples ||
		math.IsNaN(baseline.Value) || math.IsInf(baseline.Value, 0) {
		return 0, false
	}
	limit = baseline.Value * rule.Threshold
	if rule.MinimumEffect == 0 {
		return limit, true
	}
	// A rule is broken on the far side of the limit: above it when the
	// rule asks for less to advance, or rolls back on more.
	above := (rule.Comparator == Less || rule.Comparator == LessOrEqual) == (rule.Purpose == Advance)
	if above {
		return max(limit, baseline.Value+rule.MinimumEffect), true
	}
	return min(limit, baseline.Value-rule.MinimumEffect), true
}

// compare holds a value against a limit.
func compare(value float64, comparator Comparator, limit float64) bool {
	switch comparator {
	case Less:
		return value < limit
	case LessOrEqual:
		return value <= limit
	case Greater:
		return value > limit
	case GreaterOrEqual:
		return value >= limit
	}
	return false
}
