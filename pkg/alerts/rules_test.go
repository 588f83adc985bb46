package alerts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/alerts"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure/promtooltest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// shop is a release of two Deployments and a database; change makes another of it.
func shop(change ...func(*release.Spec)) *release.Release {
	rel := &release.Release{
		Metadata: release.Metadata{Name: "cart", Namespace: "shop"},
		Spec: release.Spec{
			Colors: map[string]release.Color{
				"blue":  {Workloads: []release.Workload{{Kind: "deployment", Name: "cart-blue"}}, Selector: map[string]string{"version": "v1"}},
				"green": {Workloads: []release.Workload{{Kind: "deployment", Name: "cart-green"}}, Selector: map[string]string{"version": "v2"}},
			},
			Traffic:   release.Traffic{Service: &release.ServiceRoute{Name: "cart"}},
			Databases: []release.Database{{Name: "main"}},
			Metrics:   release.Metrics{Prometheus: &release.Prometheus{URL: "http://prometheus"}},
		},
	}
	for _, one := range change {
		one(&rel.Spec)
	}
	release.ApplyDefaults(rel)
	return rel
}

func rulesOf(t *testing.T, rel *release.Release, series map[string]string) []alerts.Rule {
	t.Helper()
	rules, err := alerts.Rules(rel, series)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// said is a rule in one line, without its expression.
func said(rule alerts.Rule) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s%s %s", rule.Name, rule.Labels["severity"], rule.Labels["color"], rule.Labels["database"], rule.For))
}

