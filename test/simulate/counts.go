package simulate

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// Counts are what one colour's counters say of one interval.
type Counts struct {
	Requests, Errors int
	// Buckets are the requests by latency: one count for each of Bounds,
	// of those above the bound before it, and one for what is above all.
	Buckets []int
}

// Bounds are the upper bounds of the buckets of latency in seconds: the
// defaults of Prometheus's client libraries, as coarse as what a gate gets.
func Bounds() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// Add sums counts up.
func (c Counts) Add(other Counts) Counts {
	sum := Counts{Requests: c.Requests + other.Requests, Errors: c.Errors + other.Errors, Buckets: make([]int, len(Bounds())+1)}
	for _, counts := range [][]int{c.Buckets, other.Buckets} {
		for i, count := range counts {
			sum.Buckets[i] += count
		}
	}
	return sum
}

// Quantile is the latency in seconds that a share of the requests took at most, as
// Prometheus's histogram_quantile estimates it: evenly spread within a bucket, and
// the last bound beyond that. It is not a number for no requests.
func (c Counts) Quantile(share float64) float64 {
	if c.Requests == 0 {
		return math.NaN()
	}
	rank, below, lower := share*float64(c.Requests), 0.0, 0.0
	for i, bound := range Bounds() {
		count := float64(c.Buckets[i])
		if count > 0 && below+count >= rank {
			return lower + (bound-lower)*(rank-below)/count
		}
		below, lower = below+count, bound
	}
	return lower
}

// Ratio is the share of requests that failed, and not a number for none.
func (c Counts) Ratio() float64 { return float64(c.Errors) / float64(c.Requests) }

// draw makes the counts of one interval up: of so many requests each fails
// with a probability, and takes a latency that is so many times what is usual.
func draw(source rand.Source, requests int, errors float64, latency Latency, slower float64) Counts {
	counts := Counts{Requests: requests, Errors: binomial(source, requests, errors), Buckets: make([]int, 0, len(Bounds())+1)}
	rest, below := requests, 0.0
	for _, bound := range Bounds() {
		share := latency.below(bound / slower)
		count := rest
		if below < 1 {
			count = binomial(source, rest, (share-below)/(1-below))
		}
		counts.Buckets = append(counts.Buckets, count)
		rest, below = rest-count, share
	}
	counts.Buckets = append(counts.Buckets, rest)
	return counts
}

// below is the share of requests that take less than so many seconds.
func (l Latency) below(seconds float64) float64 {
	share := distuv.LogNormal{Mu: math.Log(l.Median), Sigma: l.Spread}.CDF(seconds)
	if l.TailShare > 0 {
		tail := distuv.Pareto{Xm: l.TailFrom, Alpha: l.TailIndex}.CDF(seconds)
		share = (1-l.TailShare)*share + l.TailShare*tail
	}
	return share
}

// binomial draws how many of n happen.
func binomial(source rand.Source, n int, probability float64) int {
	switch probability = min(max(probability, 0), 1); {
	case n == 0 || probability == 0:
		return 0
	case probability == 1:
		return n
	}
	return int(distuv.Binomial{N: float64(n), P: probability, Src: source}.Rand())
}

// poisson draws how many happen where mean are expected.
func poisson(source rand.Source, mean float64) int {
	if mean <= 0 {
		return 0
	}
	return int(distuv.Poisson{Lambda: mean, Src: source}.Rand())
}
