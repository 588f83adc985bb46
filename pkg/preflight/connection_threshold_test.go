package preflight

import (
	"math"
	"testing"
)

func TestConnectionThreshold(t *testing.T) {
	for expression, want := range map[string]float64{
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8":                          0.8,
		"sum by (instance) (pg_stat_activity_count) / pg_settings_max_connections * 100 >= 75":                0.75,
		"sum(pg_stat_activity_count) by (instance) / pg_settings_max_connections * 100 >= 75":                 0.75,
		"100 * sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80":                     0.8,
		"100 * (sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)) > 80":                   0.8,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80 / 100":                     0.8,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80":                           80,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) >= 1.0000001":                   1.0000001,
		"sum(pg_stat_activity_count) > pg_settings_max_connections * 0.7":                                     0.7,
		"0.7 * scalar(max(pg_settings_max_connections)) < sum(pg_stat_activity_count)":                        0.7,
		"(sum(pg_stat_activity_count) > 0.7 * scalar(max(pg_settings_max_connections)))":                      0.7,
		"pg_stat_database_numbackends > 0.95 * on() group_left() pg_settings_max_connections":                 0.95,
		"sum(pg_stat_database_numbackends) > pg_settings_max_connections":                                     1,
		"db_pool_acquired_connections / db_pool_max_connections > bool 0.8":                                   0.8,
		"max(db_pool_acquired_connections / (db_pool_max_connections > 0)) >= 1":                              1,
		"max(db_pool_acquired_connections / (db_pool_max_connections > 0)) > 0.7":                             0.7,
		"avg_over_time((sum(pg_stat_database_numbackends) / max(pg_settings_max_connections))[5m:30s]) > 0.8": 0.8,
		`max_over_time(hikaricp_connections_active{pool="a > 0.1"}[5m]) / hikaricp_connections_max > 8e-1`:    0.8,
		"sum by (instance) (pg_stat_database_numbackends) / (max by (instance) (pg_settings_max_connections) - (max by (instance) (pg_settings_superuser_reserved_connections) or 0 * max by (instance) (pg_settings_max_connections))) > 0.8": 0.8,
		"max(pgxpool_acquired_conns / (pgxpool_max_conns > 0) or db_client_connections_usage{state=\"used\"} / ignoring(state) (db_client_connections_max > 0)) >= 0.75":                                                                       0.75,
		// What is kept back is no maximum of its own, and of two one is not known.
		"sum(pg_stat_database_numbackends) / max(pg_settings_superuser_reserved_connections) > 0.8":                 0,
		"max(pgxpool_acquired_conns / pgxpool_max_conns or others / all_of_them) > 0.8":                             0,
		"max(pgxpool_acquired_conns / pgxpool_max_conns or 100 * pgxpool_acquired_conns / pgxpool_max_conns) > 0.8": 0,
		// The shares of two pools, or of both metrics, are none of one maximum.
		"db_pool_acquired_connections / db_pool_max_connections > db_pool_max_connections / 100": 0,
		// It fires where few are taken.
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) < 0.8": 0,
		// What has another condition may not fire where the share says so.
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8 and on() hour() > 8": 0,
		"sum(pg_stat_database_numbackends) / (max(pg_settings_max_connections) - 10) > 0.8":              0,
		"rate(pg_stat_database_numbackends[5m]) / max(pg_settings_max_connections) > 0.8":                0,
		"count(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8":                   0,
		"up == 0": 0, "pg_settings_max_connections > 100": 0, "sum(pg_stat_database_numbackends) > 80": 0,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > -1": 0,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0":  0,
		"pg_stat_database_numbackends / pg_settings_max_connections > 0.8 >":        0, "": 0,
	} {
		got, found := connectionThreshold(expression)
		if math.Abs(got-want) > 1e-9 && found || found != (want > 0) {
			t.Errorf("%s: %v, %t; want %v", expression, got, found, want)
		}
	}
}
