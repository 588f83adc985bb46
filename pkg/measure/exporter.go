package measure

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// exporter observes a database through a postgres_exporter: its own page, or
// what a Prometheus server has of it. It knows how full the server is, and
// nothing of whose sessions are whose.
type exporter struct {
	name     string
	database string
	clock    clock.PassiveClock
	read     func(ctx context.Context) (exported, error)
	// expression is what read asks.
	expression string
}

// The metrics of postgres_exporter that are read. pg_stat_database_numbackends
// is the one that the first runbook names. The limits of databases and roles,
// and reserved_connections, are exported by newer ones.
const (
	metricUp            = "pg_up"
	metricBackends      = "pg_stat_database_numbackends"
	metricLimit         = "pg_settings_max_connections"
	metricSuperuser     = "pg_settings_superuser_reserved_connections"
	metricReserved      = "pg_settings_reserved_connections"
	metricDatabaseLimit = "pg_database_connection_limit"
	metricRoleLimit     = "pg_roles_connection_limit"
	labelDatabase       = "datname"
	labelRole           = "rolname"
)

// exported is what an exporter tells of the connections of a server.
type exported struct {
	limit, superuser, reserved float64
	// backends and databases, the limits, are by database; roles are limits
	// by role.
	backends, databases, roles map[string]float64
}

// newExporter reads an exporter's page.
func newExporter(name, database string, transport http.RoundTripper, clock clock.PassiveClock) *exporter {
	return &exporter{name: name, database: database, clock: clock,
		expression: "GET /metrics: sum(" + metricBackends + ") / (" + metricLimit + " - " + metricSuperuser + " - " + metricReserved + ")",
		read: func(ctx context.Context) (exported, error) {
			return readExporterPage(ctx, transport)
		}}
}

// newExportedDatabase asks a Prometheus server that scrapes an exporter.
func newExportedDatabase(server *Prometheus, database string, clock clock.PassiveClock) *exporter {
	return &exporter{name: server.name, database: database, clock: clock,
		expression: "sum(" + metricBackends + ") / (max(" + metricLimit + ") - max(" + metricSuperuser + ") - max(" + metricReserved + "))",
		read: func(ctx context.Context) (exported, error) {
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
	snapshot, err := e.count(ctx)
	switch {
	case errors.Is(err, errAbsent):
		return reading.noData("it has no series %s and %s", metricBackends, metricLimit)
	case err != nil:
		return reading.down("%v", err)
	}
	return readConnections(reading, snapshot, nil)
}

// count is a snapshot of what was counted.
func (e *exporter) count(ctx context.Context) (postgres.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	found, err := e.read(ctx)
	if err != nil {
		return postgres.Snapshot{}, err
	}
	snapshot := postgres.Snapshot{Time: e.clock.Now(), Counted: true,
		Limits:    postgres.Limits{MaxConnections: int(found.limit), SuperuserReserved: int(found.superuser), Reserved: int(found.reserved)},
		Databases: map[string]postgres.DatabaseState{}, Roles: map[string]postgres.RoleLimit{}}
	for name, backends := range found.backends {
		if !isNumber(backends) || backends < 0 {
			return postgres.Snapshot{}, fmt.Errorf("it answered %v connections, which makes no sense", backends)
		}
		limit, known := found.databases[name]
		if !known {
			limit = postgres.NoLimit
		}
		snapshot.Databases[name] = postgres.DatabaseState{Limit: int(limit), Backends: int(backends)}
	}
	for name, limit := range found.roles {
		snapshot.Roles[name] = postgres.RoleLimit{Limit: int(limit)}
	}
	if !isNumber(found.limit) || !isNumber(found.superuser) || !isNumber(found.reserved) || snapshot.Limits.Ordinary() == 0 {
		return postgres.Snapshot{}, fmt.Errorf("it answered %v connections of which %v are reserved, which makes no sense", found.limit, found.superuser+found.reserved)
	}
	return snapshot, nil
}

// CountConnections looks into a database of the release that is observed
// without a session: its backends are counted, by database, and its limits are
// read, by whichever of the sources answers for it. The snapshot is Counted.
func CountConnections(ctx context.Context, sources []Source, database string) (postgres.Snapshot, error) {
	counter, found := sourceOf(sources, Query{Signal: DatabaseConnections, Database: database}).(*exporter)
	if !found {
		return postgres.Snapshot{}, fmt.Errorf("count connections of database %s: no exporter is asked for it", database)
	}
	snapshot, err := counter.count(ctx)
	if errors.Is(err, errAbsent) {
		err = fmt.Errorf("it has no series %s and %s", metricBackends, metricLimit)
	}
	if err != nil {
		return postgres.Snapshot{}, fmt.Errorf("count connections of database %s: %s: %w", database, counter.name, err)
	}
	return snapshot, nil
}
