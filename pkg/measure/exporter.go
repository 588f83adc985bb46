package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"k8s.io/utils/clock"
)

// exporter observes a database through a postgres_exporter: its own page, or
// what a Prometheus server has of it. It knows how full the server is, and
// nothing of whose sessions are whose.
type exporter struct {
	name     string
	database string
	clock    clock.PassiveClock
	// read returns backends, max_connections and the reserved ones.
	read func(ctx context.Context) (backends, limit, reserved float64, err error)
	// expression is what read asks.
	expression string
}

// The metrics of postgres_exporter that are read. pg_stat_database_numbackends
// is the one that the first seed names.
const (
	metricUp       = "pg_up"
	metricBackends = "pg_stat_database_numbackends"
	metricLimit    = "pg_settings_max_connections"
	metricReserved = "pg_settings_superuser_reserved_connections"
)

// newExporter reads an exporter's page.
func newExporter(name, database string, transport http.RoundTripper, clock clock.PassiveClock) *exporter {
	return &exporter{name: name, database: database, clock: clock,
		expression: "GET /metrics: sum(" + metricBackends + ") / (" + metricLimit + " - " + metricReserved + ")",
		read: func(ctx context.Context) (float64, float64, float64, error) {
			return readExporterPage(ctx, transport)
		}}
}

// newExportedDatabase asks a Prometheus server that scrapes an exporter.
func newExportedDatabase(server *prometheusServer, database string, clock clock.PassiveClock) *exporter {
	return &exporter{name: server.name, database: database, clock: clock,
		expression: "sum(" + metricBackends + ") / (max(" + metricLimit + ") - max(" + metricReserved + "))",
		read: func(ctx context.Context) (float64, float64, float64, error) {
			return readExportedDatabase(ctx, server)
		}}
}

// Name says who is asked.
func (e *exporter) Name() string { return e.name }

// Answers reports whether the signal can be asked.
func (e *exporter) Answers(query Query) bool {
	return query.Signal == DatabaseConnections && query.Database == e.database
}

// Read answers one query.
func (e *exporter) Read(ctx context.Context, query Query) Reading {
	reading := Reading{Query: query, Time: e.clock.Now(), Source: e.name, Expression: e.expression}
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	backends, limit, reserved, err := e.read(ctx)
	switch {
	case errors.Is(err, errAbsent):
		return reading.noData("it has no series %s and %s", metricBackends, metricLimit)
	case err != nil:
		return reading.down("%v", err)
	case !isNumber(backends), !isNumber(limit), !isNumber(reserved), backends < 0, limit-reserved <= 0:
		return reading.down("it answered %v of %v connections, which makes no sense", backends, limit)
	}
	reading.Detail = fmt.Sprintf("%g of %g connections", backends, limit-reserved)
	return reading.ok(backends/(limit-reserved), backends)
}

// readExporterPage reads the numbers off the page.
func readExporterPage(ctx context.Context, transport http.RoundTripper) (backends, limit, reserved float64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://exporter/metrics", nil)
	if err != nil {
		return 0, 0, 0, err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, 0, 0, plainError(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // nothing was written
	if response.StatusCode != http.StatusOK {
		return 0, 0, 0, fmt.Errorf("it answered with status %d", response.StatusCode)
	}
	families, err := parseExposition(response.Body)
	if err != nil {
		if ctx.Err() != nil {
			return 0, 0, 0, errors.New("no answer in time")
		}
		return 0, 0, 0, err
	}
	if up := families[metricUp].GetMetric(); len(up) > 0 && gaugeOf(up[0]) == 0 {
		return 0, 0, 0, errors.New("the exporter has no session with the database (pg_up is 0)")
	}
	if families[metricBackends] == nil || families[metricLimit] == nil {
		return 0, 0, 0, errAbsent
	}
	if servers := len(families[metricLimit].GetMetric()); servers != 1 {
		return 0, 0, 0, fmt.Errorf("%w: %d of %s", errSeveral, servers, metricLimit)
	}
	return sumOf(families[metricBackends]), sumOf(families[metricLimit]), sumOf(families[metricReserved]), nil
}

func sumOf(family *dto.MetricFamily) float64 {
	var sum float64
	for _, metric := range family.GetMetric() {
		sum += gaugeOf(metric)
	}
	return sum
}

// readExportedDatabase asks for the same numbers one by one; that there is
// one server only is asked first.
func readExportedDatabase(ctx context.Context, server *prometheusServer) (backends, limit, reserved float64, err error) {
	servers, err := server.one(ctx, "count("+metricLimit+")")
	if err != nil {
		return 0, 0, 0, err
	}
	if servers != 1 {
		return 0, 0, 0, fmt.Errorf("%w: %g of %s", errSeveral, servers, metricLimit)
	}
	for _, part := range []struct {
		query string
		into  *float64
	}{
		{"sum(" + metricBackends + ")", &backends},
		{"max(" + metricLimit + ")", &limit},
		{"max(" + metricReserved + ") or vector(0)", &reserved},
	} {
		if *part.into, err = server.one(ctx, part.query); err != nil {
			return 0, 0, 0, err
		}
	}
	return backends, limit, reserved, nil
}
