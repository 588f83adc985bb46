package relative

import "time"

// Gate compares two colours. Make one with [New]; its numbers may be changed.
type Gate struct {
	// Old and New are the colours' names, for sentences.
	Old, New string
	// Alpha is the probability, 0 to 1, that a healthy release ever fails.
	Alpha float64
	// ErrorsAllowed is how much larger the new colour's share of failed
	// requests may be, 0 to 1.
	ErrorsAllowed float64
	// LatencyAllowed is how many times the old colour's p95 may be.
	LatencyAllowed float64
	// ShareAllowed is how far the new colour's requests may be from its
	// weight, as a part of the weight, either way.
	ShareAllowed float64
	// LossAllowed is the part of the requests that may be missing against
	// the window before the switch. More of them are no fault.
	LossAllowed float64
	// WarmUp is what is left out after the first observation and after each
	// one that has another weight.
	WarmUp time.Duration
}

const (
	// alpha is one false alarm in a hundred healthy releases.
	alpha = 0.01
	// errorsAllowed, latencyAllowed: 0.2 points and a fifth are what the
	// rules against the baseline allow too (docs/gates.md).
	errorsAllowed  = 0.002
	latencyAllowed = 1.2
	// shareAllowed is ours: routers balance connections rather than requests,
	// and a fifth off is still the release that was asked for.
	shareAllowed = 0.2
	// lossAllowed: with half of the requests of before some are missing, with
	// fewer than all traffic merely varies (docs/gates.md).
	lossAllowed = 0.5
	// warmUp is ours: what fades with e in 8 s is gone, and a Kubernetes
	// Service's endpoints and a client's new connections have settled.
	warmUp = 30 * time.Second
)

// New compares a new colour with an old one, with the defaults.
func New(oldColor, newColor string) Gate {
	return Gate{
		Old: oldColor, New: newColor, Alpha: alpha,
		ErrorsAllowed: errorsAllowed, LatencyAllowed: latencyAllowed, ShareAllowed: shareAllowed, LossAllowed: lossAllowed,
		WarmUp: warmUp,
	}
}

// Observe adds an observation to what is known, and says what is known then:
// one result for each of Questions, in their order. Observations must come in
// the order of time; one that makes no sense, or overlaps with the last one, or
// falls in the warm-up, adds nothing. The state is not changed: the next one is
// returned.
func (g Gate) Observe(state State, seen Observation) (State, []Result) {
	next := state.copied()
	if !seen.valid() || seen.From.Before(next.Until) {
		return next, g.Results(next)
	}
	if next.Until.IsZero() || seen.Weight != next.Weight {
		next.Weight, next.Settled = seen.Weight, seen.From.Add(g.WarmUp)
	}
	next.Until = seen.To
	if !seen.From.Before(next.Settled) {
		for _, question := range Questions() {
			if contribution, told := g.contribution(question, seen, next.Answered); told {
				next.evidence(question).add(contribution, seen, g.Alpha/float64(len(Questions())))
			}
		}
	}
	next.Answered = next.Answered.plus(seen.Old.Latency)
	return next, g.Results(next)
}
