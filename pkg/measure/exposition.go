package measure

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// expositionLimit bounds what is read of one /metrics page.
const expositionLimit = 32 << 20

// errNotMetrics says that a page is not in Prometheus's text format.
var errNotMetrics = errors.New("the page is not in the Prometheus text format")

// exposition is what one /metrics page says, reduced to what is measured.
type exposition struct {
	// requests, errors and buckets are counters by series.
	requests map[string]requestSeries
	buckets  map[string]bucketSeries
	// counts: the page has the request counter, if only for requests of the
	// platform.
	counts bool
	// saturation is the fullest pool, acquired over maximum.
	saturation float64
	pools      int
	// opened is what is open.
	opened opened
	// families is how many metrics the page has, known or not.
	families int
}

type requestSeries struct {
	value float64
	// status is the HTTP status, "" when the series doesn't tell.
	status string
}

// failed reports whether the requests failed (5xx).
func (s requestSeries) failed() bool { return strings.HasPrefix(s.status, "5") }

type bucketSeries struct {
	bound float64
	value float64
}

// tells reports whether some of the requests are told by their status, without
// which there is no saying that none failed.
func (e exposition) tells() bool {
	for _, series := range e.requests {
		if series.status != "" {
			return true
		}
	}
	return false
}

// parseExposition reads a page. A page without a single metric is one: that of
// a service that has counted nothing yet.
func parseExposition(page io.Reader) (map[string]*dto.MetricFamily, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(page, expositionLimit))
	var at expfmt.ParseError
	switch {
	case errors.As(err, &at):
		// Its message quotes the page, which may be anything.
		return nil, fmt.Errorf("%w: line %d is not", errNotMetrics, at.Line)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errNotMetrics, cluster.Unquoted(err))
	}
	return families, nil
}

// isExposition reports whether a content type is that of a page of metrics,
// which an empty page is known by.
func isExposition(contentType string) bool {
	return strings.Contains(contentType, "version=0.0.4") || strings.HasPrefix(contentType, "application/openmetrics-text")
}

// readExposition reduces a page to what a dialect knows in it.
func readExposition(page io.Reader, names dialect, platformPaths []string) (exposition, error) {
	families, err := parseExposition(page)
	if err != nil {
		return exposition{}, err
	}
	read := exposition{requests: map[string]requestSeries{}, buckets: map[string]bucketSeries{}, families: len(families)}
	read.addRequests(families, names, platformPaths)
	read.addBuckets(families[names.histogram], names, platformPaths)
	for _, pool := range poolMetrics() {
		read.addPool(families, pool)
	}
	read.opened = openOf(families, platformPaths)
	return read, nil
}

// addRequests reads the request counter, which may be the _count of the
// latency histogram.
func (e *exposition) addRequests(families map[string]*dto.MetricFamily, names dialect, platformPaths []string) {
	family := familyOf(families, names.counter)
	e.counts = family != nil
	for _, metric := range family.GetMetric() {
		labels := labelsOf(metric)
		if value := counterOf(metric); names.concerns(labels, platformPaths) && !math.IsNaN(value) {
			e.requests[keyOf(metric)] = requestSeries{value: value, status: names.status(labels)}
		}
	}
}

func (e *exposition) addBuckets(family *dto.MetricFamily, names dialect, platformPaths []string) {
	for _, metric := range family.GetMetric() {
		if !names.concerns(labelsOf(metric), platformPaths) {
			continue
		}
		key := keyOf(metric)
		for _, bucket := range metric.GetHistogram().GetBucket() {
			e.buckets[fmt.Sprintf("%s le=%g", key, bucket.GetUpperBound())] =
				bucketSeries{bound: bucket.GetUpperBound(), value: float64(bucket.GetCumulativeCount())}
		}
	}
}

// addPool finds the fullest pool of one kind.
func (e *exposition) addPool(families map[string]*dto.MetricFamily, pool poolMetric) {
	limits := map[string]float64{}
	for _, metric := range families[pool.max].GetMetric() {
		limits[keyOf(metric)] = gaugeOf(metric)
	}
	for _, metric := range families[pool.used].GetMetric() {
		if pool.usedState != "" && labelsOf(metric)["state"] != pool.usedState {
			continue
		}
		// A maximum of 0 means without limit to database/sql.
		if limit := limits[keyOf(metric, "state")]; limit > 0 {
			e.pools++
			e.saturation = max(e.saturation, gaugeOf(metric)/limit)
		}
	}
}

func labelsOf(metric *dto.Metric) map[string]string {
	labels := make(map[string]string, len(metric.GetLabel()))
	for _, label := range metric.GetLabel() {
		labels[label.GetName()] = label.GetValue()
	}
	return labels
}

// keyOf tells a series of a family from every other by its labels.
func keyOf(metric *dto.Metric, without ...string) string {
	var pairs []string
	for _, label := range metric.GetLabel() {
		if !slices.Contains(without, label.GetName()) {
			pairs = append(pairs, label.GetName()+"="+label.GetValue())
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "\x00")
}

func counterOf(metric *dto.Metric) float64 {
	switch {
	case metric.GetCounter() != nil:
		return metric.GetCounter().GetValue()
	case metric.GetHistogram() != nil:
		return float64(metric.GetHistogram().GetSampleCount())
	case metric.GetSummary() != nil:
		return float64(metric.GetSummary().GetSampleCount())
	}
	return metric.GetUntyped().GetValue()
}

func gaugeOf(metric *dto.Metric) float64 {
	if metric.GetGauge() != nil {
		return metric.GetGauge().GetValue()
	}
	return metric.GetUntyped().GetValue()
}
