package gate

import (
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// relativeToOld is the RelativeTo of a rule that holds the target against the
// old colour over the same minutes, or against the minutes before the switch
// where that gave everything to the target. It is broken only when that is
// certain: see package relative.
const relativeToOld = "old"

// relativeRules are the questions of package relative as rules of a purpose.
// The share of the requests never rolls back: that they go elsewhere is more
// often the clients' doing, or the route's, than the release's.
func relativeRules(purpose Purpose) []Rule {
	const compare = "second runbook, Deployment Procedure, step 4: compare v1 (historical) with v2 (live)"
	const certain = ", and that it must be certain (docs/relative.md)"
	allowed := relative.New("", "")
	rule := func(purpose Purpose, signal measure.Signal, threshold float64, source string) Rule {
		comparator := LessOrEqual
		if purpose == Rollback {
			comparator = Greater
		}
		return Rule{ID: string(purpose) + "-" + string(signal) + "-relative", Purpose: purpose, Subject: Target, Signal: signal,
			Comparator: comparator, Threshold: threshold, RelativeTo: relativeToOld, Source: source}
	}
	return []Rule{
		rule(purpose, measure.ErrorRatio, allowed.ErrorsAllowed, compare+"; 0.2 points are ours"+certain),
		rule(purpose, measure.LatencyP95, allowed.LatencyAllowed, compare+"; the factor of 1.2 is ours"+certain),
		rule(Advance, measure.RequestRate, allowed.ShareAllowed, "second runbook, Deployment Procedure, step 4: request volume matches; a fifth off its weight is ours, as is half of the requests of before a switch of everything"+certain),
	}
}

// purposeOf is what the relative rules of a release decide.
func purposeOf(gates release.Gates) Purpose {
	if gates.Relative == release.RelativeRollback {
		return Rollback
	}
	return Advance
}

// Compares reports whether the rule holds the target against the old colour.
func (r Rule) Compares() bool { return r.RelativeTo == relativeToOld }

// Comparing is the gate by which the rules hold the target against the old colour,
// and whether any of them does.
func Comparing(rules []Rule, target, old string) (comparing relative.Gate, any bool) {
	comparing = relative.New(old, target)
	for _, rule := range rules {
		if !rule.Compares() || rule.Disabled || !rule.Required {
			continue
		}
		any = true
		switch rule.Signal {
		case measure.ErrorRatio:
			comparing.ErrorsAllowed = rule.Threshold
		case measure.LatencyP95:
			comparing.LatencyAllowed = rule.Threshold
		case measure.RequestRate:
			comparing.ShareAllowed = rule.Threshold
		}
	}
	return comparing, any
}

// Comparison is what is known of the target against the old colour.
type Comparison struct {
	// Results are those of package relative, nil where nothing is compared.
	Results []relative.Result
	// Before: the old colour is that of the minutes before the switch.
	Before bool
	// Missing is why what happened last could not be compared, "" if it could.
	Missing string
	Time    time.Time
}

// firstBound is how many batches the first bounds can rest on: see package
// relative. A question with as many that has none waits for as many again. With
// more it may be that its numbers stray too much, and waiting would not end.
const firstBound = 11

// patience is the longest that it waits: of little traffic a batch takes minutes, and
// a gate that stays closed for longer than gates.sourceDown.deadline holds the run.
const patience = 100 * time.Second

// awaitsBound reports whether a question without bounds may have one soon.
func awaitsBound(known relative.Result) bool {
	waited := known.Batches - firstBound
	return waited >= 0 && waited < firstBound && time.Duration(waited+1)*known.Pace <= patience
}

// Compare gives the rules that compare their results, in place of those that
// Evaluate gave to the same rules. It is pure.
func Compare(rules []Rule, results []Result, comparison Comparison, target, old string) []Result {
	compared := make([]Result, len(results))
	for i, result := range results {
		if compared[i] = result; rules[i].Compares() {
			compared[i] = comparison.judge(rules[i], target, old)
		}
	}
	return compared
}

// judge is what one rule that compares says. What is certain is a Fail or a Pass;
// what is not is no reason to wait, for it may never be. A question without
// data is not required, but for a while: see firstBound and patience.
func (c Comparison) judge(rule Rule, target, old string) Result {
	result := Result{Rule: rule, Verdict: NoData, Limit: rule.Threshold,
		Reading: measure.Reading{Query: rule.Query(target, old), State: measure.NoData, Time: c.Time}}
	if rule.Disabled || !rule.Required {
		result.Message = sentence(result, target, old, c.Time)
		return result
	}
	known := c.answer(rule.Signal)
	result.Reading.Value, result.Reading.Samples, result.Reading.Detail = known.Estimate, float64(known.Batches), c.explain(known, target, old)
	result.Message = result.Reading.Detail
	switch known.Verdict {
	case relative.Fail:
		result.Verdict, result.Reading.State, result.Since = Fail, measure.OK, known.Since
	case relative.Pass, relative.Undecided:
		result.Verdict, result.Reading.State = Pass, measure.OK
	default:
		result.Required = awaitsBound(known)
	}
	return result
}

// answer is the result of the question that a rule about a signal asks. Where
// everything was given to the target, its share is that of the requests before.
func (c Comparison) answer(signal measure.Signal) relative.Result {
	question := relative.Errors
	switch {
	case signal == measure.LatencyP95:
		question = relative.Latency
	case signal == measure.RequestRate && c.Before:
		question = relative.Volume
	case signal == measure.RequestRate:
		question = relative.Share
	}
	for _, result := range c.Results {
		if result.Question == question {
			return result
		}
	}
	return relative.Result{Question: question, Verdict: relative.NoData}
}

// explain is the sentence of a result, and why nothing is added to it.
func (c Comparison) explain(known relative.Result, target, old string) string {
	text := known.Sentence
	if text == "" {
		text = "no data: " + target + " and " + old + " are not compared"
	}
	if c.Missing != "" {
		text += ": " + c.Missing
	}
	return text
}
