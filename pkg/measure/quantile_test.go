package measure

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantile(t *testing.T) {
	inf := math.Inf(1)
	for _, test := range []struct {
		name    string
		q       float64
		buckets map[float64]float64
		want    float64
	}{
		{"in the middle of a bucket", 0.5, map[float64]float64{0.1: 0, 0.2: 100, inf: 100}, 0.15},
		{"at a bound", 0.5, map[float64]float64{0.1: 50, 0.2: 100, inf: 100}, 0.1},
		{"from zero in the lowest", 0.95, map[float64]float64{0.1: 100, inf: 100}, 0.095},
		{"beyond the highest bound", 0.95, map[float64]float64{0.1: 10, 0.2: 20, inf: 100}, 0.2},
		{"counts that went back are kept cumulative", 0.5, map[float64]float64{0.1: 60, 0.2: 40, inf: 100}, 0.1 * 50 / 60},
		{"no observations", 0.95, map[float64]float64{0.1: 0, inf: 0}, math.NaN()},
		{"no +Inf", 0.95, map[float64]float64{0.1: 3, 0.2: 5}, math.NaN()},
		{"nothing", 0.95, nil, math.NaN()},
		{"a bound that is not positive", 0.1, map[float64]float64{-1: 50, 1: 100, inf: 100}, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := quantile(test.q, test.buckets)
			if math.IsNaN(test.want) != math.IsNaN(got) || math.Abs(got-test.want) > 1e-9 {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestQuantileLiesWithinItsBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bounds := []float64{0.1, 0.2, 0.5, 1}
		values := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 200).Draw(t, "values")
		buckets := map[float64]float64{math.Inf(1): float64(len(values))}
		for _, bound := range bounds {
			buckets[bound] = 0
			for _, value := range values {
				if value <= bound {
					buckets[bound]++
				}
			}
		}
		got := quantile(0.95, buckets)
		// The true quantile and the estimate lie in the same bucket.
		var below float64
		for _, bound := range bounds {
			if buckets[bound] >= 0.95*float64(len(values)) {
				if got < below || got > bound {
					t.Fatalf("%v is outside of (%v, %v]", got, below, bound)
				}
				return
			}
			below = bound
		}
	})
}

func TestIncreasesAddUpAcrossResets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known, at, counter, want := &history{}, start, 0.0, 0.0
		for range rapid.IntRange(2, 30).Draw(t, "scrapes") {
			first := len(known.points) == 0
			if !first && rapid.Bool().Draw(t, "restarted") {
				// Enough to show: a counter that outgrows its old value
				// between two scrapes hides its reset from anybody.
				counter = 0
			} else {
				grown := float64(rapid.IntRange(0, 50).Draw(t, "requests"))
				counter += grown
				if !first {
					want += grown
				}
			}
			known.add(at, exposition{requests: map[string]requestSeries{"code=200": {value: counter}}, buckets: map[string]bucketSeries{}})
			at = at.Add(1e9)
		}
		got := known.points[len(known.points)-1].requests
		if got != want {
			t.Fatalf("counted %v of %v requests", got, want)
		}
	})
}
