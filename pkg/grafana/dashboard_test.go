package grafana_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/grafana"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure/promtooltest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// cart is a release of two colours and two databases; change makes another of it.
func cart(change ...func(*release.Spec)) *release.Release {
	rel := &release.Release{
		Metadata: release.Metadata{Name: "cart", Namespace: "shop"},
		Spec: release.Spec{
			Colors: map[string]release.Color{
				"blue":  {Workloads: []release.Workload{{Kind: "deployment", Name: "cart-blue"}}, Selector: map[string]string{"app.kubernetes.io/version": "v1"}},
				"green": {Workloads: []release.Workload{{Kind: "deployment", Name: "cart-green"}}, Selector: map[string]string{"app.kubernetes.io/version": "v2"}},
			},
			Traffic:   release.Traffic{Service: &release.ServiceRoute{Name: "cart"}},
			Databases: []release.Database{{Name: "main"}, {Name: "other"}},
		},
	}
	for _, one := range change {
		one(&rel.Spec)
	}
	release.ApplyDefaults(rel)
	return rel
}

// board is what is looked at of a dashboard.
type board struct {
	UID           string
	SchemaVersion int
	ID            *int
	Templating    struct {
		List []struct{ Name, Type, Query string }
	}
	Annotations struct{ List []struct{ Enable bool } }
	Panels      []struct {
		ID          int
		Title       string
		Datasource  struct{ UID string }
		GridPos     struct{ X, Y, W, H int }
		FieldConfig struct {
			Defaults struct {
				Thresholds struct {
					Steps []struct {
						Color string
						Value *float64
					}
				}
			}
		}
		Targets []struct {
			RefID, Expr, LegendFormat string
			Datasource                struct{ UID string }
		}
	}
}

