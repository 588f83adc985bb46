package kayenta

import (
	"math"
	"slices"
)

// Direction is what makes a metric fail.
type Direction int

// The directions.
const (
	Either Direction = iota
	Increase
	Decrease
)

// Metric is one that both sides have.
type Metric struct {
	Name             string
	Direction        Direction
	Baseline, Canary []float64
}

// Class is what a metric is found to be.
type Class string

// The classes.
const (
	Pass   Class = "pass"
	High   Class = "high"
	Low    Class = "low"
	NoData Class = "no data"
)

const (
	// confidence of the interval, and tolerance as a part of the estimate.
	confidence, tolerance = 0.98, 0.25
	// allowed is the ratio of means, from which on High or Low counts.
	allowed = 1.0
	// noDataMost is the percentage of metrics without data that is too much.
	noDataMost = 50
	// Marginal is the score below which a canary fails at once.
	Marginal = 75
	// Passing is the score that it needs at its end.
	Passing = 95
)

// Score is the percentage of metrics that pass, each one weighing the same.
func Score(metrics []Metric) float64 {
	passed, without := 0, 0
	for _, metric := range metrics {
		switch Classify(metric) {
		case Pass:
			passed++
		case NoData:
			without++
		}
	}
	if without*100 >= noDataMost*len(metrics) {
		return 0
	}
	return 100 * float64(passed) / float64(len(metrics)-without)
}

// Classify judges one metric.
func Classify(metric Metric) Class {
	baseline, canary := numbers(metric.Baseline), numbers(metric.Canary)
	if len(baseline) == 0 || len(canary) == 0 {
		return NoData
	}
	if slices.Equal(baseline, canary) {
		return Pass
	}
	if len(slices.Compact(slices.Clone(baseline))) == 1 && len(slices.Compact(slices.Clone(canary))) == 1 {
		return constant(metric.Direction, baseline[0], canary[0])
	}
	lower, upper, estimate := shift(canary, baseline, confidence)
	ratio := mean(canary) / mean(baseline)
	unknown := mean(baseline) == 0 || mean(canary) == 0
	switch margin := tolerance * math.Abs(estimate); {
	case metric.Direction != Decrease && lower > margin && (unknown || ratio >= allowed):
		return High
	case metric.Direction != Increase && upper < -margin && (unknown || ratio <= allowed):
		return Low
	}
	return Pass
}

// constant judges sides that never vary. The judge adds a little noise to them
// (a hundred-thousandth of the values), which any difference exceeds.
func constant(direction Direction, baseline, canary float64) Class {
	switch {
	case direction != Decrease && canary > baseline:
		return High
	case direction != Increase && canary < baseline:
		return Low
	}
	return Pass
}

// numbers are the sorted points that are some.
func numbers(points []float64) []float64 {
	return slices.Sorted(func(yield func(float64) bool) {
		for _, point := range points {
			if !math.IsNaN(point) && !yield(point) {
				return
			}
		}
	})
}

func mean(points []float64) float64 {
	sum := 0.0
	for _, point := range points {
		sum += point
	}
	return sum / float64(len(points))
}
