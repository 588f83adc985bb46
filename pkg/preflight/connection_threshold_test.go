package preflight

import (
	"math"
	"testing"
)

func TestConnectionThreshold(t *testing.T) {
	for expression, want := range map[string]float64{
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8":                               0.8,
		"sum by (instance) (pg_stat_activity_count) / max by (instance) (pg_settings_max_connections) * 100 >= 75": 0.75,
		"sum(pg_stat_activity_count) by (instance) / max(pg_settings_max_connections) by (instance) * 100 >= 75":   0.75,
		"100 * sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80":                          0.8,
		"100 * (sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)) > 80":                        0.8,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80 / 100":                          0.8,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80":                                80,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) >= 1.0000001":                        1.0000001,
		"sum(pg_stat_activity_count) > max(pg_settings_max_connections) * 0.7":                                     0.7,
		"0.7 * scalar(max(pg_settings_max_connections)) < sum(pg_stat_activity_count)":                             0.7,
		"(sum(pg_stat_activity_count) > 0.7 * scalar(max(pg_settings_max_connections)))":                           0.7,
		"pg_stat_database_numbackends / on (instance) group_left () pg_settings_max_connections > 0.95":            0.95,
		"sum(pg_stat_database_numbackends) > max(pg_settings_max_connections)":                                     1,
		"sum without (datname, datid) (pg_stat_database_numbackends) / pg_settings_max_connections > 0.8":          0.8,
		`sum by (job, instance, server) (pg_stat_activity_count) / pg_settings_max_connections > 0.8`:              0.8,
		`sum(pg_stat_activity_count{state=~"active|idle.*"}) / max(pg_settings_max_connections) > 0.8`:             0.8,
		"sum(pg_stat_database_numbackends) / avg(pg_settings_max_connections) > 0.8":                               0.8,
		"max(db_pool_acquired_connections / (db_pool_max_connections > 0)) >= 1":                                   1,
		"max(db_pool_acquired_connections / (db_pool_max_connections > 0)) > 0.7":                                  0.7,
		"avg_over_time((sum(pg_stat_database_numbackends) / max(pg_settings_max_connections))[5m:30s]) > 0.8":      0.8,
		`max_over_time(hikaricp_connections_active{pool="a > 0.1"}[5m]) / hikaricp_connections_max > 8e-1`:         0.8,
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
		threshold, found := readThreshold(expression)
		got := threshold.ratio
		if threshold.doubt != "" {
			t.Errorf("%s: %s", expression, threshold.doubt)
		}
		if math.Abs(got-want) > 1e-9 && found || found != (want > 0) {
			t.Errorf("%s: %v, %t; want %v", expression, got, found, want)
		}
	}
}

// What never fires, or is about something else, has a threshold to read all the
// same.
func TestDoubtsAboutAThreshold(t *testing.T) {
	for expression, want := range map[string]string{
		"pg_stat_database_numbackends / pg_settings_max_connections > 0.8":                                                       doubtUnlike,
		"pg_stat_database_numbackends > 0.8 * pg_settings_max_connections":                                                       doubtUnlike,
		"pg_stat_activity_count / (pg_settings_max_connections - pg_settings_superuser_reserved_connections) > 0.8":              doubtUnlike,
		"sum(pg_stat_database_numbackends) / pg_settings_max_connections > 0.8":                                                  doubtUnlike,
		"sum(pg_stat_database_numbackends) > 0.8 * pg_settings_max_connections":                                                  doubtUnlike,
		"sum by (instance) (pg_stat_database_numbackends) / pg_settings_max_connections > 0.8":                                   doubtUnlike,
		"sum by (instance) (pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8":                              doubtUnlike,
		"avg_over_time((pg_stat_database_numbackends / pg_settings_max_connections)[5m:30s]) > 0.8":                              doubtUnlike,
		"max_over_time(pg_stat_database_numbackends[5m]) / pg_settings_max_connections > 0.8":                                    doubtUnlike,
		"avg(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8":                                             doubtLeast,
		"min(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8":                                             doubtLeast,
		"avg(db_pool_acquired_connections / db_pool_max_connections) > 0.8":                                                      doubtLeast,
		`sum(pg_stat_activity_count{state="idle in transaction"}) / max(pg_settings_max_connections) > 0.8`:                      doubtStates,
		`sum(pg_stat_activity_count{state!="idle"}) / max(pg_settings_max_connections) > 0.8`:                                    doubtStates,
		`sum(db_client_connections_usage{state="idle"}) / sum(db_client_connections_max) > 0.8`:                                  doubtStates,
		"db_pool_acquired_connections / db_pool_max_connections > bool 0.8":                                                      doubtBool,
		"pg_stat_database_numbackends / on (instance) group_left () pg_settings_max_connections > 0.8":                           "",
		"pg_stat_database_numbackends / ignoring (datname, datid) group_left () pg_settings_max_connections > 0.8":               "",
		"hikaricp_connections_active / hikaricp_connections_max > 0.8":                                                           "",
		`sum(pg_stat_database_numbackends{datname="other",instance="elsewhere"}) / max(pg_settings_max_connections) > 0.8`:       "",
		"sum by (instance) (pg_stat_database_numbackends) / on (instance) max by (instance) (pg_settings_max_connections) > 0.8": "",
	} {
		if threshold, found := readThreshold(expression); !found || threshold.doubt != want {
			t.Errorf("%s: found %t, doubt %q; want %q", expression, found, threshold.doubt, want)
		}
	}
}

func TestWhichDatabaseAThresholdSees(t *testing.T) {
	for selector, sees := range map[string]bool{
		``: true, `{datname="shop"}`: true, `{datname=~"shop|other"}`: true, `{datname!~"template.*"}`: true, `{instance="elsewhere"}`: true,
		`{datname="other"}`: false, `{datname="other",instance="elsewhere"}`: false, `{datname!="shop"}`: false,
	} {
		threshold, _ := readThreshold("sum(pg_stat_database_numbackends" + selector + ") / max(pg_settings_max_connections) > 0.8")
		if threshold.sees("shop") != sees || !threshold.sees("") {
			t.Errorf("%s sees database shop: %t, want %t", selector, threshold.sees("shop"), sees)
		}
	}
}

// What is asked for has series where the comparison has some to compare.
func TestWhatAThresholdCompares(t *testing.T) {
	for expression, want := range map[string]string{
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8": "(sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)) - (0.8)",
		"0.7 * max(pg_settings_max_connections) < on () sum(pg_stat_activity_count)": "(0.7 * max(pg_settings_max_connections)) - on () (sum(pg_stat_activity_count))",
	} {
		if threshold, _ := readThreshold(expression); threshold.compared != want {
			t.Errorf("%s: %s, want %s", expression, threshold.compared, want)
		}
	}
}
