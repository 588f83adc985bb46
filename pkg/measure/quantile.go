package measure

import (
	"maps"
	"math"
	"slices"
)

// quantile is Prometheus's histogram_quantile over classic buckets: count by
// upper bound, cumulative. Within a bucket observations are taken to be
// spread evenly; in the highest one the answer is its lower bound, and in the
// lowest one, when its bound is not positive, the bound itself. It returns
// NaN for no observations and for buckets without a +Inf.
//
// https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
func quantile(q float64, buckets map[float64]float64) float64 {
	bounds := slices.Sorted(maps.Keys(buckets))
	if len(bounds) < 2 || !math.IsInf(bounds[len(bounds)-1], 1) {
		return math.NaN()
	}
	counts := make([]float64, len(bounds))
	for i, bound := range bounds {
		counts[i] = buckets[bound]
		if i > 0 {
			// Pods are scraped at different moments: keep it cumulative.
			counts[i] = max(counts[i], counts[i-1])
		}
	}
	last := len(bounds) - 1
	if counts[last] == 0 {
		return math.NaN()
	}
	rank := q * counts[last]
	bucket, _ := slices.BinarySearch(counts[:last], rank)
	switch {
	case bucket == last:
		return bounds[last-1]
	case bucket == 0 && bounds[0] <= 0:
		return bounds[0]
	}
	lower, below := 0.0, 0.0
	if bucket > 0 {
		lower, below = bounds[bucket-1], counts[bucket-1]
	}
	return lower + (bounds[bucket]-lower)*(rank-below)/(counts[bucket]-below)
}
