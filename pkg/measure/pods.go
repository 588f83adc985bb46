package measure

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// Pods reads the pods' own /metrics. It is the default, for it needs nothing
// in the cluster: counters and histograms are read through the API server,
// and rates are taken between the scrapes that it makes itself. The first
// reading of a colour therefore has no rate yet.
//
// A reading covers its window, or the time since the first scrape while that
// is shorter. Errors are answers with a 5xx status. Requests to a pod's own
// probe paths are left out where the metrics carry a path label.
type Pods struct {
	scraper *scraper
	// served is false when neither colour's pods serve any metrics.
	served bool
}

// Name says what it is.
func (p *Pods) Name() string { return "pods" }

// Answers reports whether the signal can be asked: never when no pod of
// either colour serves metrics.
func (p *Pods) Answers(query Query) bool {
	switch query.Signal {
	case RequestRate, ErrorRatio, LatencyP95, PoolSaturation, ResidualRate, OpenRequests:
		return p.served
	}
	return false
}

// Read answers one query.
func (p *Pods) Read(ctx context.Context, query Query) Reading {
	reading := Reading{Query: query, Time: p.scraper.clock.Now(), Source: p.Name(), Expression: p.expression(query, pathOf(p.scraper.metrics))}
	scrapes, done, err := p.scraper.look(ctx, query.Color)
	if err != nil {
		return reading.down("%v", err)
	}
	defer done()
	round := scrapes.round
	reading.Time, reading.Expression = round.time, p.expression(query, round.path())
	reading.Source = fmt.Sprintf("pods %d of %d sampled", len(round.read), round.pods)
	if state, detail := round.state(query.Color); state != OK {
		reading.State, reading.Detail = state, detail
		return reading
	}
	switch query.Signal {
	case PoolSaturation:
		reading = readPools(reading, round)
	case ResidualRate:
		reading, _ = p.readResidual(reading, scrapes)
	case OpenRequests:
		reading = readOpen(reading, scrapes)
	default:
		reading = p.readWindow(reading, scrapes)
	}
	if reading.Detail == "" && round.err != nil {
		reading.Detail = "not all pods answered: " + round.err.Error()
	}
	return reading
}

// ResidualByPod is requests per second of each pod of a colour between its
// last two scrapes, and the reading that sums them up. Pods that were not
// sampled are not in the map; the reading's Samples count those that are.
func (p *Pods) ResidualByPod(ctx context.Context, color string) (map[string]float64, Reading) {
	query := Query{Signal: ResidualRate, Color: color}
	reading := Reading{Query: query, Time: p.scraper.clock.Now(), Source: p.Name(), Expression: p.expression(query, pathOf(p.scraper.metrics))}
	scrapes, done, err := p.scraper.look(ctx, color)
	if err != nil {
		return nil, reading.down("%v", err)
	}
	defer done()
	reading.Time, reading.Expression = scrapes.round.time, p.expression(query, scrapes.round.path())
	reading.Source = fmt.Sprintf("pods %d of %d sampled", len(scrapes.round.read), scrapes.round.pods)
	if state, detail := scrapes.round.state(color); state != OK {
		reading.State, reading.Detail = state, detail
		return nil, reading
	}
	reading, rates := p.readResidual(reading, scrapes)
	return rates, reading
}

// state says whether a round can be measured by, and if not why.
func (r round) state(color string) (State, string) {
	switch {
	case len(r.read) > 0:
		return OK, ""
	case r.err != nil && r.pods == 0:
		return SourceDown, r.err.Error()
	case r.err != nil:
		return SourceDown, fmt.Sprintf("none of %d pods of %s answered: %v", r.pods, color, r.err)
	case r.pods == 0:
		return NoData, fmt.Sprintf("no pod of %s runs", color)
	}
	return NoData, fmt.Sprintf("no pod of %s serves %s", color, r.path())
}

// path is where the pods were asked.
func (r round) path() string { return strings.Join(r.paths, " or ") }

