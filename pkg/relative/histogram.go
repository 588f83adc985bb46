package relative

import "slices"

// Histogram counts requests by how long they took.
type Histogram struct {
	// Bounds are the buckets' upper bounds in seconds, ascending.
	Bounds []float64 `json:"bounds,omitempty"`
	// Counts are those between a bound and the one before it, and, one more,
	// those above all bounds.
	Counts []float64 `json:"counts,omitempty"`
}

// valid reports whether a histogram is whole, or empty.
func (h Histogram) valid() bool {
	if len(h.Bounds) == 0 && len(h.Counts) == 0 {
		return true
	}
	if len(h.Counts) != len(h.Bounds)+1 || !slices.IsSorted(h.Bounds) || len(h.Bounds) > 0 && h.Bounds[0] <= 0 {
		return false
	}
	return !slices.ContainsFunc(h.Counts, func(number float64) bool { return !count(number) })
}

// total is how many requests were counted.
func (h Histogram) total() float64 {
	total := 0.0
	for _, number := range h.Counts {
		total += number
	}
	return total
}

// plus adds another one with the same bounds. Where the bounds differ, the
// other one is a new beginning.
func (h Histogram) plus(other Histogram) Histogram {
	if len(other.Counts) == 0 {
		return h
	}
	sum := Histogram{Bounds: slices.Clone(other.Bounds), Counts: slices.Clone(other.Counts)}
	if slices.Equal(h.Bounds, other.Bounds) {
		for i, number := range h.Counts {
			sum.Counts[i] += number
		}
	}
	return sum
}

// quantile is what a share of the requests took at most. Within a bucket they
// are taken to be spread evenly, as by Prometheus's histogram_quantile. It is
// not known for no requests, nor beyond the last bound.
func (h Histogram) quantile(share float64) (seconds float64, known bool) {
	rank, below, lower := share*h.total(), 0.0, 0.0
	if rank == 0 {
		return 0, false
	}
	for i, bound := range h.Bounds {
		if number := h.Counts[i]; number > 0 && below+number >= rank {
			return lower + (bound-lower)*(rank-below)/number, true
		}
		below, lower = below+h.Counts[i], bound
	}
	return 0, false
}

// above is how many requests took longer. It is not known beyond the last bound.
func (h Histogram) above(seconds float64) (number float64, known bool) {
	if len(h.Bounds) == 0 || seconds > h.Bounds[len(h.Bounds)-1] {
		return 0, false
	}
	lower := 0.0
	for i, bound := range h.Bounds {
		switch {
		case lower >= seconds:
			number += h.Counts[i]
		case bound > seconds:
			number += h.Counts[i] * (bound - seconds) / (bound - lower)
		}
		lower = bound
	}
	return number + h.Counts[len(h.Counts)-1], true
}
