package relative

import (
	"math"
	"strings"
	"testing"
	"time"
)

var began = time.Date(2026, 11, 22, 15, 30, 0, 0, time.UTC)

// sample is a colour with a share of failed and of slow requests.
func sample(requests, failed, slow float64) Sample {
	return Sample{Requests: requests, Failed: failed, Latency: Histogram{
		Bounds: []float64{0.1, 0.2, 0.4, 0.8}, Counts: []float64{requests * 0.6, requests*0.4 - slow, slow, 0, 0},
	}}
}

// at is the n-th interval of five seconds.
func at(n int, weight float64, oldSample, newSample Sample) Observation {
	from := began.Add(time.Duration(n) * 5 * time.Second)
	return Observation{From: from, To: from.Add(5 * time.Second), Weight: weight, Old: oldSample, New: newSample}
}

// watch observes so many intervals, and returns the results of the last.
func watch(gate Gate, intervals int, interval func(n int) Observation) (State, map[Question]Result) {
	var state State
	results := gate.Results(state)
	for n := range intervals {
		state, results = gate.Observe(state, interval(n))
	}
	found := map[Question]Result{}
	for _, result := range results {
		found[result.Question] = result
	}
	return state, found
}

// jitter is a deterministic unrest around zero, without a period that any
// batch shares.
func jitter(n int) float64 { return math.Sin(float64(n)*2.39996) + math.Cos(float64(n)*5.1) }

func TestVerdicts(t *testing.T) {
	healthy := sample(500, 2, 25)
	for _, test := range []struct {
		name      string
		intervals int
		weight    float64
		old, new  func(n int) Sample
		before    bool
		question  Question
		want      Verdict
	}{
		{"alike", 120, 0.5, fixed(healthy), fixed(healthy), false, Errors, Pass},
		{"alike, latency", 120, 0.5, fixed(healthy), fixed(healthy), false, Latency, Pass},
		{"alike, share", 120, 0.5, fixed(healthy), fixed(healthy), false, Share, Pass},
		{"five points more errors", 30, 0.5, fixed(healthy), unsteady(500, 27, 25), false, Errors, Fail},
		{"fewer errors are no fault", 120, 0.5, unsteady(500, 27, 25), fixed(healthy), false, Errors, Pass},
		{"0.1 points more is allowed", 120, 0.5, fixed(sample(500, 2, 25)), fixed(sample(500, 2.5, 25)), false, Errors, Pass},
		{"0.2 points more can't be told", 120, 0.5, fixed(healthy), unsteady(500, 3, 25), false, Errors, Undecided},
		{"slow", 30, 0.5, fixed(healthy), unsteady(500, 2, 80), false, Latency, Fail},
		{"a little slower is allowed", 120, 0.5, fixed(healthy), fixed(sample(500, 2, 26)), false, Latency, Pass},
		{"no traffic", 30, 0.5, fixed(sample(1000, 4, 50)), fixed(Sample{}), false, Share, Fail},
		{"too much traffic", 30, 0.1, fixed(sample(700, 2, 25)), fixed(sample(300, 2, 25)), false, Share, Fail},
		{"a tenth off is allowed", 60, 0.5, fixed(sample(525, 2, 25)), fixed(sample(475, 2, 25)), false, Share, Pass},
		{"as many as before", 60, 1, fixed(healthy), fixed(healthy), true, Volume, Pass},
		{"more than before", 60, 1, fixed(healthy), unsteady(1000, 4, 50), true, Volume, Pass},
		{"a third of before", 60, 1, fixed(healthy), unsteady(166, 1, 8), true, Volume, Fail},
		{"against before no share is asked", 60, 1, fixed(healthy), fixed(healthy), true, Share, NoData},
		{"without a before no volume is asked", 60, 0.5, fixed(healthy), fixed(healthy), false, Volume, NoData},
		{"no old colour", 60, 1, fixed(Sample{}), fixed(healthy), false, Errors, NoData},
		{"no latency", 60, 0.5, fixed(Sample{Requests: 500}), fixed(Sample{Requests: 500}), false, Latency, NoData},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, results := watch(New("blue", "green"), test.intervals, func(n int) Observation {
				seen := at(n, test.weight, test.old(n), test.new(n))
				seen.Before = test.before
				return seen
			})
			if got := results[test.question]; got.Verdict != test.want {
				t.Errorf("got %s, want %s: %s", got.Verdict, test.want, got.Sentence)
			}
		})
	}
}