func TestRulesAreTheGates(t *testing.T) {
	var got []string
	for _, rule := range rulesOf(t, shop(), nil) {
		got = append(got, said(rule))
		if rule.Labels["service"] != "cart" || rule.Labels["namespace"] != "shop" {
			t.Errorf("%s: labels %v", rule.Name, rule.Labels)
		}
	}
	want := []string{
		"BluegreenAdvanceErrorRatio warning blue 0s", "BluegreenAdvanceErrorRatio warning green 0s",
		"BluegreenAdvanceLatencyP95 warning blue 0s", "BluegreenAdvanceLatencyP95 warning green 0s",
		"BluegreenAdvanceDatabaseConnections warning main 0s",
		"BluegreenRollbackErrorRatio critical blue 2m0s", "BluegreenRollbackErrorRatio critical green 2m0s",
		"BluegreenRollbackLatencyP95 critical blue 3m0s", "BluegreenRollbackLatencyP95 critical green 3m0s",
		"BluegreenRollbackDatabaseConnections critical main 0s",
		"BluegreenRollbackPoolSaturation critical blue 30s", "BluegreenRollbackPoolSaturation critical green 30s",
		"BluegreenTargetsAbsent warning  2m0s", "BluegreenDatabaseAbsent warning main 2m0s",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The numbers are the release's own, overridden or of another profile.
func TestNumbersAreTheReleases(t *testing.T) {
	half, lasts, window, many, late := 0.5, release.Duration(7*time.Minute), release.Duration(5*time.Minute), 20.0, 0.95
	rel := shop(func(spec *release.Spec) {
		spec.Gates = release.Gates{
			Rules: []release.RuleOverride{
				{ID: "rollback-error-ratio", Threshold: &half, For: &lasts, Window: &window, MinimumSamples: &many},
				{ID: "rollback-latency-p95", Disabled: true},
				{ID: "advance-database-connections", Threshold: &late},
				{ID: "rollback-database-connections/other", Threshold: &late},
			},
			SourceDown: release.SourceDown{Deadline: lasts},
		}
		spec.Databases = []release.Database{{Name: "main"}, {Name: "other"}}
	})
	for _, rule := range rulesOf(t, rel, map[string]string{"other": `instance="other:9187"`}) {
		ends := func(text string) {
			if !strings.HasSuffix(rule.Expression, text) {
				t.Errorf("%s of %s%s is %s, want it to end in %q", rule.Name, rule.Labels["color"], rule.Labels["database"], rule.Expression, text)
			}
		}
		switch rule.Name {
		case "BluegreenRollbackErrorRatio":
			if want := "rollback-error-ratio > 50 % for 7m: spec.gates.rules of the release"; rule.Source != want {
				t.Errorf("source %q, want %q", rule.Source, want)
			}
			if ends("/ 20, 1) > 0.5"); rule.For != 7*time.Minute || !strings.Contains(rule.Expression, "[300s]") || strings.Contains(rule.Expression, "[60s]") {
				t.Errorf("%s for %s", rule.Expression, rule.For)
			}
		case "BluegreenRollbackLatencyP95":
			t.Error("a rule that is switched off has an alert")
		case "BluegreenAdvanceErrorRatio":
			if ends(">= 100"); !strings.HasPrefix(rule.Source, "advance-error-ratio < 0.5 %: second runbook, ") {
				t.Errorf("source %q", rule.Source)
			}
			if !strings.Contains(rule.Expression, " >= 0.005 and ") {
				t.Errorf("%s", rule.Expression)
			}
		case "BluegreenAdvanceDatabaseConnections":
			if ends("> 0.8"); !strings.HasPrefix(rule.Source, "BG-MON-04") { // whatever the gate lets pass
				t.Errorf("source %q", rule.Source)
			}
		case "BluegreenRollbackDatabaseConnections":
			if own := strings.Contains(rule.Expression, `pg_stat_database_numbackends{instance="other:9187"}`); own != (rule.Labels["database"] == "other") {
				t.Errorf("%s: %s", rule.Labels["database"], rule.Expression)
			}
			if rule.Labels["database"] == "other" {
				ends(">= 0.95")
			} else {
				ends(">= 0.9")
			}
		case "BluegreenTargetsAbsent", "BluegreenDatabaseAbsent":
			if rule.For != 7*time.Minute {
				t.Errorf("%s for %s", rule.Name, rule.For)
			}
		}
	}
}

// Without a label that tells the colours apart there is nothing to write.
func TestNothingTellsTheColours(t *testing.T) {
	_, err := alerts.Rules(shop(func(spec *release.Spec) { spec.Metrics.VersionLabel = "track" }), nil)
	if err == nil || !strings.Contains(err.Error(), "versionLabel") || release.HintOf(err) == "" {
		t.Errorf("err = %v, hint %q", err, release.HintOf(err))
	}
}

// Our own check of the alert on connections passes by what is written, and by
// nothing else of it.
func TestTheCheckOfConnectionsPasses(t *testing.T) {
	checks := preflight.Catalogue()
	check := checks[slices.IndexFunc(checks, func(check preflight.Check) bool { return check.ID == "BG-MON-04" })]
	verdict := func(rel *release.Release, leaveOut string) preflight.Finding {
		var known []measure.AlertRule
		var compared []preflight.Comparison
		for _, rule := range rulesOf(t, rel, nil) {
			if rule.Name != leaveOut {
				known = append(known, measure.AlertRule{Name: rule.Name, Query: rule.Expression, Health: "ok"})
				compared = append(compared, preflight.Comparison{Query: rule.Expression, Pairs: preflight.Fact[int]{Known: true, Value: 1}})
			}
		}
		facts := &preflight.Facts{Release: rel}
		facts.Monitoring.Declared = true
		facts.Monitoring.Alerts = preflight.Fact[[]measure.AlertRule]{Known: true, Value: known}
		facts.Monitoring.Comparisons = compared
		return check.Evaluate(facts)[0]
	}
	for name, rel := range map[string]*release.Release{
		"http": shop(),
		"otel": shop(func(spec *release.Spec) { spec.Metrics.Provider = release.ProviderOTel }),
		"late": shop(func(spec *release.Spec) {
			late := 0.85
			spec.Gates.Rules = []release.RuleOverride{{ID: "advance-database-connections", Threshold: &late}}
		}),
		"off": shop(func(spec *release.Spec) {
			spec.Gates.Rules = []release.RuleOverride{{ID: "advance-database-connections", Disabled: true}}
		}),
	} {
		if finding := verdict(rel, ""); finding.Outcome != preflight.Pass {
			t.Errorf("%s: %v", name, finding)
		}
		if finding := verdict(rel, "BluegreenAdvanceDatabaseConnections"); finding.Outcome == preflight.Pass {
			t.Errorf("%s: it passes without the alert: %v", name, finding)
		}
	}
}

// written puts a file of rules into a directory, as the command writes it.
func written(t *testing.T, directory string, rules []alerts.Rule) {
	t.Helper()
	file, err := alerts.File("cart", rules)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "rules.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPrometheusReadsThem(t *testing.T) {
	for _, provider := range []string{release.ProviderHTTP, release.ProviderOTel} {
		directory := t.TempDir()
		written(t, directory, rulesOf(t, shop(func(spec *release.Spec) { spec.Metrics.Provider = provider }), map[string]string{"main": `instance="db:9187"`}))
		if output, passed := promtooltest.Run(t, "check", "rules", "--lint-fatal", filepath.Join(directory, "rules.yaml")); !passed {
			t.Errorf("%s: %s", provider, output)
		}
	}
}

// health is a service of two healthy colours, of which green has hardly any
// requests, and a database at half of its connections; each fault is in its place.
type health struct {
	failed, slow int // of 150 requests of blue in 15 s
	green        string
	backends     int
	pool         int
	without      string
}

// series are the health's, as they are scraped every 15 s for 20 minutes.
func (h health) series() string {
	var text strings.Builder
	series := func(metric, labels, values string) {
		if h.without == "" || !strings.HasPrefix(metric, h.without) {
			fmt.Fprintf(&text, "  - {series: '%s{%s}', values: '%s'}\n", metric, labels, values)
		}
	}
	blue := `namespace="shop",pod="cart-blue-5f-x2",version="v1"`
	series("http_requests_total", blue+`,code="200"`, fmt.Sprintf("0+%dx80", 150-h.failed))
	series("http_requests_total", blue+`,code="500"`, fmt.Sprintf("0+%dx80", h.failed))
	for _, bucket := range []struct {
		le    string
		count int
	}{{"0.1", 150 - h.slow}, {"0.5", 150 - h.slow}, {"5", 150}, {"+Inf", 150}} {
		series("http_request_duration_seconds_bucket", blue+fmt.Sprintf(`,le=%q`, bucket.le), fmt.Sprintf("0+%dx80", bucket.count))
	}
	series("http_request_duration_seconds_count", blue, "0+150x80")
	if h.green != "" {
		series("http_requests_total", `namespace="shop",pod="cart-green-5f-x2",version="v2",code="500"`, h.green)
	}
	// Another service of the namespace, and another namespace, fail every request.
	series("http_requests_total", `namespace="shop",pod="orders-blue-5f-x2",version="v1",code="500"`, "0+150x80")
	series("http_requests_total", `namespace="other",pod="cart-blue-5f-x2",version="v1",code="500"`, "0+150x80")
	series("db_pool_acquired_connections", blue, fmt.Sprintf("%d+0x80", h.pool))
	series("db_pool_max_connections", blue, "10+0x80")
	series("pg_stat_database_numbackends", `instance="db:9187",datname="cart"`, fmt.Sprintf("%d+0x80", h.backends-2))
	series("pg_stat_database_numbackends", `instance="db:9187",datname="postgres"`, "2+0x80")
	series("pg_settings_max_connections", `instance="db:9187"`, "103+0x80")
	series("pg_settings_superuser_reserved_connections", `instance="db:9187"`, "3+0x80")
	return text.String()
}

// TestTheyFire: each fires on its planted excess, none on health or on the edge of
// it, and each for as long as it says.
func TestTheyFire(t *testing.T) {
	healthy := health{failed: 0, backends: 50, pool: 5}
	with := func(change func(*health)) health { one := healthy; change(&one); return one }
	for name, c := range map[string]struct {
		health health
		fires  []string
	}{
		"health":                          {health: healthy},
		"the edge of health":              {health: with(func(h *health) { h.backends, h.pool, h.slow = 80, 9, 7 })},
		"a failure among few requests":    {health: with(func(h *health) { h.green = "0x77 1 1 1" })},
		"enough errors to hold":           {with(func(h *health) { h.failed = 1 }), []string{"AdvanceErrorRatio blue"}},
		"enough errors to go back":        {with(func(h *health) { h.failed = 4 }), []string{"AdvanceErrorRatio blue", "RollbackErrorRatio blue"}},
		"all of few requests fail":        {with(func(h *health) { h.green = "0+12x80" }), []string{"RollbackErrorRatio green"}},
		"slow":                            {with(func(h *health) { h.slow = 30 }), []string{"AdvanceLatencyP95 blue", "RollbackLatencyP95 blue"}},
		"more than 80 % of connections":   {with(func(h *health) { h.backends = 81 }), []string{"AdvanceDatabaseConnections main"}},
		"90 % of connections":             {with(func(h *health) { h.backends = 90 }), []string{"AdvanceDatabaseConnections main", "RollbackDatabaseConnections main"}},
		"a pool that is full":             {with(func(h *health) { h.pool = 10 }), []string{"RollbackPoolSaturation blue"}},
		"nothing is scraped of the pods":  {with(func(h *health) { h.without = "http_" }), []string{"TargetsAbsent "}},
		"nothing is scraped of databases": {with(func(h *health) { h.without = "pg_" }), []string{"DatabaseAbsent main"}},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			rules := rulesOf(t, shop(), nil)
			written(t, directory, rules)
			test := "rule_files: [rules.yaml]\nevaluation_interval: 15s\ntests:\n- interval: 15s\n  input_series:\n" + c.health.series() + "  promql_expr_test:\n" + expectation(rules, c.fires)
			file := filepath.Join(directory, "test.yaml")
			if err := os.WriteFile(file, []byte(test), 0o600); err != nil {
				t.Fatal(err)
			}
			if output, passed := promtooltest.Run(t, "test", "rules", file); !passed {
				t.Error(output)
			}
		})
	}
}

// expectation is that these and no others fire after 20 minutes.
func expectation(rules []alerts.Rule, fires []string) string {
	text := strings.Builder{}
	text.WriteString("  - eval_time: 20m\n    expr: ALERTS{alertstate=\"firing\"}\n    exp_samples:\n")
	for _, rule := range rules {
		subject := rule.Labels["color"] + rule.Labels["database"]
		if !slices.Contains(fires, strings.TrimPrefix(rule.Name, "Bluegreen")+" "+subject) {
			continue
		}
		labels := fmt.Sprintf(`alertname=%q,alertstate="firing"`, rule.Name)
		if subject == "main" && rule.Name != "BluegreenDatabaseAbsent" {
			labels += `,instance="db:9187"`
		}
		for key, value := range rule.Labels {
			labels += fmt.Sprintf(",%s=%q", key, value)
		}
		fmt.Fprintf(&text, "    - {labels: 'ALERTS{%s}', value: 1}\n", labels)
	}
	return text.String()
}
