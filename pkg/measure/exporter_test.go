package measure

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

const exporterPage = `# TYPE pg_up gauge
pg_up 1
# TYPE pg_stat_database_numbackends gauge
pg_stat_database_numbackends{datid="5",datname="shop"} 40
pg_stat_database_numbackends{datid="1",datname="postgres"} 2
# TYPE pg_settings_max_connections gauge
pg_settings_max_connections{server="db:5432"} 100
# TYPE pg_settings_superuser_reserved_connections gauge
pg_settings_superuser_reserved_connections{server="db:5432"} 3
`

func TestExporter(t *testing.T) {
	for _, test := range []struct {
		name, page string
		status     int
		state      State
		value      float64
		detail     string
	}{
		{"healthy", exporterPage, 200, OK, 42.0 / 97, "42 of 97 connections"},
		{"without a session", strings.Replace(exporterPage, "pg_up 1", "pg_up 0", 1), 200, SourceDown, 0, "pg_up is 0"},
		{"two servers", exporterPage + "pg_settings_max_connections{server=\"other:5432\"} 50\n", 200, SourceDown, 0, ""},
		{"empty", "", 200, NoData, 0, "it has no series"},
		{"nonsense", "<html>", 200, SourceDown, 0, "not in the Prometheus text format"},
		{"not a number", strings.Replace(exporterPage, "} 40", "} NaN", 1), 200, SourceDown, 0, "makes no sense"},
		{"failed", "", 500, SourceDown, 0, "it answered with status 500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.page)
			}))
			defer server.Close()
			got := readExporter(t.Context(), t, server)
			if got.State != test.state || got.Value != test.value || !strings.Contains(got.Detail, test.detail) {
				t.Errorf("%+v, want %s %v: %s", got, test.state, test.value, test.detail)
			}
		})
	}
	t.Run("slow", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		defer server.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if got := readExporter(ctx, t, server); got.State != SourceDown || got.Detail != "no answer in time" {
			t.Errorf("%+v", got)
		}
	})
}

func TestCountConnections(t *testing.T) {
	page := exporterPage
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, page) }))
	defer server.Close()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	source := newExporter("postgres_exporter data/exporter:9187", "main", redirected{address.Host}, clocktesting.NewFakePassiveClock(start))
	page += `pg_settings_reserved_connections 7
pg_database_connection_limit{datname="shop"} 50
pg_roles_connection_limit{rolname="app"} -1
`
	got, err := CountConnections(t.Context(), []Source{source}, "main")
	want := postgres.Snapshot{Time: start, Counted: true, Limits: postgres.Limits{MaxConnections: 100, SuperuserReserved: 3, Reserved: 7},
		Databases: map[string]postgres.DatabaseState{"shop": {Limit: 50, Backends: 40}, "postgres": {Limit: postgres.NoLimit, Backends: 2}},
		Roles:     map[string]postgres.RoleLimit{"app": {Limit: postgres.NoLimit}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	page = "pg_up 0\n"
	for name, sources := range map[string][]Source{"pg_up is 0": {source}, "no exporter is asked": nil} {
		if _, err := CountConnections(t.Context(), sources, "main"); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want that %s", err, name)
		}
	}
}

func readExporter(ctx context.Context, t *testing.T, server *httptest.Server) Reading {
	t.Helper()
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	source := newExporter("postgres_exporter data/exporter:9187", "main", redirected{address.Host}, clocktesting.NewFakePassiveClock(start))
	if source.Answers(Query{Signal: BlockedSessions, Database: "main"}) || source.Answers(Query{Signal: DatabaseConnections, Database: "other"}) {
		t.Error("an exporter answers for the connections of its own database only")
	}
	return source.Read(ctx, Query{Signal: DatabaseConnections, Database: "main"})
}

func TestExporterThroughPrometheus(t *testing.T) {
	answers := map[string]string{
		"count(pg_settings_max_connections)": vector("1"),
		"sum by (datname) (pg_stat_database_numbackends)": `{"status":"success","data":{"resultType":"vector","result":[
			{"metric":{"datname":"shop"},"value":[1700000000,"40"]},{"metric":{"datname":"postgres"},"value":[1700000000,"2"]}]}}`,
		"sum by (datname) (pg_database_connection_limit)": `{"status":"success","data":{"resultType":"vector","result":[
			{"metric":{"datname":"shop"},"value":[1700000000,"50"]}]}}`,
		"sum by (rolname) (pg_roles_connection_limit)": `{"status":"success","data":{"resultType":"vector","result":[
			{"metric":{"rolname":"app"},"value":[1700000000,"30"]}]}}`,
		"max(pg_settings_reserved_connections) or vector(0)":           vector("0"),
		"max(pg_settings_max_connections)":                             vector("100"),
		"max(pg_settings_superuser_reserved_connections) or vector(0)": vector("3"),
	}
	read := func() Reading {
		server := promServer(t, func(query string) string { return answers[query] })
		return newExportedDatabase(server, "main", clocktesting.NewFakePassiveClock(start)).Read(t.Context(), Query{Signal: DatabaseConnections, Database: "main"})
	}
	if got := read(); got.State != OK || got.Value != 42.0/97 || got.Detail != "42 of 97 connections" {
		t.Errorf("%+v", got)
	}
	source := newExportedDatabase(promServer(t, func(query string) string { return answers[query] }), "main", clocktesting.NewFakePassiveClock(start))
	got, err := CountConnections(t.Context(), []Source{source}, "main")
	if err != nil || got.Databases["shop"] != (postgres.DatabaseState{Limit: 50, Backends: 40}) || got.Roles["app"].Limit != 30 || !got.Counted {
		t.Errorf("%+v, %v; want what the exporter says of databases and roles", got, err)
	}
	answers["count(pg_settings_max_connections)"] = vector("2")
	if got := read(); got.State != SourceDown || !strings.Contains(got.Detail, "several series") {
		t.Errorf("two servers: %+v", got)
	}
	answers["count(pg_settings_max_connections)"] = vector()
	if got := read(); got.State != NoData {
		t.Errorf("no exporter: %+v", got)
	}
}
