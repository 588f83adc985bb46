package measure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
)

// Counter is a source that counts: it knows how many requests a colour got
// between two moments, how many of them failed and how long they took. Ratios
// and quantiles of two overlapping windows can't be compared over time; counts
// of intervals that lie side by side can.
type Counter interface {
	Source
	// Count says what was counted from an earlier count's To until now. A
	// count since the zero time, or since a moment that is forgotten, has no
	// From: it only begins. An error says what is missing; what was counted
	// before it is not lost, for the next count since the same moment has it.
	Count(ctx context.Context, color string, since time.Time) (Count, error)
}

// Recorder is a Counter that can be asked about the past, too.
type Recorder interface {
	Counter
	// CountBetween says what was counted between two moments.
	CountBetween(ctx context.Context, color string, from, to time.Time) (relative.Sample, error)
}

// Count is what was counted of one colour.
type Count struct {
	// From is zero where the count only begins, at To.
	From, To time.Time
	relative.Sample
}

// Why there is no observation. With ErrEarly and ErrBegins nothing is missing.
var (
	ErrEarly  = errors.New("nothing new was counted yet")
	ErrBegins = errors.New("requests are counted from now on")
	// ErrUnremembered: no source can be asked about the past.
	ErrUnremembered = errors.New("nothing that is declared remembers the minutes before the switch (metrics.prometheus)")
	errSpent        = errors.New("the minutes before the switch are used up")
	errUncounted    = errors.New("nothing that is declared counts the requests of both sides")
)

// Counting turns what two colours count into observations, one for each
// interval between two looks. It remembers where the last one ended; a new
// Counting begins anew.
type Counting struct {
	tallies []*tally
}

// tally is one counter, and by colour where the last count ended.
type tally struct {
	Counter
	since map[string]time.Time
}

// NewCounting counts with the sources that can. What reads the counters
// themselves comes first, for it knows of the last second; what records them
// knows of its last scrape.
func NewCounting(sources []Source) *Counting {
	counting := &Counting{}
	for _, source := range sources {
		if counter, counts := source.(Counter); counts {
			counting.tallies = append(counting.tallies, &tally{Counter: counter, since: map[string]time.Time{}})
		}
	}
	slices.SortStableFunc(counting.tallies, func(a, b *tally) int { return records(a.Counter) - records(b.Counter) })
	return counting
}

// records is 1 for a Recorder.
func records(counter Counter) int {
	if _, recorder := counter.(Recorder); recorder {
		return 1
	}
	return 0
}

// Beside counts both colours over the same interval, which began after a switch,
// by the first source that answers for both: another one may count what this
// one doesn't, such as probes. The error says why there is no observation; its
// Weight is the caller's to set.
func (c *Counting) Beside(ctx context.Context, old, target string, switched time.Time) (relative.Observation, error) {
	for _, tally := range c.tallies {
		if !tally.answers(old) || !tally.answers(target) {
			continue
		}
		counts, err := tally.count(ctx, switched, old, target)
		if err != nil {
			return relative.Observation{}, err
		}
		return relative.Observation{From: counts[0].From, To: counts[0].To, Old: counts[0].Sample, New: counts[1].Sample}, nil
	}
	return relative.Observation{}, errUncounted
}

// Before counts the target over an interval that began after a switch, and the old
// colour over one as long that lies earlier by a time, and ended by a moment
// at the latest.
func (c *Counting) Before(ctx context.Context, old, target string, switched time.Time, earlier time.Duration, latest time.Time) (relative.Observation, error) {
	for _, tally := range c.tallies {
		recorder, is := tally.Counter.(Recorder)
		if !is || !tally.answers(target) {
			continue
		}
		counts, err := tally.count(ctx, switched, target)
		if err != nil {
			return relative.Observation{}, err
		}
		from, to := counts[0].From, counts[0].To
		if to.Add(-earlier).After(latest) {
			return relative.Observation{}, errSpent
		}
		before, err := recorder.CountBetween(ctx, old, from.Add(-earlier), to.Add(-earlier))
		return relative.Observation{From: from, To: to, Old: before, New: counts[0].Sample, Before: true}, err
	}
	return relative.Observation{}, ErrUnremembered
}

func (t *tally) answers(color string) bool {
	return t.Answers(Query{Signal: ErrorRatio, Color: color})
}

// count counts colours since the last time, all or none. Where one of them fails,
// the next count goes back to where this one would have begun.
func (t *tally) count(ctx context.Context, switched time.Time, colors ...string) ([]Count, error) {
	ctx, cancel := context.WithTimeout(ctx, observeDeadline)
	defer cancel()
	counts := make([]Count, len(colors))
	var group errgroup.Group
	for i, color := range colors {
		since := t.since[color]
		if since.Before(switched) {
			since = time.Time{}
		}
		group.Go(func() (err error) {
			counts[i], err = t.Count(ctx, color, since)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("count with %s: %w", t.Name(), err)
	}
	var begins error
	for i, color := range colors {
		t.since[color] = counts[i].To
		if counts[i].From.IsZero() {
			begins = ErrBegins
		}
	}
	return counts, begins
}

// histogramOf turns cumulative buckets, by their upper bounds, into counts of
// each bucket. Without a bucket for everything there is none.
func histogramOf(buckets map[float64]float64) relative.Histogram {
	bounds := slices.Sorted(maps.Keys(buckets))
	if len(bounds) < 2 || !math.IsInf(bounds[len(bounds)-1], 1) {
		return relative.Histogram{}
	}
	histogram, below := relative.Histogram{}, 0.0
	for _, bound := range bounds {
		if bound <= 0 {
			continue // nothing takes no time: these are in the next bucket too
		}
		histogram.Counts = append(histogram.Counts, max(buckets[bound]-below, 0))
		below = max(below, buckets[bound])
		if !math.IsInf(bound, 1) {
			histogram.Bounds = append(histogram.Bounds, bound)
		}
	}
	return histogram
}
