package simulate

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// kindOf finds a kind by its name.
func kindOf(t *testing.T, name string) Kind {
	t.Helper()
	index := slices.IndexFunc(Kinds(), func(kind Kind) bool { return kind.Name == name })
	if index < 0 {
		t.Fatalf("no kind is called %s", name)
	}
	return Kinds()[index]
}

// warm sums what both sides had from a minute after the switch on, over some
// releases.
func warm(kind Kind, fault Fault, weight float64, releases uint64) (before, from, to Counts) {
	for seed := range releases {
		made := New(kind, fault, weight, seed)
		for _, interval := range made.Before {
			before = before.Add(interval.Old)
		}
		for _, interval := range made.After {
			if interval.Start >= time.Minute {
				from, to = from.Add(interval.Old), to.Add(interval.New)
			}
		}
	}
	return before, from, to
}

// slow is the share above a bound of Bounds.
func (c Counts) slow(bound float64) float64 {
	count := 0
	for i, above := range append([]float64{0}, Bounds()...) {
		if above >= bound {
			count += c.Buckets[i]
		}
	}
	return float64(count) / float64(c.Requests)
}

func TestASeedIsARelease(t *testing.T) {
	for _, kind := range Kinds() {
		one, same, other := New(kind, Healthy(), 0.5, 7), New(kind, Healthy(), 0.5, 7), New(kind, Healthy(), 0.5, 8)
		if diff := cmp.Diff(one, same); diff != "" {
			t.Errorf("%s: one seed makes two releases: %s", kind.Name, diff)
		}
		if cmp.Equal(one, other) {
			t.Errorf("%s: two seeds make one release", kind.Name)
		}
		if len(one.Before) != int(Watch/Step) || len(one.After) != int(Watch/Step) || one.After[0].Start != 0 || one.Before[0].Start != -Watch {
			t.Errorf("%s: %d intervals before, %d after", kind.Name, len(one.Before), len(one.After))
		}
	}
}

func TestCountsAddUp(t *testing.T) {
	for _, kind := range Kinds() {
		for _, fault := range append(Faults(), Healthy()) {
			made := New(kind, fault, 0.5, 1)
			for _, interval := range slices.Concat(made.Before, made.After) {
				for _, side := range []Counts{interval.Old, interval.New} {
					total := 0
					for _, count := range side.Buckets {
						if count < 0 {
							t.Fatalf("%s, %s: a bucket of %d", kind.Name, fault.Name, count)
						}
						total += count
					}
					if total != side.Requests || side.Errors < 0 || side.Errors > side.Requests {
						t.Fatalf("%s, %s: %d requests, %d failed, %d in buckets", kind.Name, fault.Name, side.Requests, side.Errors, total)
					}
				}
			}
		}
	}
}

func TestParametersAreMet(t *testing.T) {
	near := func(t *testing.T, what string, got, want, tolerance float64) {
		t.Helper()
		if math.Abs(got-want) > tolerance*want {
			t.Errorf("%s is %.4g, want %.4g", what, got, want)
		}
	}
	for _, kind := range Kinds() {
		t.Run(kind.Name, func(t *testing.T) {
			releases := 60 * max(1, uint64(10/kind.Rate)) // so that of few requests enough fail
			before, from, to := warm(kind, Healthy(), 0.25, releases)
			near(t, "the rate", float64(before.Requests)/float64(releases)/Watch.Seconds(), kind.Rate, 0.25)
			near(t, "the share of the new colour", float64(to.Requests)/float64(from.Requests+to.Requests), 0.25, 0.05)
			burst := func(b Bursts) float64 {
				if b.Every == 0 {
					return 0
				}
				return b.Errors * b.Lasts.Seconds() / (b.Every + b.Lasts).Seconds()
			}
			errors := kind.Errors + burst(kind.Own) + burst(kind.Shared)
			near(t, "the old colour's error ratio", from.Ratio(), errors, 0.25)
			near(t, "the new colour's error ratio", to.Ratio(), errors, 0.25)
			near(t, "the new colour's share above 250 ms", to.slow(0.25), from.slow(0.25), 0.15)
		})
	}
}

