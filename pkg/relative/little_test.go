package relative

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// poisson draws how many requests come where mean are expected.
func poisson(source *rand.Rand, mean float64) float64 {
	count := 0.0
	for at := source.ExpFloat64(); at < mean; at += source.ExpFloat64() {
		count++
	}
	return count
}

// Of little traffic most intervals have no request of the new colour. That is no
// certainty that it gets none: healthy releases are failed no more often than
// others are, and a colour that gets nothing is still told.
func TestLittleTraffic(t *testing.T) {
	for _, test := range []struct{ rate, weight float64 }{{1, 0.01}, {5, 0.01}, {10, 0.01}, {1, 0.05}, {2, 0.05}, {0.5, 0.1}, {0.5, 0.5}, {0.5, 0.9}} {
		for run := range uint64(100) {
			source := rand.New(rand.NewPCG(run, 7))
			_, results := watch(New("blue", "green"), 180, func(n int) Observation {
				return at(n, test.weight, Sample{Requests: poisson(source, 5*test.rate*(1-test.weight))}, Sample{Requests: poisson(source, 5*test.rate*test.weight)})
			})
			if results[Share].Verdict == Fail {
				t.Errorf("%v requests/s at a weight of %v, run %d: %s", test.rate, test.weight, run, results[Share].Sentence)
			}
		}
	}
	source := rand.New(rand.NewPCG(1, 7))
	_, results := watch(New("blue", "green"), 180, func(n int) Observation { return at(n, 0.1, Sample{Requests: poisson(source, 10)}, Sample{}) })
	if results[Share].Verdict != Fail {
		t.Errorf("no request of 2/s at a weight of 0.1: %s", results[Share].Sentence)
	}
}

// Against the minutes before, an interval in which the old colour had no request
// says what the new one had all the same: without it a quiet service seems to have
// lost some.
func TestVolumeOfFewRequests(t *testing.T) {
	for run := range uint64(50) {
		source := rand.New(rand.NewPCG(run, 9))
		_, results := watch(New("blue", "green"), 720, func(n int) Observation {
			seen := at(n, 1, Sample{Requests: poisson(source, 0.5)}, Sample{Requests: poisson(source, 0.5)})
			seen.Before = true
			return seen
		})
		if volume := results[Volume]; volume.Verdict != Pass || volume.Estimate < -0.35 {
			t.Errorf("run %d: %+.2f of what was before, %s: %s", run, volume.Estimate, volume.Verdict, volume.Sentence)
		}
	}
}

// A count that began later than the first tells its own bound, whatever the first
// one's estimate is.
func TestShareTellsTheBoundThatFailed(t *testing.T) {
	_, results := watch(New("blue", "green"), 240, func(n int) Observation {
		share := 0.56
		if n >= 200 {
			share = 0.30
		}
		return at(n, 0.5, Sample{Requests: 1000 * (1 - share)}, Sample{Requests: 1000*share + 3*jitter(n)})
	})
	failed := results[Share]
	if failed.Verdict != Fail || failed.Upper > -New("", "").ShareAllowed || !strings.Contains(failed.Sentence, "(at most ") {
		t.Errorf("%s between %v and %v: %s", failed.Verdict, failed.Lower, failed.Upper, failed.Sentence)
	}
}

// How long a batch takes to come together is told, for that of little traffic takes
// minutes.
func TestPace(t *testing.T) {
	for requests, want := range map[float64]time.Duration{100: 5 * time.Second, 5: 50 * time.Second} {
		_, results := watch(New("blue", "green"), 126, func(n int) Observation {
			return at(n, 0.1, Sample{Requests: requests * 0.9}, Sample{Requests: requests * 0.1})
		})
		if share := results[Share]; share.Pace != want || share.Batches != int(10*time.Minute/want) {
			t.Errorf("%v requests in 5 s: %d batches, of %s", requests, share.Batches, share.Pace)
		}
	}
}
