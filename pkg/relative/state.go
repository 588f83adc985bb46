package relative

import (
	"slices"
	"time"
)

// State is what is known of a release so far. Its zero value is the beginning.
// It is as large after an hour as after ten minutes.
type State struct {
	// Weight is that of the last observation, Settled when the warm-up after
	// its beginning ends, Until where the last observation ended.
	Weight  float64   `json:"weight"`
	Settled time.Time `json:"settled"`
	Until   time.Time `json:"until"`
	// Answered is the old colour's latency in all that was observed.
	Answered Histogram `json:"answered,omitzero"`
	Errors   evidence  `json:"errors"`
	Latency  evidence  `json:"latency"`
	Share    evidence  `json:"share"`
	Volume   evidence  `json:"volume"`
}

// evidence is what is known about one question.
type evidence struct {
	// Open is the batch that is being filled.
	Open batch `json:"open,omitzero"`
	// Batches is how many there were, Counts how many counts were begun.
	Batches int `json:"batches"`
	Counts  int `json:"counts"`
	// Series are the counts that go on, the oldest first.
	Series []series `json:"series,omitempty"`
	// Above is the largest difference that was ever proven, Below the
	// smallest that was ever excluded.
	Above *claim `json:"above,omitempty"`
	Below *claim `json:"below,omitempty"`
	// Bound is the latest latency that hits were above.
	Bound float64 `json:"bound,omitempty"`
}

// claim is a bound, with the count that it comes from as it was then.
type claim struct {
	Bound  float64   `json:"bound"`
	At     time.Time `json:"at"`
	Series series    `json:"series"`
	// Limit is the latency that hits were above then, Weight the weight.
	Limit  float64 `json:"limit,omitempty"`
	Weight float64 `json:"weight"`
}

// batch is what some intervals come to.
type batch struct {
	From     time.Time     `json:"from"`
	Lasts    time.Duration `json:"lasts"`
	Excess   float64       `json:"excess"`
	Exposure float64       `json:"exposure"`
	Old      float64       `json:"old"`
	New      float64       `json:"new"`
	OldHits  float64       `json:"oldHits,omitempty"`
	NewHits  float64       `json:"newHits,omitempty"`
}

const (
	// batchLasts is how long a batch is at least: gates.interval by default.
	// Readings at a shorter one are put together, for they are the more alike.
	batchLasts = 5 * time.Second
	// batchLastsBefore is that of one against the window before: what befalls
	// both colours at once is on one side only then, and a bad spell of half a
	// minute must not fill eleven batches. Chosen like mixture.
	batchLastsBefore = 15 * time.Second
	// anew is how often a further count begins.
	anew = 30 * time.Second
	// seriesMost are counts that go on: the first, and those of the last ten
	// minutes. Giving one up is no gain for anybody, and so costs no alpha.
	seriesMost = 21
)

// copied is a state that shares nothing with the old one which is written to.
func (s State) copied() State {
	for _, question := range Questions() {
		known := s.evidence(question)
		known.Series = slices.Clone(known.Series)
	}
	return s
}

// evidence is where what is known about a question is.
func (s *State) evidence(question Question) *evidence {
	switch question {
	case Errors:
		return &s.Errors
	case Latency:
		return &s.Latency
	case Share:
		return &s.Share
	}
	return &s.Volume
}

// add counts an interval in. Once the batch is full every count gets it, and
// what they prove at their level of alpha is kept.
func (e *evidence) add(told contribution, seen Observation, alpha float64) {
	if told.bound > 0 {
		e.Bound = told.bound
	}
	e.Open.add(told, seen)
	if e.Open.Lasts < fullAfter(seen) || e.Open.Exposure < told.least {
		return
	}
	full := e.Open
	e.Open = batch{}
	if len(e.Series) == 0 || !full.From.Before(e.Series[len(e.Series)-1].Since.Add(anew)) {
		e.begin(full.From)
	}
	e.Batches++
	for i := range e.Series {
		e.Series[i].add(full)
		e.prove(e.Series[i], alpha, told.ratio, claim{At: seen.To, Limit: e.Bound, Weight: seen.Weight})
	}
}

// fullAfter is how long a batch must last.
func fullAfter(seen Observation) time.Duration {
	if seen.Before {
		return batchLastsBefore
	}
	return batchLasts
}

// begin begins a further count, and gives up the second one of too many.
func (e *evidence) begin(at time.Time) {
	e.Counts++
	e.Series = append(e.Series, series{Number: e.Counts, Since: at})
	if len(e.Series) > seriesMost {
		e.Series = slices.Delete(e.Series, 1, 2)
	}
}

// prove keeps the bounds of a count where they are better than what is known,
// with the circumstances.
func (e *evidence) prove(count series, alpha float64, ratio bool, now claim) {
	now.Series = count
	alpha /= float64(count.Number) * float64(count.Number+1)
	if bound, known := count.lower(alpha, ratio); known && (e.Above == nil || bound > e.Above.Bound) {
		above := now
		above.Bound, e.Above = bound, &above
	}
	if bound, known := count.upper(alpha, ratio); known && (e.Below == nil || bound < e.Below.Bound) {
		below := now
		below.Bound, e.Below = bound, &below
	}
}

// add counts an interval into a batch.
func (b *batch) add(told contribution, seen Observation) {
	if b.Lasts == 0 {
		b.From = seen.From
	}
	b.Lasts += seen.To.Sub(seen.From)
	b.Excess += told.excess
	b.Exposure += told.exposure
	b.Old += told.old
	b.New += told.new
	b.OldHits += told.oldHits
	b.NewHits += told.newHits
}