func boardOf(t *testing.T, rel *release.Release, series map[string]string) board {
	t.Helper()
	text, err := grafana.Dashboard(rel, series)
	if err != nil {
		t.Fatal(err)
	}
	var read board
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// expressions are the queries of a panel by their legends.
func (b board) expressions(t *testing.T, title string) map[string]string {
	t.Helper()
	for _, panel := range b.Panels {
		if panel.Title == title {
			found := map[string]string{}
			for _, target := range panel.Targets {
				found[target.LegendFormat] = target.Expr
			}
			return found
		}
	}
	t.Fatalf("there is no panel %s", title)
	return nil
}

func TestDashboardIsImported(t *testing.T) {
	read := boardOf(t, cart(), nil)
	if read.ID != nil || read.UID != "bluegreen-shop-cart" || read.SchemaVersion < 39 {
		t.Errorf("id %v, uid %s, schema %d", read.ID, read.UID, read.SchemaVersion)
	}
	if diff := cmp.Diff([]struct{ Name, Type, Query string }{{"datasource", "datasource", "prometheus"}}, read.Templating.List); diff != "" {
		t.Error(diff)
	}
	if len(read.Annotations.List) == 0 {
		t.Error("there are no annotations")
	}
	for _, one := range read.Annotations.List {
		if one.Enable {
			t.Error("an annotation is on")
		}
	}
	places, ids := map[string]bool{}, map[int]bool{}
	for _, panel := range read.Panels {
		place := fmt.Sprint(panel.GridPos.X, panel.GridPos.Y)
		if places[place] || ids[panel.ID] || panel.GridPos.X+panel.GridPos.W > 24 {
			t.Errorf("%s is on top of another panel: %+v", panel.Title, panel.GridPos)
		}
		places[place], ids[panel.ID] = true, true
		refs := map[string]bool{}
		for _, target := range panel.Targets {
			if panel.Datasource.UID != "${datasource}" || target.Datasource.UID != "${datasource}" || refs[target.RefID] {
				t.Errorf("%s, %s: datasources %s and %s", panel.Title, target.RefID, panel.Datasource.UID, target.Datasource.UID)
			}
			refs[target.RefID] = true
		}
	}
}

// A uid never is longer than Grafana takes, and never the same for two releases.
func TestLongNames(t *testing.T) {
	one, other := cart(), cart()
	one.Metadata.Name, other.Metadata.Name = strings.Repeat("a", 60)+"1", strings.Repeat("a", 60)+"2"
	first, second := boardOf(t, one, nil).UID, boardOf(t, other, nil).UID
	if len(first) > 40 || first == second || first != boardOf(t, one, nil).UID {
		t.Errorf("%s and %s", first, second)
	}
}

// Every panel about requests or pods shows both colours by the version label.
func TestPanelsShowBothColors(t *testing.T) {
	for _, panel := range boardOf(t, cart(), nil).Panels {
		if strings.HasPrefix(panel.Title, "Connections of ") {
			continue
		}
		var shown []string
		for i, target := range panel.Targets {
			shown = append(shown, target.LegendFormat)
			if !strings.Contains(target.Expr, fmt.Sprintf(`app_kubernetes_io_version="v%d"`, i+1)) {
				t.Errorf("%s, %s: %s", panel.Title, target.LegendFormat, target.Expr)
			}
		}
		if diff := cmp.Diff([]string{"blue", "green"}, shown); diff != "" {
			t.Errorf("%s: %s", panel.Title, diff)
		}
	}
}

// The lines are the gate's, of the profile and with its overrides.
func TestLinesAreTheGates(t *testing.T) {
	share := 0.5
	rel := cart(func(spec *release.Spec) {
		spec.Gates.Rules = []release.RuleOverride{
			{ID: "rollback-error-ratio", Threshold: &share}, {ID: "advance-latency-p95", Disabled: true},
			{ID: "advance-database-connections/other", Threshold: &share},
		}
	})
	read := boardOf(t, rel, map[string]string{"other": `instance="o:9187"`})
	lines := map[string]string{}
	for _, panel := range read.Panels {
		for _, step := range panel.FieldConfig.Defaults.Thresholds.Steps {
			if step.Value != nil {
				lines[panel.Title] += fmt.Sprint(step.Color, " ", *step.Value, " ")
			}
		}
	}
	want := map[string]string{"Failed requests": "orange 0.005 red 0.5 ", "Latency, p95": "red 0.8 ", "Connection pools": "red 1 "}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	limit := `(max by (instance) (pg_settings_max_connections{instance="o:9187"}) - (max by (instance) (pg_settings_superuser_reserved_connections{instance="o:9187"}) or 0 * max by (instance) (pg_settings_max_connections{instance="o:9187"})) - (max by (instance) (pg_settings_reserved_connections{instance="o:9187"}) or 0 * max by (instance) (pg_settings_max_connections{instance="o:9187"})))`
	connections := map[string]string{
		"taken {{instance}}":   `sum by (instance) (pg_stat_database_numbackends{instance="o:9187"})`,
		"maximum {{instance}}": limit, "50 % {{instance}}": "0.5 * " + limit, "90 % {{instance}}": "0.9 * " + limit,
	}
	if diff := cmp.Diff(connections, read.expressions(t, "Connections of database other")); diff != "" {
		t.Error(diff)
	}
	if main := read.expressions(t, "Connections of database main"); !strings.HasPrefix(main["80 % {{instance}}"], "0.8 * ") || !strings.HasPrefix(main["90 % {{instance}}"], "0.9 * ") {
		t.Errorf("%v", main)
	}
}

func TestNothingTellsTheColors(t *testing.T) {
	_, err := grafana.Dashboard(cart(func(spec *release.Spec) { spec.Metrics.VersionLabel = "track" }), nil)
	if err == nil || release.HintOf(err) == "" {
		t.Errorf("err = %v", err)
	}
}

// promtool fails the test where Prometheus's own tool does not pass a text.
func promtool(t *testing.T, text string, arguments ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, passed := promtooltest.Run(t, append(arguments, file)...); !passed {
		t.Error(output)
	}
}

func TestPrometheusReadsEveryQuery(t *testing.T) {
	bare := func(spec *release.Spec) {
		spec.Metrics.Provider = release.ProviderOTel
		for name, color := range spec.Colors {
			color.Workloads = []release.Workload{{Kind: "statefulset", Name: name}, {Kind: "deployment", Name: name}}
			spec.Colors[name] = color
		}
	}
	for name, rel := range map[string]*release.Release{"http": cart(), "otel": cart(bare)} {
		text := "groups:\n- name: dashboard\n  rules:\n"
		queries := 0
		for _, panel := range boardOf(t, rel, map[string]string{"main": `instance="db:9187"`}).Panels {
			for _, target := range panel.Targets {
				text += fmt.Sprintf("  - record: %s:%d:%s\n    expr: %q\n", name, panel.ID, target.RefID, target.Expr)
				queries++
			}
		}
		if queries < 20 {
			t.Errorf("%s: only %d queries", name, queries)
		}
		promtool(t, text, "check", "rules", "--lint=none")
	}
}

// What the queries of the dashboard's own come to on series of which the answer is
// known.
func TestQueriesMeanWhatTheySay(t *testing.T) {
	read := boardOf(t, cart(), nil)
	text := `evaluation_interval: 15s
tests:
- interval: 15s
  input_series:
  - {series: 'http_requests_total{namespace="shop",pod="cart-blue-5f-x2",app_kubernetes_io_version="v1",code="200"}', values: '0+150x8'}
  - {series: 'http_requests_total{namespace="shop",pod="cart-green-5f-x2",app_kubernetes_io_version="v2",code="200"}', values: '0+50x8'}
  - {series: 'kube_deployment_status_replicas_ready{namespace="shop",deployment="cart-blue"}', values: '3x8'}
  - {series: 'kube_deployment_status_replicas_ready{namespace="other",deployment="cart-green"}', values: '9x8'}
  - {series: 'up{namespace="shop",pod="cart-green-5f-x2",app_kubernetes_io_version="v2"}', values: '1x8'}
  - {series: 'pg_stat_database_numbackends{instance="db:9187",datname="a"}', values: '30x8'}
  - {series: 'pg_stat_database_numbackends{instance="db:9187",datname="b"}', values: '12x8'}
  - {series: 'pg_settings_max_connections{instance="db:9187"}', values: '100x8'}
  - {series: 'pg_settings_superuser_reserved_connections{instance="db:9187"}', values: '3x8'}
  - {series: 'pg_settings_reserved_connections{instance="db:9187"}', values: '7x8'}
  promql_expr_test:
`
	expect := func(query, labels, value string) {
		text += fmt.Sprintf("  - {eval_time: 2m, expr: %q, exp_samples: [{labels: '%s', value: %s}]}\n", query, labels, value)
	}
	share, ready, connections := read.expressions(t, "Share of the requests"), read.expressions(t, "Ready pods"), read.expressions(t, "Connections of database main")
	expect(share["blue"], "{}", "0.75")
	expect(share["green"], "{}", "0.25")
	expect(ready["blue"], "{}", "3")
	expect(ready["green"], "{}", "1")
	expect(connections["taken {{instance}}"], `{instance="db:9187"}`, "42")
	expect(connections["maximum {{instance}}"], `{instance="db:9187"}`, "90")
	expect(connections["90 % {{instance}}"], `{instance="db:9187"}`, "81")
	promtool(t, text, "test", "rules")
}