// Where more is counted than what is shared, only the share is not asked about.
func TestUnshared(t *testing.T) {
	_, results := watch(New("blue", "green"), 60, func(n int) Observation {
		seen := at(n, 0.1, sample(700, 2, 25), sample(300, 2, 25))
		seen.Unshared = true
		return seen
	})
	if share, errors := results[Share].Verdict, results[Errors].Verdict; share != NoData || errors == NoData {
		t.Errorf("share %s, errors %s", share, errors)
	}
}

func fixed(sample Sample) func(int) Sample { return func(int) Sample { return sample } }

// unsteady varies by some of a fifth of the hits, with a mean of none.
func unsteady(requests, failed, slow float64) func(int) Sample {
	return func(n int) Sample {
		factor := 1 + 0.1*jitter(n)
		return sample(requests, failed*factor, slow*factor)
	}
}

// unsteadyRequests varies in how many they are.
func unsteadyRequests(requests float64) func(int) Sample {
	return func(n int) Sample { return sample(requests*(1+0.1*jitter(n)), 0, 0) }
}

func TestSentences(t *testing.T) {
	healthy := sample(500, 2, 25)
	for _, test := range []struct {
		name     string
		weight   float64
		old, new func(n int) Sample
		before   bool
		question Question
		want     string
	}{
		{"errors", 0.5, fixed(healthy), unsteady(500, 8.5, 25), false, Errors,
			"green fails 1.3 points more requests than blue (at least 1.19, 99 % sure at any time), and 0.2 is allowed"},
		{"fewer errors", 0.5, unsteady(500, 8.5, 25), fixed(healthy), false, Errors,
			"green fails 1.3 points fewer requests than blue (at most -1.19, 99 % sure at any time), and 0.2 is allowed"},
		{"can't be told", 0.5, fixed(healthy), unsteady(500, 3, 25), false, Errors,
			"green fails 0.2 points more requests than blue (between 0.15 and 0.25, 99 % sure at any time), and 0.2 is allowed: too early to tell"},
		{"latency", 0.5, fixed(healthy), unsteady(500, 2, 80), false, Latency,
			"the p95 of green is more than 1.2 times that of blue: 12.83 % of its requests take over 240ms, 5 % of blue's over 200ms, 7.83 points more (at least 7.02, 99 % sure at any time)"},
		{"share", 0.5, fixed(sample(700, 2, 25)), unsteadyRequests(300), false, Share,
			"green gets 29.96 % of the requests (at most 31.27 %, 99 % sure at any time), its weight is 50 %, and 40 % to 60 % are allowed"},
		{"too large a share", 0.1, fixed(sample(700, 2, 25)), unsteadyRequests(300), false, Share,
			"green gets 30.05 % of the requests (at least 28.7 %, 99 % sure at any time), its weight is 10 %, and 8 % to 12 % are allowed"},
		{"volume", 1, fixed(healthy), unsteadyRequests(100), true, Volume,
			"green gets 20.04 % of the requests that blue got before the switch (at most 21.18 %, 99 % sure at any time), and 50 % is the least that is allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, results := watch(New("blue", "green"), 60, func(n int) Observation {
				seen := at(n, test.weight, test.old(n), test.new(n))
				seen.Before = test.before
				return seen
			})
			if got := results[test.question]; got.Sentence != test.want {
				t.Errorf("%s:\ngot  %s\nwant %s", got.Verdict, got.Sentence, test.want)
			}
		})
	}
}

