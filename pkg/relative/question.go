package relative

import "slices"

// Question is one thing in which the colours are compared.
type Question string

// The questions.
const (
	// Errors: does the new colour fail a larger share of its requests?
	Errors Question = "errors"
	// Latency: is its p95 too many times the old one's?
	Latency Question = "latency-p95"
	// Share: does it get the part of the requests that its weight promises?
	Share Question = "share"
	// Volume: does it get as many as the old one did before the switch? It
	// stands in for Share where the window before the switch does for the old
	// colour.
	Volume Question = "volume"
)

// Questions are all of them.
func Questions() []Question { return []Question{Errors, Latency, Share, Volume} }

// contribution is what one interval adds to the answer of a question. With
// difference the true one, excess − difference·exposure has a mean of zero.
type contribution struct {
	excess, exposure float64
	// old and new are the requests of each side.
	old, new float64
	// ratio says that requests are counted among requests: oldHits and
	// newHits of them.
	ratio            bool
	oldHits, newHits float64
	// least is the exposure that a batch must come to.
	least float64
	// bound is the latency that hits are above: the old colour's.
	bound float64
}

// tailShare is the share of requests above a 95th percentile.
const tailShare = 0.05

// tailLeast is how many requests of the old colour must have been seen to say
// about where its p95 is: ten of 200 are above it.
const tailLeast = 200

// contribution reads an observation for a question, if it has an answer.
func (g Gate) contribution(question Question, seen Observation, answered Histogram) (contribution, bool) {
	switch question {
	case Errors:
		return ratios(seen.Old.Requests, seen.Old.Failed, seen.New.Requests, seen.New.Failed)
	case Latency:
		return g.latency(seen, answered)
	case Share:
		return volume(seen, seen.Old.Requests+seen.New.Requests, !seen.Before && !seen.Unshared)
	case Volume:
		return volume(seen, seen.Old.Requests, seen.Before)
	}
	return contribution{}, false
}

// ratios compares two shares by what the new side has too many, were both
// alike: the numerator and the denominator of Mantel and Haenszel's estimate.
func ratios(oldAll, oldHits, newAll, newHits float64) (contribution, bool) {
	if oldAll == 0 || newAll == 0 {
		return contribution{}, false
	}
	return contribution{
		excess: (newHits*oldAll - oldHits*newAll) / (oldAll + newAll), exposure: oldAll * newAll / (oldAll + newAll),
		old: oldAll, new: newAll, ratio: true, oldHits: oldHits, newHits: newHits,
	}, true
}

// latency compares the share of the old colour's requests above its p95, as it
// was known before, with that of the new one's above so many times as much.
func (g Gate) latency(seen Observation, answered Histogram) (contribution, bool) {
	bound, known := answered.quantile(1 - tailShare)
	if !known || answered.total() < tailLeast || !slices.Equal(answered.Bounds, seen.Old.Latency.Bounds) || !slices.Equal(answered.Bounds, seen.New.Latency.Bounds) {
		return contribution{}, false
	}
	oldHits, oldKnown := seen.Old.Latency.above(bound)
	newHits, newKnown := seen.New.Latency.above(g.LatencyAllowed * bound)
	if !oldKnown || !newKnown {
		return contribution{}, false
	}
	compared, told := ratios(seen.Old.Latency.total(), oldHits, seen.New.Latency.total(), newHits)
	compared.bound = bound
	return compared, told
}

// dueLeast is how many requests of the new colour a batch must make expected: of
// fewer most batches have none, which looks like certainty. Five is the usual
// least of an expected count (Cochran, Biometrics 10, 1954).
const dueLeast = 5

// volume compares the new colour's requests with its weight among all that
// there are, where that is what is asked.
func volume(seen Observation, all float64, asked bool) (contribution, bool) {
	due := seen.Weight * all
	return contribution{excess: seen.New.Requests - due, exposure: due, least: dueLeast, old: seen.Old.Requests, new: seen.New.Requests}, asked
}
