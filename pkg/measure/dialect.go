package measure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// dialect is the names by which a service tells about its requests.
type dialect struct {
	// counter counts requests; statusLabels are the labels, the first one
	// present, that hold a request's HTTP status.
	counter      string
	statusLabels []string
	// histogram is the latency in seconds, by its name without _bucket.
	histogram string
	// pathLabels are labels that hold a request's path, by which the
	// kubelet's probes and scrapes are told from real requests.
	pathLabels []string
}

// dialectOf returns the dialect of metrics.provider.
//
// http is what Prometheus's own guides and client libraries use; otel is the
// OpenTelemetry semantic conventions for HTTP servers, as its Prometheus
// exporter spells them.
func dialectOf(provider string) (dialect, error) {
	switch provider {
	case release.ProviderHTTP, "":
		return dialect{
			counter: "http_requests_total", statusLabels: []string{"code", "status"},
			histogram:  "http_request_duration_seconds",
			pathLabels: []string{"path", "handler", "route", "endpoint", "uri"},
		}, nil
	case release.ProviderOTel:
		return dialect{
			counter: "http_server_request_duration_seconds_count", statusLabels: []string{"http_response_status_code"},
			histogram:  "http_server_request_duration_seconds",
			pathLabels: []string{"http_route", "url_path"},
		}, nil
	}
	return dialect{}, fmt.Errorf("read metrics.provider %q: expected %s or %s", provider, release.ProviderHTTP, release.ProviderOTel)
}

// status is the HTTP status of requests with these labels, "" when they don't
// tell.
func (d dialect) status(labels map[string]string) string {
	for _, name := range d.statusLabels {
		if status := labels[name]; status != "" {
			return status
		}
	}
	return ""
}

// untold says why there is no telling which requests of a colour failed.
func (d dialect) untold(color string) string {
	return fmt.Sprintf("%s of %s has no label %s, so which requests failed is unknown", d.counter, color, strings.Join(d.statusLabels, " or "))
}

// concerns reports whether a series is about real requests: it is not when a
// path label names one of the paths that only the platform asks for.
func (d dialect) concerns(labels map[string]string, platformPaths []string) bool {
	for _, name := range d.pathLabels {
		if path, found := labels[name]; found && slices.Contains(platformPaths, path) {
			return false
		}
	}
	return true
}

// poolMetric is how a connection pool tells its size and what is in use: two
// gauges, or two states of them.
type poolMetric struct {
	used, usedState string
	max             string
}

// poolMetrics are the pools that are known, by the library that tells so.
func poolMetrics() []poolMetric {
	return []poolMetric{
		{used: "db_pool_acquired_connections", max: "db_pool_max_connections"},                                   // the generic name
		{used: "pgxpool_acquired_conns", max: "pgxpool_max_conns"},                                               // pgxpool collectors
		{used: "go_sql_in_use_connections", max: "go_sql_max_open_connections"},                                  // client_golang's DBStats
		{used: "hikaricp_connections_active", max: "hikaricp_connections_max"},                                   // HikariCP through Micrometer
		{used: "hikaricp_active_connections", max: "hikaricp_max_connections"},                                   // HikariCP's own
		{used: "db_client_connections_usage", usedState: "used", max: "db_client_connections_max"},               // OpenTelemetry to 1.23
		{used: "db_client_connection_count", usedState: "used", max: "db_client_connection_max"},                 // OpenTelemetry since
		{used: "npgsql_db_client_connections_usage", usedState: "used", max: "npgsql_db_client_connections_max"}, // Npgsql
	}
}
