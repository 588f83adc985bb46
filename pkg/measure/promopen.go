package measure

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// openWindow is the time for which a Prometheus must have seen something open:
// two scrapes of a server that makes one a minute, and two pushes of an SDK of
// OpenTelemetry, which makes as many.
const openWindow = 2 * time.Minute

// open is what a colour has open by one metric: of each series the smallest in
// the window, of those whose pods are there. paths are the platform's own.
func (f formulas) open(metric openMetric, paths []string) string {
	return "sum(" + f.smallest(metric, f.beyond(paths)) + ")"
}

// asked is on how many pods a question of the platform's may be in that.
func (f formulas) asked(metric openMetric) string {
	return "count(sum by (instance, pod, kubernetes_pod_name) (" + f.smallest(metric, f.pathless()) + ") > 0)"
}

func (f formulas) smallest(metric openMetric, colour matcher) string {
	if metric.ended == "" {
		return fmt.Sprintf("min_over_time(%[1]s{%[2]s}%[3]s) and %[1]s{%[2]s}", metric.open, colour, f.over())
	}
	// Counters of what has ended appear with the first that does. A range of
	// a difference takes a resolution: half of the usual time between scrapes.
	step := promDuration(recordedLeast / 4)
	return fmt.Sprintf("min_over_time(clamp_min(%[1]s{%[2]s} - (sum without (%[4]s) (%[3]s{%[2]s}) or 0 * %[1]s{%[2]s}), 0)[%[5]s:%[6]s]) and %[1]s{%[2]s}",
		metric.open, f.colour, metric.ended, strings.Join(metric.endedBy, ", "), promDuration(f.window), step)
}

// beyond are the colour's series without those of some paths.
func (f formulas) beyond(paths []string) matcher {
	quoted := make([]string, len(paths))
	for i, path := range paths {
		quoted[i] = regexp.QuoteMeta(path)
	}
	return f.without(strings.Join(quoted, "|"))
}

// pathless are the colour's series that tell no path.
func (f formulas) pathless() matcher { return f.without("/.*") }

// without are the colour's series of which no path label is like that.
func (f formulas) without(path string) matcher {
	colour := f.colour
	for _, label := range openPathLabels() {
		colour = colour.and(fmt.Sprintf("%s!~%q", label, path))
	}
	return colour
}

// telling counts the series of each metric that tells what is open.
func (f formulas) telling() string {
	var names []string
	for _, metric := range openMetrics() {
		names = append(names, metric.open)
	}
	return fmt.Sprintf("count by (__name__) ({%s})", f.colour.and(fmt.Sprintf("__name__=~%q", strings.Join(names, "|"))))
}

// openOn is how many pods tell of a metric.
func (f formulas) openOn(metric openMetric) string {
	return fmt.Sprintf("count(sum by (instance, pod, kubernetes_pod_name) (%s{%s}))", metric.open, f.colour)
}

// readOpen answers how much a colour has open.
func (p *Prometheus) readOpen(ctx context.Context, reading Reading, ask formulas) Reading {
	ask.window = openWindow
	reading.Expression = ask.telling()
	telling, err := p.by(ctx, "__name__", reading.Expression)
	if err != nil {
		return reading.down("%v", err)
	}
	found := counting(telling)
	if len(found) == 0 {
		return reading.openUntold()
	}
	paths, err := p.platform(ctx, reading.Color)
	if err != nil {
		return reading.down("%v", err)
	}
	reading.Expression = ask.open(found[0], paths)
	for _, metric := range found[1:] {
		reading.Expression += " + " + ask.open(metric, paths)
	}
	scrapes, err := p.one(ctx, ask.scrapes())
	switch {
	case errors.Is(err, errAbsent): // what is pushed has no targets
	case err != nil:
		return reading.down("%v", err)
	case scrapes < 2:
		return reading.noData("not every target of %s was scraped twice in %s", reading.Color, openWindow)
	}
	sum, err := p.sumOpen(ctx, ask, found, paths)
	if err != nil {
		return reading.down("%v", err)
	}
	reading = sum.reading(reading, "")
	if reading.State == OK {
		reading.Detail += fmt.Sprintf(", for %s at the least", openWindow)
	}
	return reading
}

// counting are those of some metrics that count: the first gauge, and what two
// counters tell.
func counting(telling map[string]float64) []openMetric {
	var found []openMetric
	for _, metric := range openMetrics() {
		if _, tells := telling[metric.open]; tells && (metric.ended != "" || len(found) == 0) {
			found = append(found, metric)
		}
	}
	return found
}

// sumOpen sums up what some metrics say, and asks what of it may be the platform's.
func (p *Prometheus) sumOpen(ctx context.Context, ask formulas, found []openMetric, paths []string) (openSum, error) {
	sum := openSum{}
	for _, metric := range found {
		open, err := p.openCount(ctx, ask.open(metric, paths))
		if err != nil {
			return sum, err
		}
		sum.all += open
		sum.metrics = append(sum.metrics, metric.String())
		pods, err := p.openCount(ctx, ask.openOn(metric))
		if err != nil {
			return sum, err
		}
		sum.pods = max(sum.pods, int(pods))
		if metric.ended != "" {
			continue
		}
		asked, err := p.openCount(ctx, ask.asked(metric))
		if err != nil {
			return sum, err
		}
		sum.askedOn = int(asked)
	}
	return sum, nil
}

// openCount asks how many of something there are: none where no series is left.
func (p *Prometheus) openCount(ctx context.Context, query string) (float64, error) {
	value, err := p.one(ctx, query)
	switch {
	case errors.Is(err, errAbsent):
		return 0, nil
	case err == nil && (!isNumber(value) || value < 0):
		return 0, fmt.Errorf("it answered that %v are open, which makes no sense", value)
	}
	return value, err
}

// freshest answers what is open from the pods' own pages, and from a Prometheus
// where they tell nothing, as those do that push: the server knows of a stream
// that ends, and of one that begins, only minutes later.
type freshest struct {
	pods, server Source
}

// Name says who is asked first.
func (f freshest) Name() string { return f.pods.Name() + ", else " + f.server.Name() }

// Answers reports whether one of them can be asked.
func (f freshest) Answers(query Query) bool {
	return query.Signal == OpenRequests && (f.pods.Answers(query) || f.server.Answers(query))
}

// Read answers one query.
func (f freshest) Read(ctx context.Context, query Query) Reading {
	if !f.pods.Answers(query) {
		return f.server.Read(ctx, query)
	}
	reading := f.pods.Read(ctx, query)
	if reading.State == OK || reading.Samples > 0 {
		return reading
	}
	if recorded := f.server.Read(ctx, query); recorded.State == OK || recorded.Samples > 0 {
		return recorded
	}
	return reading
}
