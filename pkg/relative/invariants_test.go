package relative

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawSample is a colour of any kind, one without requests among them.
func drawSample(t *rapid.T, who string) Sample {
	requests := rapid.SampledFrom([]float64{0, 1, 20, 500.5}).Draw(t, who+" requests")
	failed := requests * rapid.SampledFrom([]float64{0, 0.004, 0.05, 1}).Draw(t, who+" failed")
	slow := requests * rapid.SampledFrom([]float64{0, 0.05, 0.3}).Draw(t, who+" slow")
	return sample(requests, failed, slow)
}

// drawObservations are a release of any kind, which changes its weight.
func drawObservations(t *rapid.T) []Observation {
	seed := rapid.Uint64().Draw(t, "seed")
	random := rand.New(rand.NewPCG(seed, 1))
	oldSample, newSample := drawSample(t, "old"), drawSample(t, "new")
	before, change := rapid.Bool().Draw(t, "before"), rapid.IntRange(0, 80).Draw(t, "change")
	stray := func(s Sample) Sample {
		return sample(s.Requests*random.Float64(), 0, 0).with(s, random)
	}
	seen := make([]Observation, rapid.IntRange(0, 120).Draw(t, "intervals"))
	for n := range seen {
		weight := 0.5
		if n >= change {
			weight = 1
		}
		seen[n] = at(n, weight, stray(oldSample), stray(newSample))
		seen[n].Before = before && n >= change
	}
	return seen
}

// with gives a sample hits in about the proportions of another one.
func (s Sample) with(like Sample, random *rand.Rand) Sample {
	if like.Requests == 0 {
		return s
	}
	share := like.Failed / like.Requests
	return sample(s.Requests, s.Requests*share*random.Float64(), s.Requests*like.Latency.Counts[2]/like.Requests*random.Float64())
}

func TestMoreEvidenceNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gate, state := New("blue", "green"), State{}
		last := gate.Results(state)
		for _, seen := range drawObservations(t) {
			var results []Result
			state, results = gate.Observe(state, seen)
			for i, result := range results {
				before := last[i]
				if before.Verdict == NoData {
					continue
				}
				if result.Lower < before.Lower || result.Upper > before.Upper || result.Verdict == NoData {
					t.Fatalf("from [%v, %v] to [%v, %v], %s", before.Lower, before.Upper, result.Lower, result.Upper, result.Verdict)
				}
				if before.Verdict == Fail && result.Verdict != Fail {
					t.Fatalf("%s was a fail and is %s", result.Question, result.Verdict)
				}
			}
			last = results
		}
	})
}

// Which colour is called the new one makes no difference but the sign.
func TestColoursAreSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gate := New("blue", "green")
		gate.LatencyAllowed = 1
		var one, other State
		var left, right []Result
		for _, seen := range drawObservations(t) {
			one, left = gate.Observe(one, seen)
			seen.Old, seen.New = seen.New, seen.Old
			other, right = gate.Observe(other, seen)
			if near := func(a, b float64) bool { return math.Abs(a-b) < 1e-6*max(math.Abs(a), math.Abs(b), 1e-3) }; left[0].Verdict != NoData &&
				(!near(left[0].Lower, -right[0].Upper) || !near(left[0].Upper, -right[0].Lower) || !near(left[0].Estimate, -right[0].Estimate)) {
				t.Fatalf("[%v, %v] one way, [%v, %v] the other", left[0].Lower, left[0].Upper, right[0].Lower, right[0].Upper)
			}
		}
	})
}