func TestFaultsAreTheNewColoursAlone(t *testing.T) {
	kind := kindOf(t, "steady")
	const releases = 5
	_, from, to := warm(kind, Fault{Errors: 0.05}, 0.5, releases)
	if added := to.Ratio() - from.Ratio(); math.Abs(added-0.05) > 0.005 {
		t.Errorf("a fault of 5 points adds %.2f points", added*100)
	}
	_, from, to = warm(kind, Fault{Slower: 2}, 0.5, releases)
	if slow, usual := to.slow(0.5), from.slow(0.25); math.Abs(slow-usual) > 0.1*usual {
		t.Errorf("at twice the latency %.3f take 500 ms, in health %.3f take 250 ms", slow, usual)
	}
	_, from, to = warm(kind, Fault{NoTraffic: true}, 0.5, releases)
	if to.Requests != 0 || from.Requests == 0 {
		t.Errorf("without traffic the new colour has %d requests and the old one %d", to.Requests, from.Requests)
	}
	late := New(kind, Fault{Errors: 1, After: 4 * time.Minute}, 0.5, 1)
	for _, interval := range late.After {
		if failed := interval.New.Ratio() > 0.9; failed != (interval.Start >= 4*time.Minute) {
			t.Errorf("at %s of a fault that begins after 4m: %.0f %% failed", interval.Start, interval.New.Ratio()*100)
		}
	}
}

// What makes a gate hard to build: counts vary more than sampling would make
// them, and one interval is like the one before it.
func TestBurstsAreOverDispersedAndCorrelated(t *testing.T) {
	dispersion := func(kind Kind) (index, correlation float64) {
		var excess []float64 // in standard deviations of a binomial
		for seed := range uint64(40) {
			for _, interval := range New(kind, Healthy(), 0.5, seed).After {
				n, p := float64(interval.Old.Requests), 0.0
				p = kind.Errors + kind.Own.Errors*kind.Own.Lasts.Seconds()/(kind.Own.Every+kind.Own.Lasts+1).Seconds()
				excess = append(excess, (float64(interval.Old.Errors)-n*p)/math.Sqrt(n*p*(1-p)))
			}
		}
		var squares, products float64
		for i := 1; i < len(excess); i++ {
			squares += excess[i] * excess[i]
			products += excess[i] * excess[i-1]
		}
		return squares / float64(len(excess)-1), products / squares
	}
	steady, _ := dispersion(kindOf(t, "steady"))
	if steady > 1.3 {
		t.Errorf("steady: the variance is %.1f times that of sampling, want about that", steady)
	}
	bursty, correlation := dispersion(kindOf(t, "bursty"))
	if bursty < 3 || correlation < 0.4 {
		t.Errorf("bursty: the variance is %.1f times that of sampling, with correlation %.2f; want much more", bursty, correlation)
	}
}

func TestANewColourStartsCold(t *testing.T) {
	var first, later Counts
	for seed := range uint64(20) {
		made := New(kindOf(t, "steady"), Healthy(), 0.5, seed)
		first, later = first.Add(made.After[0].New), later.Add(made.After[12].New)
	}
	if first.slow(0.25) < 3*later.slow(0.25) || first.Ratio() < 3*later.Ratio() {
		t.Errorf("in the first interval %.3f are slow and %.4f fail, in the thirteenth %.3f and %.4f",
			first.slow(0.25), first.Ratio(), later.slow(0.25), later.Ratio())
	}
}

func TestQuantile(t *testing.T) {
	_, from, _ := warm(kindOf(t, "steady"), Healthy(), 0.5, 1)
	// Within the bucket from 100 to 250 ms nothing is known but its count.
	if got := from.Quantile(0.95); got < 0.2 || got > 0.25 {
		t.Errorf("the p95 is %.3f s, want about 0.215", got)
	}
	if got := from.Quantile(1); got > 10 || got < from.Quantile(0.99) {
		t.Errorf("the longest took %.3f s", got)
	}
	if got := (Counts{}).Quantile(0.95); !math.IsNaN(got) {
		t.Errorf("the p95 of nothing is %v", got)
	}
}

func TestTableHasEveryKind(t *testing.T) {
	table := Table()
	for _, kind := range Kinds() {
		if !strings.Contains(table, "| "+kind.Name+" | ") {
			t.Errorf("%s is not in the table", kind.Name)
		}
	}
	if want := "| every 3m0s for 10s: errors + 3 %, latency × 1.5 | every 5m0s for 30s: errors + 5 %, latency × 2 |"; !strings.Contains(table, want) {
		t.Errorf("the bursts are not in\n%s", table)
	}
}
