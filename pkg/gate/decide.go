package gate

import (
	"fmt"
	"slices"
)

// Decision is what the results of one evaluation come to. At most one of
// Rollback and Advance is true; when neither is, Waiting says why.
type Decision struct {
	Rollback bool `json:"rollback"`
	Advance  bool `json:"advance"`
	// Waiting is one sentence: why the shift doesn't advance.
	Waiting string `json:"waiting,omitempty"`
	// SourceDown: a required signal could not be asked for. The deadline
	// and the policy of the Release say how long that is borne.
	SourceDown bool `json:"sourceDown,omitempty"`
	// Because are the results behind the decision: the rollback rules
	// that failed, or what stands in the way of advancing.
	Because []Result `json:"because,omitempty"`
}

// Decide sums results up. Any rollback rule that fails rolls back. A shift
// advances only when every required advance rule passes, there is at least
// one, no source of a required rule is down, and no rollback rule is on its
// way to fail. Rules that are disabled or that nothing declared can answer
// have no say.
func Decide(results []Result) Decision {
	var failed, down, waiting []Result
	passed := 0
	for _, result := range results {
		if result.Disabled || !result.Required {
			continue
		}
		switch {
		case result.Verdict == SourceDown:
			down = append(down, result)
		case result.Purpose == Rollback && result.Verdict == Fail:
			failed = append(failed, result)
		case result.Purpose == Rollback && !result.Since.IsZero():
			waiting = append(waiting, result)
		case result.Purpose == Advance && result.Verdict != Pass:
			waiting = append(waiting, result)
		case result.Purpose == Advance:
			passed++
		}
	}
	sourceDown := len(down) > 0
	blocking := slices.Concat(down, waiting)
	switch {
	case len(failed) > 0:
		return Decision{Rollback: true, SourceDown: sourceDown, Because: failed}
	case len(blocking) > 0:
		return Decision{SourceDown: sourceDown, Waiting: waitingFor(blocking), Because: blocking}
	case passed == 0:
		return Decision{Waiting: "no rule of the gate has anything to judge by"}
	}
	return Decision{Advance: true}
}

// waitingFor is the first reason, by its rule, and how many more there are.
func waitingFor(blocking []Result) string {
	first := blocking[0].Rule.ID + ": " + blocking[0].Message
	if len(blocking) == 1 {
		return first
	}
	return fmt.Sprintf("%s; and %d more", first, len(blocking)-1)
}
