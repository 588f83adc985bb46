package preflight

import (
	"math"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

func TestConnectionThreshold(t *testing.T) {
	for expression, want := range map[string]float64{
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8":                                    0.8,
		"sum by (instance) (pg_stat_activity_count) / max by (instance) (pg_settings_max_connections) * 100 >= 75":      0.75,
		"sum(pg_stat_activity_count) by (instance) / max(pg_settings_max_connections) by (instance) * 100 >= 75":        0.75,
		"100 * sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80":                               0.8,
		"100 * (sum(pg_stat_database_numbackends) / max(pg_settings_max_connections)) > 80":                             0.8,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80 / 100":                               0.8,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 80":                                     80,
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections) >= 1.0000001":                             1.0000001,
		"sum(pg_stat_activity_count) > max(pg_settings_max_connections) * 0.7":                                          0.7,
		"0.7 * scalar(max(pg_settings_max_connections)) < sum(pg_stat_activity_count)":                                  0.7,
		"(sum(pg_stat_activity_count) > 0.7 * scalar(max(pg_settings_max_connections)))":                                0.7,
		`pg_stat_database_numbackends{datname="shop"} / on (instance) group_left () pg_settings_max_connections > 0.95`: 0.95,
		"sum(pg_stat_database_numbackends) > max(pg_settings_max_connections)":                                          1,
		"sum without (datname, datid) (pg_stat_database_numbackends) / pg_settings_max_connections > 0.8":               0.8,
		`sum by (job, instance, server) (pg_stat_activity_count) / pg_settings_max_connections > 0.8`:                   0.8,
		`sum(pg_stat_activity_count{state=~"active|idle.*"}) / max(pg_settings_max_connections) > 0.8`:                  0.8,
		"sum(pg_stat_database_numbackends) / avg(pg_settings_max_connections) > 0.8":                                    0.8,
		"max(db_pool_acquired_connections / (db_pool_max_connections > 0)) >= 1":                                        1,
		"max(db_pool_acquired_connections / (db_pool_max_connections > 0)) > 0.7":                                       0.7,
		"avg_over_time((sum(pg_stat_database_numbackends) / max(pg_settings_max_connections))[5m:30s]) > 0.8":           0.8,
		`max_over_time(hikaricp_connections_active{pool="a > 0.1"}[5m]) / hikaricp_connections_max > 8e-1`:              0.8,
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

// Connections to all databases, in all states and of all roles take from one
// maximum together.
func TestDoubtsAboutParts(t *testing.T) {
	const server = " / on (instance) group_left () max by (instance) (pg_settings_max_connections) > 0.8"
	for expression, want := range map[string]string{
		"max(pg_stat_database_numbackends) / max(pg_settings_max_connections) > 0.8":                                                                                         doubtParts,
		"max(pg_stat_activity_count) / max(pg_settings_max_connections) > 0.8":                                                                                               doubtParts,
		"pg_stat_activity_count" + server:                                                                                                                                    doubtParts,
		"pg_stat_database_numbackends" + server:                                                                                                                              doubtParts,
		"pg_stat_database_numbackends / ignoring (datname, datid) group_left () pg_settings_max_connections > 0.8":                                                           doubtParts,
		"sum by (instance, state) (pg_stat_activity_count)" + server:                                                                                                         doubtParts,
		"sum by (instance, datname) (pg_stat_database_numbackends)" + server:                                                                                                 doubtParts,
		"sum by (instance, usename) (pg_stat_activity_count)" + server:                                                                                                       doubtParts,
		"sum by (instance, application_name) (pg_stat_activity_count)" + server:                                                                                              doubtParts,
		"sum without (datname) (pg_stat_database_numbackends)" + server:                                                                                                      doubtParts,
		"sum without (state) (pg_stat_activity_count)" + server:                                                                                                              doubtParts,
		`pg_stat_activity_count{datname="shop"}` + server:                                                                                                                    doubtParts,
		`sum by (datname) (pg_stat_database_numbackends{datname=~"shop|cart"})` + server:                                                                                     doubtParts,
		"max(sum by (instance, datname) (pg_stat_activity_count)" + server[:len(server)-6] + ") > 0.8":                                                                       doubtParts,
		"sum(max by (instance, datname) (pg_stat_database_numbackends)) / max(pg_settings_max_connections) > 0.8":                                                            "",
		`sum by (instance, datname) (pg_stat_activity_count{datname="shop"})` + server:                                                                                       "",
		`pg_stat_database_numbackends{datname="shop"}` + server:                                                                                                              "",
		"pg_stat_database_numbackends / on (instance, datname) pg_database_connection_limit > 0.8":                                                                           "",
		"max(sum by (instance) (pg_stat_activity_count)" + server[:len(server)-6] + ") > 0.8":                                                                                "",
		"sum by (cluster, instance) (pg_stat_activity_count) * 100 / max by (cluster, instance) (pg_settings_max_connections) > 80":                                          "",
		"sum by (instance, job, server) (pg_stat_activity_count) > min by (instance, job, server) (pg_settings_max_connections * 0.8)":                                       "",
		"sum(pg_stat_activity_count) by (instance) > (sum(pg_settings_max_connections) by (instance) - sum(pg_settings_superuser_reserved_connections) by (instance)) * 0.8": "",
		`sum by (instance) (pg_stat_database_numbackends{datname!~"template.*|postgres"}) / on (instance) max by (instance) (pg_settings_max_connections) > 0.8`:             "",
		"max by (pod) (sum by (pod) (pg_stat_database_numbackends) / max by (pod) (pg_settings_max_connections)) * 100 > 80":                                                 "",
		"sum by (instance) (pg_stat_database_numbackends) / sum by (instance) (pg_settings_max_connections) > 0.8":                                                           "",
		"sum(pg_stat_database_numbackends) / sum(pg_settings_max_connections) > 0.8":                                                                                         doubtServers,
		"sum by (job) (pg_stat_database_numbackends) / sum by (job) (pg_settings_max_connections) > 0.8":                                                                     doubtServers,
		"sum without (instance) (pg_stat_activity_count) > 0.8 * sum without (instance) (pg_settings_max_connections)":                                                       doubtServers,
		"sum(pg_stat_activity_count) > 0.8 * (sum(pg_settings_max_connections) - sum(pg_settings_superuser_reserved_connections))":                                           doubtServers,
		"sum(pgxpool_acquired_conns) / sum(pgxpool_max_conns) > 0.8":                                                                                                         doubtServers,
		"sum(pg_stat_database_numbackends) / (max(pg_settings_max_connections) - sum(pg_settings_superuser_reserved_connections)) > 0.8":                                     "",
	} {
		if threshold, found := readThreshold(expression); !found || threshold.doubt != want {
			t.Errorf("%s: found %t, doubt %q; want %q", expression, found, threshold.doubt, want)
		}
	}
}

// Connections run out within minutes.
func TestDoubtsAboutTime(t *testing.T) {
	for expression, want := range map[string]string{
		"min_over_time(sum(pg_stat_database_numbackends)[1d:1m]) / max(pg_settings_max_connections) > 0.8":                   doubtDip,
		"min_over_time(sum(pg_stat_database_numbackends)[5m:1m]) / max(pg_settings_max_connections) > 0.8":                   doubtDip,
		"avg_over_time((sum(pg_stat_database_numbackends) / max(pg_settings_max_connections))[1d:1m]) > 0.8":                 doubtLong,
		"sum(avg_over_time(pg_stat_database_numbackends[1h])) / max(pg_settings_max_connections) > 0.8":                      doubtLong,
		"sum(pg_stat_database_numbackends offset 1d) / max(pg_settings_max_connections) > 0.8":                               doubtPast,
		"sum(pg_stat_database_numbackends @ start()) / max(pg_settings_max_connections) > 0.8":                               doubtPast,
		"max_over_time(sum(pg_stat_database_numbackends)[5m:1m] offset 1h) / max(pg_settings_max_connections) > 0.8":         doubtPast,
		"max_over_time((sum(pg_stat_database_numbackends) / max(pg_settings_max_connections))[1h:1m]) > 0.8":                 "",
		"sum(avg_over_time(pg_stat_database_numbackends[5m])) / max(pg_settings_max_connections) > 0.8":                      "",
		"sum(pg_stat_database_numbackends) / max(min_over_time(pg_settings_max_connections[1d])) > 0.8":                      "",
		"sum(pg_stat_database_numbackends) / max(pg_settings_max_connections offset 1h) > 0.8":                               "",
		"sum(last_over_time(pg_stat_database_numbackends[1h])) / max(last_over_time(pg_settings_max_connections[1h])) > 0.8": "",
	} {
		if threshold, found := readThreshold(expression); !found || threshold.doubt != want {
			t.Errorf("%s: found %t, doubt %q; want %q", expression, found, threshold.doubt, want)
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

// An alert is about the database that the colours use, whichever the observer logs in
// to: often one that every server has.
func TestWhichDatabaseAnAlertIsAbout(t *testing.T) {
	for selector, want := range map[string]map[string]Outcome{
		`{datname!~"template.*|postgres"}`: {"shop": Pass, "": Pass},
		`{datname="shop"}`:                 {"shop": Pass, "": Pass},
		`{datname="postgres"}`:             {"shop": Fail, "": Pass},
	} {
		for database, outcome := range want {
			facts := healthy()
			facts.uses(database)
			facts.snapshot(func(s *postgres.Snapshot) {
				s.Database = "postgres"
				s.Databases["postgres"] = postgres.DatabaseState{Limit: postgres.NoLimit}
			})
			facts.alert("sum(pg_stat_database_numbackends"+selector+") / max(pg_settings_max_connections) > 0.8", known(1))
			if got := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-MON-04")[0]; got.Outcome != outcome {
				t.Errorf("%s, with colours in %q: %s: %s, want %s", selector, database, got.Outcome, got.Cause, outcome)
			}
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