// readWindow answers the signals that are taken over a window. Pods that are
// gone count as far as the window saw them.
func (p *Pods) readWindow(reading Reading, scrapes *colorScrapes) Reading {
	sum, rate, covered := scrapes.over(reading.Window)
	if covered == 0 {
		return reading.noData("first scrape of %s; a rate needs two", reading.Color)
	}
	if reading.Signal == RequestRate {
		if !scrapes.has(func(e exposition) bool { return len(e.requests) > 0 }) {
			return reading.noData("no pod of %s counts %s", reading.Color, p.scraper.names.counter)
		}
		sampled := float64(scrapes.round.chosen) / float64(scrapes.round.pods)
		return reading.ok(rate/sampled, sum.requests)
	}
	if sum.requests == 0 && sum.buckets[math.Inf(1)] == 0 {
		return reading.noData("no requests of %s in %s", reading.Color, covered.Round(time.Second))
	}
	if reading.Signal == ErrorRatio {
		if sum.requests == 0 {
			return reading.noData("no pod of %s counts %s", reading.Color, p.scraper.names.counter)
		}
		if !scrapes.has(exposition.tells) {
			return reading.noData("%s", p.scraper.names.untold(reading.Color))
		}
		return reading.ok(sum.errors/sum.requests, sum.requests)
	}
	value, samples := quantile(0.95, sum.buckets), sum.buckets[math.Inf(1)]
	if math.IsNaN(value) {
		return reading.noData("no pod of %s has a histogram %s with requests in %s", reading.Color, p.scraper.names.histogram, covered.Round(time.Second))
	}
	return reading.ok(value, samples)
}

// over sums the window of all pods of a colour. rate is the sum of the pods'
// own rates; a pod that is gone is spread over the whole window.
func (c *colorScrapes) over(window time.Duration) (sum totals, rate float64, covered time.Duration) {
	sum.buckets = map[float64]float64{}
	for _, known := range c.history {
		age := c.round.time.Sub(known.latest())
		if age >= window && age > 0 {
			continue
		}
		grown, span := known.over(window - max(age, 0))
		if span <= 0 {
			continue
		}
		covered = max(covered, span)
		sum.requests += grown.requests
		sum.errors += grown.errors
		for bound, count := range grown.buckets {
			sum.buckets[bound] += count
		}
		if age > shared {
			span = max(span, window)
		}
		rate += grown.requests / span.Seconds()
	}
	return sum, rate, covered
}

// has reports whether any pod of the last round shows something.
func (c *colorScrapes) has(what func(exposition) bool) bool {
	for _, pod := range c.round.read {
		if what(pod.history.last) {
			return true
		}
	}
	return false
}

// readPools finds the fullest pool of all pods.
func readPools(reading Reading, round round) Reading {
	value, pods, fullest := 0.0, 0, ""
	for _, pod := range round.read {
		if pod.history.last.pools == 0 {
			continue
		}
		pods++
		if saturation := pod.history.last.saturation; saturation > value {
			value, fullest = saturation, pod.name
		}
	}
	if pods == 0 {
		return reading.noData("no pod of %s shows a connection pool that is known", reading.Color)
	}
	if fullest != "" {
		reading.Detail = "the fullest pool is that of pod " + fullest
	}
	return reading.ok(value, float64(pods))
}

// readResidual sums what still reaches pods that are there. Where some of them
// are not in the sum, because there are more than are sampled or because one
// did not answer, Detail says how many: such a sum of 0 proves nothing.
func (p *Pods) readResidual(reading Reading, scrapes *colorScrapes) (Reading, map[string]float64) {
	rates, requests, round := map[string]float64{}, 0.0, scrapes.round
	var total float64
	for _, pod := range round.read {
		grown, span := pod.history.over(reading.Window)
		if span <= 0 {
			continue
		}
		rates[pod.name] = grown.requests / span.Seconds()
		total += rates[pod.name]
		requests += grown.requests
	}
	if len(rates) == 0 {
		return reading.noData("first scrape of %s; a rate needs two", reading.Color), rates
	}
	if !scrapes.counts {
		return reading.noData("no pod of %s counts %s", reading.Color, p.scraper.names.counter), nil
	}
	if unseen := round.pods - len(rates); unseen > 0 {
		reading.Detail = fmt.Sprintf("%d pods of %s were not measured", unseen, reading.Color)
		if round.err != nil {
			reading.Detail += ": " + round.err.Error()
		}
	}
	return reading.ok(total, requests), rates
}

// expression is what is asked of each pod.
func (p *Pods) expression(query Query, path string) string {
	metric := p.scraper.names.counter
	switch query.Signal {
	case LatencyP95:
		metric = p.scraper.names.histogram
	case PoolSaturation:
		metric = "connection pool gauges"
	case OpenRequests:
		metric = "gauges of what is open"
	}
	return fmt.Sprintf("%s %s: %s over %s", http.MethodGet, path, metric, query.Window)
}
