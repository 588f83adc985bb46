package kayenta

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// points are around a mean.
func points(seed uint64, number int, mean, deviation float64) []float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	made := make([]float64, number)
	for i := range made {
		made[i] = mean + deviation*random.NormFloat64()
	}
	return made
}

func TestClassify(t *testing.T) {
	for _, test := range []struct {
		name             string
		direction        Direction
		baseline, canary []float64
		want             Class
	}{
		{"alike", Either, points(1, 60, 10, 1), points(2, 60, 10, 1), Pass},
		{"the same", Either, points(1, 60, 10, 1), points(1, 60, 10, 1), Pass},
		{"higher", Either, points(1, 60, 10, 1), points(2, 60, 12, 1), High},
		{"lower", Either, points(1, 60, 10, 1), points(2, 60, 8, 1), Low},
		{"higher, where only less is bad", Decrease, points(1, 60, 10, 1), points(2, 60, 12, 1), Pass},
		{"lower, where only more is bad", Increase, points(1, 60, 10, 1), points(2, 60, 8, 1), Pass},
		// The interval is never wider than the differences between the points.
		{"few points", Either, []float64{10, 11, 9}, []float64{20, 21, 19}, High},
		{"no points", Either, points(1, 60, 10, 1), []float64{math.NaN(), math.NaN()}, NoData},
		{"constant and alike", Either, []float64{0, 0, 0}, []float64{0, 0, 0, 0}, Pass},
		{"constant and higher", Either, []float64{1, 1, 1}, []float64{2, 2, 2}, High},
		{"errors where there were none", Increase, make([]float64, 60), points(2, 60, 1, 0.2), High},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Classify(Metric{Direction: test.direction, Baseline: test.baseline, Canary: test.canary})
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestScore(t *testing.T) {
	good := Metric{Baseline: points(1, 60, 10, 1), Canary: points(2, 60, 10, 1)}
	bad := Metric{Baseline: points(1, 60, 10, 1), Canary: points(2, 60, 20, 1)}
	without := Metric{Baseline: points(1, 60, 10, 1)}
	for _, test := range []struct {
		name    string
		metrics []Metric
		want    float64
	}{
		{"all pass", []Metric{good, good, good}, 100},
		{"one in three fails", []Metric{good, bad, good}, 200.0 / 3},
		{"one without data has no say", []Metric{good, without, good}, 100},
		{"two in three without data are too many", []Metric{good, without, without}, 0},
	} {
		if got := Score(test.metrics); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// The numbers of wilcox.test(x, y, conf.int = TRUE, exact = FALSE) of R, by its
// definition: the estimate lies where as many pairwise differences are above as
// below, and the bounds are symmetric among them.
func TestShiftIsTheMedianDifference(t *testing.T) {
	x, y := numbers(points(3, 41, 5, 2)), numbers(points(4, 37, 3, 1))
	lower, upper, estimate := shift(x, y, 0.98)
	var differences []float64
	for _, a := range x {
		for _, b := range y {
			differences = append(differences, a-b)
		}
	}
	slices.Sort(differences)
	below := func(value float64) int { return len(differences) - countAbove(differences, value) }
	if got, want := below(estimate), len(differences)/2; math.Abs(float64(got-want)) > 1 {
		t.Errorf("%d of %d differences are below the estimate, want %d", got, len(differences), want)
	}
	if got, want := below(lower), countAbove(differences, upper); math.Abs(float64(got-want)) > 1 {
		t.Errorf("%d differences are below the interval, %d above", got, want)
	}
	if deviation := math.Sqrt(41 * 37 / 12.0 * (41 + 37 + 1)); math.Abs(float64(below(lower))-(41*37/2.0-2.326*deviation-0.5)) > 1.5 {
		t.Errorf("%d differences are below the interval", below(lower))
	}
}

func countAbove(sorted []float64, value float64) int {
	index, _ := slices.BinarySearch(sorted, value)
	return len(sorted) - index
}