// Few intervals are no data, however bad they are: the first verdict comes
// after eleven of them that were counted.
func TestFewIntervalsAreNoVerdict(t *testing.T) {
	gate := New("blue", "green")
	gate.WarmUp = 0
	bad := func(n int) Observation { return at(n, 0.5, sample(500, 0, 0), sample(500, 500, 0)) }
	for intervals := range 11 {
		_, results := watch(gate, intervals, bad)
		if got := results[Errors]; got.Verdict != NoData || !strings.HasPrefix(got.Sentence, "no data: ") {
			t.Fatalf("after %d intervals: %s: %s", intervals, got.Verdict, got.Sentence)
		}
	}
	if _, results := watch(gate, 11, bad); results[Errors].Verdict != Fail {
		t.Errorf("after 11 intervals: %s", results[Errors].Sentence)
	}
}

// Nothing of the warm-up counts, and each other weight has one.
func TestWarmUpIsLeftOut(t *testing.T) {
	gate := New("blue", "green")
	cold := func(n int) Observation {
		weight, switched := 0.1, 0
		if n >= 40 {
			weight, switched = 0.5, 40
		}
		all := 1000.0
		if n-switched < 6 { // of the first thirty seconds
			return at(n, weight, sample(all, 0, 0), sample(all, all, all/3)) // all fail, and the share is far off
		}
		return at(n, weight, sample(all*(1-weight), 0, 0), sample(all*weight, 0, 0))
	}
	_, results := watch(gate, 120, cold)
	// By its very p95 a twentieth of the old colour's requests are above it.
	for question, want := range map[Question]float64{Errors: 0, Latency: -0.05, Share: 0} {
		if got := results[question]; got.Batches != 120-12 || math.Abs(got.Estimate-want) > 1e-9 || got.Verdict != Pass {
			t.Errorf("%s: %d batches, estimate %v, %s", question, got.Batches, got.Estimate, got.Sentence)
		}
	}
	gate.WarmUp = 0
	if _, results := watch(gate, 120, cold); results[Errors].Estimate == 0 {
		t.Error("without a warm-up nothing shows: the test is no test")
	}
}

// A fault that begins late is found, and told since when.
func TestLateFaultsAreFound(t *testing.T) {
	_, results := watch(New("blue", "green"), 100, func(n int) Observation {
		failed := 2.0
		if n >= 60 {
			failed = 27
		}
		return at(n, 0.5, sample(500, 2*(1+0.1*jitter(n)), 0), sample(500, failed*(1+0.1*jitter(n+1)), 0))
	})
	got := results[Errors]
	if got.Verdict != Fail || got.Since.Before(began.Add(4*time.Minute)) {
		t.Fatalf("%s since %s: %s", got.Verdict, got.Since, got.Sentence)
	}
	if !strings.Contains(got.Sentence, "than blue since 15:35:00 (at least ") {
		t.Errorf("the sentence doesn't say since when: %s", got.Sentence)
	}
}

func TestAFailStays(t *testing.T) {
	gate := New("blue", "green")
	state, results := watch(gate, 40, func(n int) Observation {
		return at(n, 0.5, sample(500, 0, 0), sample(500, 25+5*jitter(n), 0))
	})
	if results[Errors].Verdict != Fail {
		t.Fatal(results[Errors].Sentence)
	}
	for n := 40; n < 400; n++ {
		var after []Result
		if state, after = gate.Observe(state, at(n, 0.5, sample(500, 25, 0), sample(500, 0, 0))); after[0].Verdict != Fail {
			t.Fatalf("after %d better intervals: %s", n-40, after[0].Sentence)
		}
	}
}

// What can't be reckoned with adds nothing.
func TestNonsenseAddsNothing(t *testing.T) {
	good := sample(500, 2, 25)
	for name, change := range map[string]func(*Observation){
		"more failed than requests": func(o *Observation) { o.New.Failed = 501 },
		"negative":                  func(o *Observation) { o.Old.Requests = -1 },
		"not a number":              func(o *Observation) { o.New.Requests = math.NaN() },
		"infinite":                  func(o *Observation) { o.New.Requests = math.Inf(1) },
		"a weight above 1":          func(o *Observation) { o.Weight = 1.5 },
		"no time":                   func(o *Observation) { o.To = o.From },
		"a past time":               func(o *Observation) { o.From = o.From.Add(-time.Hour); o.To = o.To.Add(-time.Hour) },
		"bounds out of order":       func(o *Observation) { o.New.Latency.Bounds = []float64{0.4, 0.2, 0.1, 0.8} },
		"a bucket too few":          func(o *Observation) { o.New.Latency.Counts = []float64{1, 2, 3, 4} },
	} {
		t.Run(name, func(t *testing.T) {
			gate := New("blue", "green")
			gate.WarmUp = 0
			state, _ := watch(gate, 20, func(n int) Observation { return at(n, 0.5, good, good) })
			nonsense := at(20, 0.5, good, good)
			change(&nonsense)
			next, results := gate.Observe(state, nonsense)
			if results[0].Batches != 20 || !next.Until.Equal(state.Until) {
				t.Errorf("%d batches until %s", results[0].Batches, next.Until)
			}
		})
	}
}

