package measure

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
)

const (
	// recordedLeast is the shortest interval that a server is asked about: two
	// scrapes at its usual 15 s. Where it scrapes more rarely the interval grows
	// until every target was scraped twice in it.
	recordedLeast = 30 * time.Second
	// recordedMost is the longest one; after that the count begins anew. A
	// target that ended before its second scrape is in every longer one.
	recordedMost = 4 * recordedLeast
)

// Count says what the server's counters of a colour grew by since a moment, as
// its increase() extrapolates it.
func (p *Prometheus) Count(ctx context.Context, color string, since time.Time) (Count, error) {
	now := p.clock.Now()
	lasts := now.Sub(since)
	switch {
	case since.IsZero() || lasts > recordedMost:
		return Count{To: now}, nil
	case lasts < recordedLeast:
		return Count{}, ErrEarly
	}
	sample, err := p.increases(ctx, color, lasts, 0)
	return Count{From: since, To: now, Sample: sample}, err
}

// CountBetween says the same of an interval of the past.
func (p *Prometheus) CountBetween(ctx context.Context, color string, from, to time.Time) (relative.Sample, error) {
	return p.increases(ctx, color, to.Sub(from), p.clock.Since(to))
}

// increases asks what a colour's counters grew by over a time that ended a while
// ago. It is an error that a target was not scraped, or not twice, in it.
func (p *Prometheus) increases(ctx context.Context, color string, lasts, ago time.Duration) (relative.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, prometheusTimeout)
	defer cancel()
	colour, err := p.matcher(ctx, color)
	if err != nil {
		return relative.Sample{}, err
	}
	ask := formulas{names: p.names, colour: colour, window: lasts.Truncate(time.Millisecond), ago: ago.Truncate(time.Millisecond)}
	scrapes, err := p.one(ctx, ask.scrapes())
	switch {
	case errors.Is(err, errAbsent): // what is pushed has no targets
	case err != nil:
		return relative.Sample{}, err
	case scrapes < 2:
		return relative.Sample{}, fmt.Errorf("not every target of %s was scraped twice in %s", color, lasts.Round(time.Second))
	}
	requests, err := p.one(ctx, ask.samples(RequestRate))
	if errors.Is(err, errAbsent) {
		return relative.Sample{}, fmt.Errorf("no series of %s with requests in %s", color, lasts.Round(time.Second))
	}
	if err != nil {
		return relative.Sample{}, err
	}
	failed, err := p.failures(ctx, color, ask, requests)
	if err != nil {
		return relative.Sample{}, err
	}
	latency, err := p.latencies(ctx, ask)
	if err == nil && (!isNumber(requests) || !isNumber(failed) || requests < 0 || failed < 0) {
		err = fmt.Errorf("it answered %v failed of %v requests, which makes no sense", failed, requests)
	}
	return relative.Sample{Requests: requests, Failed: min(failed, requests), Latency: latency}, err
}

// failures are those among the requests that failed.
func (p *Prometheus) failures(ctx context.Context, color string, ask formulas, requests float64) (float64, error) {
	failed, err := p.one(ctx, ask.failures())
	switch {
	case errors.Is(err, errAbsent) && requests == 0:
		return 0, nil
	case errors.Is(err, errAbsent):
		return 0, errors.New(p.names.untold(color))
	}
	return failed, err
}

// latencies are the requests by their latency; without a histogram there are
// none.
func (p *Prometheus) latencies(ctx context.Context, ask formulas) (relative.Histogram, error) {
	answers, err := p.by(ctx, "le", ask.latencies())
	if err != nil {
		return relative.Histogram{}, err
	}
	buckets := make(map[float64]float64, len(answers))
	for label, count := range answers {
		bound, err := strconv.ParseFloat(label, 64)
		if err != nil || !isNumber(count) {
			return relative.Histogram{}, fmt.Errorf("it answered %v requests within %q s, which makes no sense", count, label)
		}
		buckets[bound] = count
	}
	return histogramOf(buckets), nil
}
