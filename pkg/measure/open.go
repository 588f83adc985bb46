package measure

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// openMetric is how a service tells what it has open: by a gauge, or by two
// counters, of what was begun and of what has ended.
type openMetric struct {
	open string
	// ended is the counter of what has ended, "" where open is a gauge. Its
	// labels are those of open and endedBy.
	ended   string
	endedBy []string
}

// openMetrics are those that are known, by the library that tells so. Of the
// gauges a service may have several, over the same requests: the first one
// counts. Calls that are counted by two counters are counted beside it.
func openMetrics() []openMetric {
	return []openMetric{
		{open: "http_server_active_requests"},                      // OpenTelemetry's http.server.active_requests, ASP.NET Core
		{open: "http_requests_in_flight"},                          // the name for promhttp.InstrumentHandlerInFlight that most chose
		{open: "http_requests_inprogress"},                         // prometheus-fastapi-instrumentator
		{open: "http_server_requests_active_seconds_active_count"}, // Spring Boot 3, Micrometer to 1.12
		{open: "http_server_requests_active_seconds_gcount"},       // Micrometer since, with a histogram (PrometheusMeterRegistry.newLongTaskTimer)
		{open: "http_server_requests_active_seconds_count"},        // the same without one
		// go-grpc-middleware; java-grpc-prometheus, which tells the code by both labels.
		{open: "grpc_server_started_total", ended: "grpc_server_handled_total", endedBy: []string{"grpc_code", "code"}},
	}
}

// openNames are their names, for people.
func openNames() string {
	var names []string
	for _, metric := range openMetrics() {
		names = append(names, metric.String())
	}
	return strings.Join(names, ", ")
}

// String is what is measured.
func (m openMetric) String() string {
	if m.ended == "" {
		return m.open
	}
	return m.open + " - " + m.ended
}

// openPathLabels hold the path of what is open, whatever the dialect of the
// other metrics is.
func openPathLabels() []string {
	return []string{"path", "handler", "route", "endpoint", "uri", "http_route", "url_path"}
}

// tellsPath reports whether labels say which path is asked. Names of handlers
// and words such as UNKNOWN, which is what Spring knows when a request begins,
// don't.
func tellsPath(labels map[string]string) bool {
	return slices.ContainsFunc(openPathLabels(), func(name string) bool { return strings.HasPrefix(labels[name], "/") })
}

// openSeries is what one series says is open.
type openSeries struct {
	value float64
	// told: nothing that only the platform asks for can be in it. Otherwise the
	// very scrape may be, or a probe.
	told bool
}

// opened is what a page says is open.
type opened struct {
	// metrics are those that the page has.
	metrics []string
	// series are those in which something is.
	series map[string]openSeries
}

// openOf reads what a page says is open.
func openOf(families map[string]*dto.MetricFamily, platformPaths []string) opened {
	read, gauge := opened{series: map[string]openSeries{}}, false
	for _, metric := range openMetrics() {
		family := familyOf(families, metric.open)
		isGauge := metric.ended == ""
		if family == nil || isGauge && gauge {
			continue
		}
		gauge = gauge || isGauge
		read.metrics = append(read.metrics, metric.String())
		if isGauge {
			read.addGauge(metric.open, family, platformPaths)
		} else {
			read.addDifference(metric, family, familyOf(families, metric.ended))
		}
	}
	return read
}

func (o opened) addGauge(name string, family *dto.MetricFamily, platformPaths []string) {
	asks := dialect{pathLabels: openPathLabels()}
	for _, metric := range family.GetMetric() {
		labels := labelsOf(metric)
		if value := numberOf(metric); value > 0 && isNumber(value) && asks.concerns(labels, platformPaths) {
			o.series[name+"\x00"+keyOf(metric)] = openSeries{value: value, told: tellsPath(labels)}
		}
	}
}

// addDifference adds what was begun and has not ended. What only the platform
// asks for is not asked for by such calls, but for health checks, which end.
func (o opened) addDifference(of openMetric, begun, ended *dto.MetricFamily) {
	left := map[string]float64{}
	for _, metric := range begun.GetMetric() {
		left[keyOf(metric)] += numberOf(metric)
	}
	for _, metric := range ended.GetMetric() {
		left[keyOf(metric, of.endedBy...)] -= numberOf(metric)
	}
	for key, value := range left {
		if value > 0 && isNumber(value) {
			o.series[of.open+"\x00"+key] = openSeries{value: value, told: true}
		}
	}
}

