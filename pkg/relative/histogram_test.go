package relative

import (
	"math"
	"testing"
)

func TestQuantileAndAbove(t *testing.T) {
	h := Histogram{Bounds: []float64{0.1, 0.2, 0.4}, Counts: []float64{50, 0, 40, 10}}
	for _, test := range []struct {
		share, want float64
		known       bool
	}{{0.25, 0.05, true}, {0.5, 0.1, true}, {0.7, 0.3, true}, {0.9, 0.4, true}, {0.95, 0, false}} {
		if got, known := h.quantile(test.share); math.Abs(got-test.want) > 1e-12 || known != test.known {
			t.Errorf("quantile %v is %v, %v; want %v, %v", test.share, got, known, test.want, test.known)
		}
	}
	for _, test := range []struct {
		seconds, want float64
		known         bool
	}{{0, 100, true}, {0.05, 75, true}, {0.1, 50, true}, {0.15, 50, true}, {0.3, 30, true}, {0.4, 10, true}, {0.5, 0, false}} {
		if got, known := h.above(test.seconds); math.Abs(got-test.want) > 1e-12 || known != test.known {
			t.Errorf("above %v are %v, %v; want %v, %v", test.seconds, got, known, test.want, test.known)
		}
	}
	if _, known := (Histogram{}).quantile(0.95); known {
		t.Error("no requests have a quantile")
	}
}

func TestHistogramsAddUp(t *testing.T) {
	one, other := Histogram{Bounds: []float64{1}, Counts: []float64{1, 2}}, Histogram{Bounds: []float64{2}, Counts: []float64{3, 4}}
	if sum := one.plus(one); sum.Counts[0] != 2 || sum.Counts[1] != 4 || one.Counts[0] != 1 {
		t.Errorf("%v, of %v", sum, one)
	}
	if sum := one.plus(other); sum.Bounds[0] != 2 || sum.Counts[0] != 3 {
		t.Errorf("with other bounds: %v, want a new beginning", sum)
	}
	if sum := one.plus(Histogram{}); sum.Counts[0] != 1 {
		t.Errorf("with nothing: %v", sum)
	}
}