// Sides of which one never failed by luck alone: the few requests of the old
// colour had no failure, and those of the new one have the usual ones.
func TestAFewRequestsWithoutFailureProveNothing(t *testing.T) {
	_, results := watch(New("blue", "green"), 120, func(n int) Observation {
		return at(n, 0.99, sample(10, 0, 0), sample(990, 5+2*jitter(n), 0)) // 0.5 % of 1200 would be 6
	})
	if got := results[Errors]; got.Verdict != Undecided {
		t.Errorf("%s: %s", got.Verdict, got.Sentence)
	}
}

// Readings each second are put together, more of them against the window before.
func TestShortIntervalsFillABatch(t *testing.T) {
	gate := New("blue", "green")
	gate.WarmUp = 0
	for before, want := range map[bool]int{false: 24, true: 8} {
		_, results := watch(gate, 120, func(n int) Observation {
			from := began.Add(time.Duration(n) * time.Second)
			return Observation{From: from, To: from.Add(time.Second), Weight: 0.5, Before: before, Old: sample(100, 1, 5), New: sample(100, 1, 5)}
		})
		if got := results[Errors].Batches; got != want {
			t.Errorf("120 s make %d batches, want %d", got, want)
		}
	}
}

// The state of a watch of hours is no larger than that of ten minutes.
func TestStateIsBounded(t *testing.T) {
	state, results := watch(New("blue", "green"), 2000, func(n int) Observation {
		return at(n, 0.5, sample(500, 2+jitter(n)/2, 25), sample(500, 2-jitter(n)/3, 25))
	})
	if got := len(state.Errors.Series); got != seriesMost || results[Errors].Batches != 1994 {
		t.Errorf("%d counts, %d batches", got, results[Errors].Batches)
	}
	if first, second := state.Errors.Series[0], state.Errors.Series[1]; first.Number != 1 || second.Number < 100 {
		t.Errorf("the counts are %d and %d: want the first and the latest", first.Number, second.Number)
	}
}

// Where the old colour's p95 is can be said once 200 of its requests were seen,
// however many intervals that takes.
func TestThePercentileIsOfAllThatWasSeen(t *testing.T) {
	gate := New("blue", "green")
	gate.WarmUp = 0
	for intervals, want := range map[int]int{4: 0, 5: 1, 20: 16} {
		_, results := watch(gate, intervals, func(n int) Observation { return at(n, 0.5, sample(50, 0, 2.5), sample(50, 0, 2.5)) })
		if got := results[Latency].Batches; got != want {
			t.Errorf("after %d intervals of 50 requests %d were compared, want %d", intervals, got, want)
		}
	}
}

// What passed passes no longer when the difference has become too large, though
// it isn't proven yet.
func TestAPassIsNoPromise(t *testing.T) {
	steady := sample(500, 2, 25)
	state, results := watch(New("blue", "green"), 60, func(n int) Observation { return at(n, 0.5, steady, steady) })
	if results[Errors].Verdict != Pass {
		t.Fatal(results[Errors].Sentence)
	}
	for n := 60; n < 63; n++ {
		var all []Result
		state, all = New("blue", "green").Observe(state, at(n, 0.5, steady, sample(500, 450, 25)))
		results[Errors] = all[0]
	}
	if got := results[Errors]; got.Verdict != Undecided || !strings.HasSuffix(got.Sentence, ": too early to tell") {
		t.Errorf("%s: %s", got.Verdict, got.Sentence)
	}
}
