package measure

import (
	"maps"
	"time"
)

// The bounds of what is remembered of one pod.
const (
	historyPoints = 256
	historyAge    = 15 * time.Minute
)

// totals are what a pod did since it was first scraped. They only grow: a
// counter that reset has been added up across the reset.
type totals struct {
	requests, errors float64
	buckets          map[float64]float64
}

// plus is the totals with more of them, so many times. Neither is changed.
func (t totals) plus(more totals, times float64) totals {
	sum := totals{requests: t.requests + times*more.requests, errors: t.errors + times*more.errors, buckets: map[float64]float64{}}
	maps.Copy(sum.buckets, t.buckets)
	for bound, count := range more.buckets {
		sum.buckets[bound] += times * count
	}
	return sum
}

// since is what was done since earlier totals.
func (t totals) since(earlier totals) totals { return t.plus(earlier, -1) }

// point is the totals at one moment, and what was open then.
type point struct {
	time time.Time
	totals
	open map[string]openSeries
}

// history is what is known of one pod over time. Only totals are kept for
// each moment, so that a service with thousands of series costs no more than
// one with ten; and the few series in which something was open.
type history struct {
	last   exposition
	points []point
}

// add takes in one more scrape. Increases are taken series by series, as
// Prometheus does: a counter lower than before has started again at zero. A
// series that was not there before has started at zero too.
func (h *history) add(at time.Time, now exposition) {
	if len(h.points) == 0 {
		h.last, h.points = now, []point{{time: at, totals: totals{buckets: map[float64]float64{}}, open: now.opened.series}}
		for _, series := range now.buckets {
			h.points[0].buckets[series.bound] = 0
		}
		return
	}
	sum := h.points[len(h.points)-1].totals
	sum.buckets = maps.Clone(sum.buckets)
	for key, series := range now.requests {
		grown := increase(h.last.requests[key].value, series.value)
		sum.requests += grown
		if series.failed() {
			sum.errors += grown
		}
	}
	for key, series := range now.buckets {
		sum.buckets[series.bound] += increase(h.last.buckets[key].value, series.value)
	}
	// A series that a page leaves out for once must not count from zero when
	// it is back.
	for key, series := range h.last.requests {
		if _, found := now.requests[key]; !found {
			now.requests[key] = series
		}
	}
	for key, series := range h.last.buckets {
		if _, found := now.buckets[key]; !found {
			now.buckets[key] = series
		}
	}
	h.last = now
	h.points = append(h.points, point{time: at, totals: sum, open: now.opened.series})
	for len(h.points) > historyPoints || len(h.points) > 2 && at.Sub(h.points[0].time) > historyAge {
		h.points = h.points[1:]
	}
}

// increase of a counter, which may have reset in between.
func increase(before, now float64) float64 {
	if now < before {
		return now
	}
	return now - before
}

// over is what happened in the window that ends with the last scrape, and
// the time that it really covers: less than asked for while the history is
// young, and up to one scrape more otherwise. A window of 0 is the time
// between the last two scrapes.
func (h *history) over(window time.Duration) (totals, time.Duration) {
	if len(h.points) < 2 {
		return totals{}, 0
	}
	last := h.points[len(h.points)-1]
	first := h.points[0]
	for _, candidate := range h.points[:len(h.points)-1] {
		if last.time.Sub(candidate.time) < window {
			break
		}
		first = candidate
	}
	return last.since(first.totals), last.time.Sub(first.time)
}

// latest is the time of the last scrape.
func (h *history) latest() time.Time {
	if len(h.points) == 0 {
		return time.Time{}
	}
	return h.points[len(h.points)-1].time
}
