package relative

import (
	"math"
	"time"
)

// series is what is known of one count: sums over its batches of what the
// bounds are made of, so that nothing else need be kept. The excess less a
// difference times the exposure is quadratic in the difference, and so are the
// sum's square and the sum of squares.
type series struct {
	// Number counts the counts from 1, Since is when this one began.
	Number int       `json:"number"`
	Since  time.Time `json:"since"`
	// Batches is how many there were.
	Batches int `json:"batches"`
	// Sums of the excess and the exposure, and of their products.
	Excess         float64 `json:"excess"`
	Exposure       float64 `json:"exposure"`
	ExcessExcess   float64 `json:"excessExcess"`
	ExcessExposure float64 `json:"excessExposure"`
	ExposureTwice  float64 `json:"exposureExposure"`
	// The same of each batch with the one before it.
	LaggedExcess         float64 `json:"laggedExcess"`
	LaggedExcessExposure float64 `json:"laggedExcessExposure"`
	LaggedExposure       float64 `json:"laggedExposure"`
	// The last batch's.
	LastExcess   float64 `json:"lastExcess"`
	LastExposure float64 `json:"lastExposure"`
	// Requests of either side and those among them that count.
	Old     float64 `json:"old"`
	New     float64 `json:"new"`
	OldHits float64 `json:"oldHits,omitempty"`
	NewHits float64 `json:"newHits,omitempty"`
}

// add counts a batch in.
func (s *series) add(b batch) {
	if s.Batches > 0 {
		s.LaggedExcess += b.Excess * s.LastExcess
		s.LaggedExcessExposure += b.Excess*s.LastExposure + b.Exposure*s.LastExcess
		s.LaggedExposure += b.Exposure * s.LastExposure
	}
	s.LastExcess, s.LastExposure = b.Excess, b.Exposure
	s.Batches++
	s.Excess += b.Excess
	s.Exposure += b.Exposure
	s.ExcessExcess += b.Excess * b.Excess
	s.ExcessExposure += b.Excess * b.Exposure
	s.ExposureTwice += b.Exposure * b.Exposure
	s.Old += b.Old
	s.New += b.New
	s.OldHits += b.OldHits
	s.NewHits += b.NewHits
}

// estimate is the difference that the batches average to.
func (s series) estimate() float64 { return s.Excess / s.Exposure }

// correlation is that of a batch's residual with the one before it, raised by
// the bias of so short a series, and at least 0.
func (s series) correlation() float64 {
	d := s.estimate()
	squares := s.ExcessExcess - 2*d*s.ExcessExposure + d*d*s.ExposureTwice
	products := s.LaggedExcess - d*s.LaggedExcessExposure + d*d*s.LaggedExposure
	bias := 1 / float64(s.Batches)
	if squares <= rounding*s.ExcessExcess {
		return bias
	}
	return min(max(products/squares+bias, 0), correlationMost)
}

const (
	// correlationMost keeps the correction finite: at 0.9 nineteen batches say
	// as much as one that is independent.
	correlationMost = 0.9
	// rounding is the part of a sum of squares that may be an error of
	// reckoning.
	rounding = 1e-9
	// mixture is c² of the method: it is narrowest for a difference of about
	// 1/c standard deviations of a batch. Chosen on releases that were made
	// up, others than those of docs/relative.md.
	mixture = 2.0
)

// lower is the bound that the difference is above, at every time at once, but
// for a probability of alpha. It speaks against the new side, and so, of a ratio,
// counts one more hit of the old one.
func (s series) lower(alpha float64, ratio bool) (bound float64, known bool) {
	hit := 0.0
	if ratio {
		hit = -s.New / (s.Old + s.New)
	}
	bound, _, known = s.bounds(alpha, hit)
	return bound, known
}

// upper is the bound that the difference is below. Of a ratio it counts one more
// hit of the new side.
func (s series) upper(alpha float64, ratio bool) (bound float64, known bool) {
	hit := 0.0
	if ratio {
		hit = s.Old / (s.Old + s.New)
	}
	_, bound, known = s.bounds(alpha, hit)
	return bound, known
}

// bounds are the two differences at which M(n) of the package's documentation
// is 1/alpha: with S = A − d·B the roots of S² = k·V. The excess of one more hit
// is added to A and, squared, to V. There are none while the batches are too few.
func (s series) bounds(alpha, hit float64) (lower, upper float64, known bool) {
	if s.Batches < 2 || s.Exposure <= 0 {
		return 0, 0, false
	}
	r := s.correlation()
	inflation := (1 + r) / (1 - r)
	n := float64(s.Batches) / inflation
	k := inflation * (n + mixture) * (1 - math.Pow(alpha*math.Sqrt(mixture/(n+mixture)), 2/n))
	square := s.Exposure*s.Exposure - k*s.ExposureTwice
	if square <= 0 {
		return 0, 0, false
	}
	excess, squares := s.Excess+hit, s.ExcessExcess+hit*hit
	middle := excess*s.Exposure - k*s.ExcessExposure
	constant := excess*excess - k*squares
	root := math.Sqrt(max(middle*middle-square*constant, 0))
	return (middle - root) / square, (middle + root) / square, true
}
