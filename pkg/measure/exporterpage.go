package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	dto "github.com/prometheus/client_model/go"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// readExporterPage reads the numbers off an exporter's page.
func readExporterPage(ctx context.Context, transport http.RoundTripper) (exported, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://exporter/metrics", nil)
	if err != nil {
		return exported{}, err
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return exported{}, cluster.Unquoted(plainError(ctx, err))
	}
	defer func() { _ = response.Body.Close() }() // nothing was written
	if response.StatusCode != http.StatusOK {
		return exported{}, fmt.Errorf("it answered with status %d", response.StatusCode)
	}
	families, err := parseExposition(response.Body)
	if err != nil {
		if ctx.Err() != nil {
			return exported{}, errors.New("no answer in time")
		}
		return exported{}, err
	}
	if up := families[metricUp].GetMetric(); len(up) > 0 && gaugeOf(up[0]) == 0 {
		return exported{}, errors.New("the exporter has no session with the database (pg_up is 0)")
	}
	if families[metricBackends] == nil || families[metricLimit] == nil {
		return exported{}, errAbsent
	}
	if servers := len(families[metricLimit].GetMetric()); servers != 1 {
		return exported{}, fmt.Errorf("%w: %d of %s", errSeveral, servers, metricLimit)
	}
	return exported{
		limit:     gaugeOf(families[metricLimit].GetMetric()[0]),
		superuser: sumOf(families[metricSuperuser]),
		reserved:  sumOf(families[metricReserved]),
		backends:  gaugesBy(labelDatabase, families[metricBackends]),
		databases: gaugesBy(labelDatabase, families[metricDatabaseLimit]),
		roles:     gaugesBy(labelRole, families[metricRoleLimit]),
	}, nil
}

func sumOf(family *dto.MetricFamily) float64 {
	var sum float64
	for _, metric := range family.GetMetric() {
		sum += gaugeOf(metric)
	}
	return sum
}

// gaugesBy are the values of a family, added up by a label.
func gaugesBy(label string, family *dto.MetricFamily) map[string]float64 {
	values := map[string]float64{}
	for _, metric := range family.GetMetric() {
		values[labelsOf(metric)[label]] += gaugeOf(metric)
	}
	return values
}

// readExportedDatabase asks a Prometheus server for the same numbers; that
// there is one PostgreSQL only is asked first.
func readExportedDatabase(ctx context.Context, server *Prometheus) (found exported, err error) {
	servers, err := server.one(ctx, "count("+metricLimit+")")
	if err != nil {
		return exported{}, err
	}
	if servers != 1 {
		return exported{}, fmt.Errorf("%w: %g of %s", errSeveral, servers, metricLimit)
	}
	for _, part := range []struct {
		query string
		into  *float64
	}{
		{"max(" + metricLimit + ")", &found.limit},
		{"max(" + metricSuperuser + ") or vector(0)", &found.superuser},
		{"max(" + metricReserved + ") or vector(0)", &found.reserved},
	} {
		if *part.into, err = server.one(ctx, part.query); err != nil {
			return exported{}, err
		}
	}
	for _, part := range []struct {
		metric, label string
		into          *map[string]float64
	}{
		{metricBackends, labelDatabase, &found.backends},
		{metricDatabaseLimit, labelDatabase, &found.databases},
		{metricRoleLimit, labelRole, &found.roles},
	} {
		if *part.into, err = server.by(ctx, part.label, "sum by ("+part.label+") ("+part.metric+")"); err != nil {
			return exported{}, err
		}
	}
	if len(found.backends) == 0 {
		return exported{}, errAbsent
	}
	return found, nil
}
