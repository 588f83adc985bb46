package custom

import (
	"cmp"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

func databasesOf(facts *preflight.Facts) map[string]Database {
	found := map[string]Database{}
	for _, declared := range facts.Release.Spec.Databases {
		found[declared.Name] = databaseOf(facts.Databases[declared.Name])
	}
	return found
}

// databaseOf leaves out what a look without a session, or without the right to
// see those of others, can't tell: an empty list would say that there are none.
func databaseOf(database preflight.Database) Database {
	seen := database.Snapshot
	if database.Exhausted {
		seen = notKnown[postgres.Snapshot]("PostgreSQL refuses connections (SQLSTATE 53300)")
	}
	found := Database{
		Session:   database.Session,
		Limits:    then(seen, func(seen postgres.Snapshot) postgres.Limits { return seen.Limits }),
		Databases: then(seen, func(seen postgres.Snapshot) map[string]postgres.DatabaseState { return seen.Databases }),
		Version:   then(seen, func(seen postgres.Snapshot) int { return seen.Version }),
		Roles:     then(seen, func(seen postgres.Snapshot) map[string]postgres.RoleLimit { return seen.Roles }),
		Sessions:  then(seen, func(seen postgres.Snapshot) []postgres.Session { return seen.Sessions }),
	}
	const counted = "an exporter counts backends, and sees nothing else"
	switch {
	case !seen.Known:
	case seen.Value.Counted || !database.Session:
		found.Version, found.Roles = notKnown[int](counted), notKnown[map[string]postgres.RoleLimit](counted)
		found.Sessions = notKnown[[]postgres.Session](counted)
	case !seen.Value.SeesSessions:
		found.Sessions = notKnown[[]postgres.Session]("the observer may not see the sessions of others: grant it pg_monitor")
	}
	return found
}

func monitoringOf(facts *preflight.Facts) Monitoring {
	seen := facts.Monitoring
	found := Monitoring{
		ScrapeAge:      then(seen.Up, func(string) time.Duration { return seen.ScrapeAge }),
		Colors:         map[string]ColorMetrics{},
		Alerts:         then(seen.Alerts, alertsOf),
		CriticalAlerts: readingOf(seen.Critical),
		Rules:          seen.Rules,
	}
	if !seen.Declared {
		const problem = "no Prometheus is declared"
		found.ScrapeAge, found.Alerts = notKnown[time.Duration](problem), notKnown[[]Alert](problem)
	}
	for _, name := range facts.Release.Spec.ColorNames() {
		series := then(seen.Series[name], func(series measure.Series) Series {
			return Series{Total: series.Total, Requests: series.Requests, Latency: series.Latency, Bounds: series.Bounds}
		})
		if !seen.Declared {
			series = notKnown[Series]("no Prometheus is declared")
		}
		found.Colors[name] = ColorMetrics{Series: series, RequestRate: readingOf(seen.Requests[name])}
	}
	return found
}

// readingOf is the value of a reading, where it has one.
func readingOf(reading measure.Reading) preflight.Fact[float64] {
	if reading.State == measure.OK {
		return known(reading.Value)
	}
	fact := notKnown[float64](cmp.Or(reading.Detail, "nothing measures it"))
	fact.Transient = reading.State == measure.SourceDown
	return fact
}

func alertsOf(rules []measure.AlertRule) []Alert {
	var found []Alert
	for _, rule := range rules {
		found = append(found, Alert{Name: rule.Name, Query: rule.Query, Severity: rule.Severity, Health: rule.Health})
	}
	return found
}
