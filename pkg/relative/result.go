package relative

import (
	"math"
	"time"
)

// Verdict is what is known of one question at one moment.
type Verdict string

// The verdicts.
const (
	// Pass: it is certain that what is allowed is kept.
	Pass Verdict = "pass"
	// Fail: it is certain that it isn't. A Fail stays one.
	Fail Verdict = "fail"
	// Undecided: neither is certain. It is no reason to wait: a difference
	// just below what is allowed may never be told from one just above.
	Undecided Verdict = "undecided"
	// NoData: there are no bounds yet, for want of intervals in which both
	// sides had requests.
	NoData Verdict = "no-data"
)

// Result is what is known of one question, and why.
type Result struct {
	Question Question `json:"question"`
	Verdict  Verdict  `json:"verdict"`
	// Estimate is the difference, over all that was counted: of the shares
	// of requests that fail (Errors) or that take too long (Latency), 0 to 1;
	// of the requests from what is due, as a part of that (Share, Volume).
	// Without data it and the bounds say nothing.
	Estimate float64 `json:"estimate"`
	// Lower and Upper are the best bounds so far; they hold at any time. A
	// difference that changed can leave Lower above Upper.
	Lower float64 `json:"lower"`
	Upper float64 `json:"upper"`
	// Batches is how many intervals were counted, those shorter than 5 s, or
	// than 15 s against the window before a switch, put together.
	Batches int `json:"batches"`
	// Pace is how long one took to come together so far.
	Pace time.Duration `json:"pace,omitempty"`
	// Since is the beginning of the time that a Fail is about.
	Since time.Time `json:"since,omitzero"`
	// Sentence explains the verdict to people.
	Sentence string `json:"sentence"`
}

// Results say what is known in a state: one for each of Questions.
func (g Gate) Results(state State) []Result {
	results := make([]Result, 0, len(Questions()))
	for _, question := range Questions() {
		results = append(results, g.result(question, *state.evidence(question), state))
	}
	return results
}

// result judges what is known of one question.
func (g Gate) result(question Question, known evidence, state State) Result {
	result := Result{Question: question, Verdict: NoData, Batches: known.Batches}
	if known.Batches > 0 {
		result.Pace = state.Until.Sub(known.Series[0].Since) / time.Duration(known.Batches)
	}
	if known.Above == nil || known.Below == nil {
		result.Sentence = g.absence(known)
		return result
	}
	result.Estimate = known.Series[0].estimate()
	result.Lower, result.Upper = max(known.Above.Bound, -1), known.Below.Bound // nothing is less than nothing
	if question == Errors || question == Latency {
		result.Upper = min(result.Upper, 1) // nor more than everything
	}
	least, most := g.allowed(question)
	switch {
	case result.Lower > most:
		result.Verdict, result.Since = Fail, known.Above.Series.Since
	case result.Upper < least:
		result.Verdict, result.Since = Fail, known.Below.Series.Since
	case result.Lower >= least && result.Upper <= most && result.Estimate >= least && result.Estimate <= most:
		result.Verdict = Pass
	default:
		result.Verdict = Undecided
	}
	result.Sentence = g.sentence(result, known, state.Weight)
	return result
}

// allowed are the differences that are no failure.
func (g Gate) allowed(question Question) (least, most float64) {
	switch question {
	case Errors:
		return math.Inf(-1), g.ErrorsAllowed
	case Latency:
		return math.Inf(-1), 0 // what is allowed is in the bound
	case Share:
		return -g.ShareAllowed, g.ShareAllowed
	}
	return -g.LossAllowed, math.Inf(1)
}