// familyOf finds a metric on a page, which may be the _count of a summary or a
// histogram.
func familyOf(families map[string]*dto.MetricFamily, name string) *dto.MetricFamily {
	if family := families[name]; family != nil {
		return family
	}
	if base, isCount := strings.CutSuffix(name, "_count"); isCount {
		return families[base]
	}
	return nil
}

// numberOf is a gauge's value, or a counter's.
func numberOf(metric *dto.Metric) float64 {
	if metric.GetGauge() != nil {
		return metric.GetGauge().GetValue()
	}
	return counterOf(metric)
}

// openOver is what was open in each scrape of a window that ends with the last
// one, and how many scrapes those are: two at the least, once there are two. A
// stream is in each of them; a request is in as many as it lasts.
func (h *history) openOver(window time.Duration) (smallest map[string]openSeries, scrapes int) {
	for _, point := range slices.Backward(h.points) {
		switch {
		case scrapes == 0:
			smallest = maps.Clone(point.open)
		case scrapes >= 2 && h.latest().Sub(point.time) > window:
			return smallest, scrapes
		default:
			maps.DeleteFunc(smallest, func(key string, _ openSeries) bool { _, found := point.open[key]; return !found })
			for key, series := range smallest {
				series.value = min(series.value, point.open[key].value)
				smallest[key] = series
			}
		}
		scrapes++
	}
	return smallest, scrapes
}

// openSum is what the pods of a colour have open.
type openSum struct {
	// all counts what the metrics say, of which one on each of some pods may be
	// what the platform asks for: the very scrape, which is answered while it is
	// counted.
	all     float64
	askedOn int
	// pods are those that were measured.
	pods    int
	metrics []string
}

// add adds a pod.
func (s *openSum) add(smallest map[string]openSeries) {
	s.pods++
	asked := false
	for _, series := range smallest {
		s.all += series.value
		asked = asked || !series.told
	}
	if asked {
		s.askedOn++
	}
}

// reading judges the sum. Only what can't be the platform's own question is
// certainly open; where there is nothing but what may be, nothing is known.
func (s openSum) reading(reading Reading, unseen string) Reading {
	by := strings.Join(s.metrics, " and ")
	certain := max(s.all-float64(s.askedOn), 0)
	maybe := fmt.Sprintf("one request on each of %d pods may be the very question, for no path label tells", s.askedOn)
	switch {
	case certain > 0:
		reading = reading.ok(math.Round(certain), float64(s.pods))
		reading.Detail = "by " + by
		if s.askedOn > 0 {
			reading.Detail += "; besides, " + maybe
		}
		if unseen != "" {
			reading.Detail += "; " + unseen
		}
	case s.askedOn > 0:
		reading = reading.noData("by %s nothing else is open on %s, and %s", by, reading.Color, maybe)
		reading.Samples = float64(s.pods)
	case unseen != "":
		reading = reading.noData("by %s nothing is open where it was measured, but %s", by, unseen)
		reading.Samples = float64(s.pods)
	default:
		reading = reading.ok(0, float64(s.pods))
		reading.Detail = "by " + by
	}
	return reading
}

// openUntold is a reading of a colour of which no pod tells.
func (r Reading) openUntold() Reading {
	return r.noData("no pod of %s exports how many requests it has open (%s)", r.Color, openNames())
}

// readOpen sums up what the pods that are there have open.
func readOpen(reading Reading, scrapes *colorScrapes) Reading {
	sum, round := openSum{}, scrapes.round
	for _, pod := range round.read {
		for _, metric := range pod.history.last.opened.metrics {
			if !slices.Contains(sum.metrics, metric) {
				sum.metrics = append(sum.metrics, metric)
			}
		}
		// A pod without the metric has not answered a request yet.
		if smallest, count := pod.history.openOver(reading.Window); count >= 2 {
			sum.add(smallest)
		}
	}
	switch {
	case len(sum.metrics) == 0:
		return reading.openUntold()
	case sum.pods == 0:
		return reading.noData("first scrape of %s; what is open takes two", reading.Color)
	}
	unseen := ""
	if missing := round.pods - sum.pods; missing > 0 {
		unseen = fmt.Sprintf("%d pods of %s were not measured", missing, reading.Color)
	}
	return sum.reading(reading, unseen)
}
