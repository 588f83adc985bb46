package kayenta

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// accuracy is how near a root is looked for, in the metric's unit.
const accuracy = 1e-4

// shift is by how much x lies above y, both sorted: the interval in which the
// Mann-Whitney test does not reject, and the estimate at which it sees none. The
// normal approximation is used, with corrections for continuity and ties.
func shift(x, y []float64, confidence float64) (lower, upper, estimate float64) {
	quantile := distuv.UnitNormal.Quantile(1 - (1-confidence)/2)
	return root(x, y, quantile), root(x, y, -quantile), root(x, y, 0)
}

// root is the shift at which the statistic falls to a value: it does not grow
// with the shift. Where even the largest difference between two points is not
// enough, the root is that, so that few points make a narrow interval.
func root(x, y []float64, value float64) float64 {
	low, high := x[0]-y[len(y)-1], x[len(x)-1]-y[0]
	if statistic(x, y, low) <= value {
		return low
	}
	if statistic(x, y, high) >= value {
		return high
	}
	for high-low > accuracy {
		middle := (low + high) / 2
		if statistic(x, y, middle) > value {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// statistic is the standardised rank sum of x, less a shift, among both.
func statistic(x, y []float64, shift float64) float64 {
	m, n := float64(len(x)), float64(len(y))
	ranks, ties, i, j := 0.0, 0.0, 0, 0
	for i < len(x) || j < len(y) {
		value := math.Inf(1)
		if i < len(x) {
			value = x[i] - shift
		}
		if j < len(y) {
			value = min(value, y[j])
		}
		before, ofX := float64(i+j), 0.0
		for i < len(x) && x[i]-shift == value {
			i, ofX = i+1, ofX+1
		}
		for j < len(y) && y[j] == value {
			j++
		}
		tied := float64(i+j) - before
		ranks += ofX * (before + (tied+1)/2)
		ties += tied*tied*tied - tied
	}
	above := ranks - m*(m+1)/2 - m*n/2
	deviation := math.Sqrt(m * n / 12 * (m + n + 1 - ties/((m+n)*(m+n-1))))
	switch {
	case deviation == 0:
		return 0
	case above > 0:
		return (above - 0.5) / deviation
	case above < 0:
		return (above + 0.5) / deviation
	}
	return 0
}