// A state that was kept in a journal goes on as if nothing had been, and a
// replay says the same.
func TestStateSurvivesTheJournal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gate, state, kept := New("blue", "green"), State{}, State{}
		for _, seen := range drawObservations(t) {
			document, err := json.Marshal(kept)
			if err != nil {
				t.Fatal(err)
			}
			var read State
			if err := json.Unmarshal(document, &read); err != nil {
				t.Fatal(err)
			}
			var results, again []Result
			state, results = gate.Observe(state, seen)
			kept, again = gate.Observe(read, seen)
			if diff := cmp.Diff(results, again); diff != "" {
				t.Fatal(diff)
			}
			if _, err := json.Marshal(results); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Observe leaves the state that it was given as it was.
func TestObserveIsPure(t *testing.T) {
	gate := New("blue", "green")
	state, _ := watch(gate, 50, func(n int) Observation { return at(n, 0.5, sample(500, 2, 25), sample(500, 3+jitter(n), 25)) })
	before, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, first := gate.Observe(state, at(50, 0.5, sample(500, 2, 25), sample(500, 400, 25)))
		_, second := gate.Observe(state, at(50, 0.5, sample(500, 2, 25), sample(500, 400, 25)))
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatal(diff)
		}
	}
	if after, err := json.Marshal(state); err != nil || !bytes.Equal(after, before) {
		t.Errorf("the state was changed: %v\n%s\n%s", err, before, after)
	}
}

// The promise of the method, on what it is made for: normal batches of a mean
// that is exactly at the bound, read after each one. A t-test that is read like
// that is wrong far more often than it says, which the second count shows.
func TestBoundsHoldAtAnyTime(t *testing.T) {
	const alpha, streams, batches = 0.05, 2000, 120
	random := rand.New(rand.NewPCG(1, 2))
	outside, peeking := 0, 0
	for range streams {
		count, left, peeked := series{Number: 1, Since: time.Time{}}, false, false
		for n := range batches {
			count.add(batch{Excess: random.NormFloat64(), Exposure: 1})
			if lower, upper, known := count.bounds(alpha, 0); known && (lower > 0 || upper < 0) {
				left = true
			}
			mean := count.Excess / float64(n+1)
			deviation := math.Sqrt((count.ExcessExcess/float64(n+1) - mean*mean) / float64(n+1))
			peeked = peeked || n >= 10 && math.Abs(mean) > 2*deviation
		}
		if left {
			outside++
		}
		if peeked {
			peeking++
		}
	}
	if outside > alpha*streams {
		t.Errorf("%d of %d streams left their bounds, want %v at most", outside, streams, alpha*streams)
	}
	if outside == 0 {
		t.Error("no stream left its bounds: they are wider than they need be, or nothing was counted")
	}
	if peeking < 4*alpha*streams {
		t.Errorf("an ordinary test was wrong about %d of %d streams: the test is no test", peeking, streams)
	}
}

// Neighbours that are alike say less. How alike they are must be estimated, from
// few of them at first, so that the promise is kept about, and not exactly;
// without the correction it would be broken by far.
func TestBoundsAllowForIntervalsThatAreAlike(t *testing.T) {
	const alpha, streams, batches, memory = 0.05, 2000, 120, 0.3
	random := rand.New(rand.NewPCG(3, 4))
	outside, uncorrected := 0, 0
	for range streams {
		count, value, left, leftIndependent := series{Number: 1}, random.NormFloat64(), false, false
		for range batches {
			value = memory*value + math.Sqrt(1-memory*memory)*random.NormFloat64()
			count.add(batch{Excess: value, Exposure: 1})
			if lower, upper, known := count.bounds(alpha, 0); known && (lower > 0 || upper < 0) {
				left = true
			}
			n := float64(count.Batches)
			squares := (n + mixture) * count.ExcessExcess
			martingale := math.Sqrt(mixture/(n+mixture)) * math.Pow(squares/(squares-count.Excess*count.Excess), n/2)
			leftIndependent = leftIndependent || martingale > 1/alpha
		}
		if left {
			outside++
		}
		if leftIndependent {
			uncorrected++
		}
	}
	if outside > 1.5*alpha*streams {
		t.Errorf("%d of %d streams left their bounds, want about %v at most", outside, streams, alpha*streams)
	}
	if uncorrected < 2*outside {
		t.Errorf("without the correction %d would, with it %d: it does nothing", uncorrected, outside)
	}
}

// The levels of all counts that may ever be begun sum up to less than alpha.
func TestLevelsSumUp(t *testing.T) {
	sum := 0.0
	for number := 1.0; number < 1e5; number++ {
		sum += 1 / (number * (number + 1))
	}
	if sum >= 1 || sum < 0.99 {
		t.Errorf("the levels sum up to %v", sum)
	}
}
