package gate

import (
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// State is what evaluations remember: which comparisons hold, and for how
// long. It is small and serialisable; the zero State remembers nothing.
type State struct {
	// Holding is by the Key of the rule.
	Holding map[string]Holding `json:"holding,omitempty"`
}

// Holding is how long the comparison of a sustained rule has held.
//
// What counts is time between two readings that both hold with nothing
// missing between them. A reading that doesn't hold ends the holding. Missing
// data (no data, or a source that is down) neither ends it nor adds to it:
// the time until data is back doesn't count, so that absence alone never
// makes a rule fail, and the holding survives an absence of up to the rule's
// For, so that a blink of the source doesn't hide a real breach. And the time
// between two readings counts at most half of For, however far apart they
// are: at least three readings stand behind every sustained verdict, also
// after a run was interrupted and resumed.
type Holding struct {
	// Since is the time of the first reading that held.
	Since time.Time `json:"since"`
	// Last is the time of the last reading that held.
	Last time.Time `json:"last"`
	// Held is the time that counts.
	Held time.Duration `json:"held"`
	// Samples is how many readings held.
	Samples int `json:"samples"`
	// Interrupted: data has been missing since Last.
	Interrupted bool `json:"interrupted,omitempty"`
}

// sustain turns the verdict of the moment into one over time, and carries
// the holding from one state to the next. A Rollback rule is sustained while
// its comparison fails the release, an Advance rule while it lets it pass.
func sustain(result *Result, before, after map[string]Holding, now time.Time) {
	if result.For <= 0 {
		if result.Purpose == Rollback && result.Verdict == Fail {
			result.Since = now
		}
		return
	}
	key := result.Key()
	holding, held := before[key]
	sustained := Pass
	if result.Purpose == Rollback {
		sustained = Fail
	}
	switch result.Verdict {
	case NoData, SourceDown:
		if held && now.Sub(holding.Last) <= result.For {
			holding.Interrupted = true
			after[key] = holding
			result.Since = holding.Since
		}
	case sustained:
		holding = holding.extend(held, result.For, now)
		after[key] = holding
		result.Since = holding.Since
		if holding.Held < result.For && !exhausted(result.Reading) {
			result.Verdict = opposite(sustained)
		}
	}
}

// extend adds one more reading that held.
func (h Holding) extend(held bool, required time.Duration, now time.Time) Holding {
	gap := max(now.Sub(h.Last), 0)
	if !held || (h.Interrupted && gap > required) {
		return Holding{Since: now, Last: now, Samples: 1}
	}
	if !h.Interrupted {
		h.Held += min(gap, (required+1)/2)
	}
	h.Last, h.Interrupted = now, false
	h.Samples++
	return h
}

// opposite is what a sustained verdict reads as until it has held for long
// enough.
func opposite(verdict Verdict) Verdict {
	if verdict == Fail {
		return Pass
	}
	return Fail
}

// exhausted reports that the database has no connection left, which is what
// a refusal with SQLSTATE 53300 reads as. It is never waited upon.
func exhausted(reading measure.Reading) bool {
	return reading.Signal == measure.DatabaseConnections && reading.Value >= 1
}
