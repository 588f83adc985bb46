package preflight

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// grafanaWith speaks the documented HTTP API of Grafana, as far as it is asked
// here: the search, dashboards and sources of data by their uids. Its only
// dashboard, shop, has one panel with a query for the source prom.
func grafanaWith(query, source string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		quoted, _ := json.Marshal(query)
		answer, found := map[string]string{
			"/api/search":               `[{"uid":"shop","title":"shop","type":"dash-db"}]`,
			"/api/dashboards/uid/shop":  fmt.Sprintf(`{"dashboard":{"uid":"shop","title":"shop","panels":[{"title":"Requests","datasource":{"uid":%q},"targets":[{"expr":%s}]}]},"meta":{}}`, source, quoted),
			"/api/datasources/uid/prom": `{"uid":"prom","type":"prometheus"}`,
		}[r.URL.Path]
		if !found {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = fmt.Fprint(w, answer)
	}
}

const bothColours = "sum by (version) (rate(http_requests_total[1m]))"

// seenAt is what BG-MON-07 finds at a Grafana that is waited for, in the healthy
// release otherwise.
func seenAt(t *testing.T, address, require string, patience time.Duration) (Finding, *Report) {
	t.Helper()
	in := inputs(t, "", "3", nil)
	in.Release.Spec.Dashboard.Grafana = &release.Grafana{URL: address}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	facts := healthy()
	facts.Release.Spec.Require = require
	facts.Dashboards = dashboards(ctx, in)
	report := Evaluate(facts, Catalogue(), StageDeploy)
	return findingsOf(report, "BG-MON-07")[0], report
}

func TestTheDashboardOfAGrafana(t *testing.T) {
	for name, test := range map[string]struct {
		serve http.HandlerFunc
		want  Outcome
		says  string
	}{
		"healthy":               {grafanaWith(bothColours, "prom"), Pass, `"shop" shows blue and green`},
		"both are added up":     {grafanaWith("sum(rate(http_requests_total[1m]))", "prom"), Fail, "no query of"},
		"its source is gone":    {grafanaWith(bothColours, "gone"), Fail, "asks gone"},
		"it has no dashboard":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "[]") }, Fail, `no dashboard with "shop" in its title`},
		"slow":                  {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, Unknown, ": no answer in time"},
		"nonsense":              {func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<html>") }, Unknown, ": its answer makes no sense"},
		"a dashboard of others": {grafanaWithout, Unknown, "it doesn't let us"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.serve)
			defer server.Close()
			patience := time.Minute // as long as this machine needs
			if name == "slow" {
				patience = 300 * time.Millisecond
			}
			finding, _ := seenAt(t, server.URL, release.RequireStarter, patience)
			if finding.Outcome != test.want || !strings.Contains(finding.Cause, test.says) || test.want == Unknown && !strings.HasPrefix(finding.Cause, "grafana 127.0.0.1:") {
				t.Errorf("%s: %s, want %s: %s", finding.Outcome, finding.Cause, test.want, test.says)
			}
		})
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	for require, blocks := range map[string]bool{release.RequireStarter: false, release.RequireProduction: true} {
		finding, report := seenAt(t, server.URL, require, time.Minute)
		if finding.Outcome != Unknown || !strings.Contains(finding.Cause, "it can't be asked") || slices.Contains(report.Blocking, "BG-MON-07") != blocks {
			t.Errorf("stopped, %s: %s: %s, blocked by %v", require, finding.Outcome, finding.Cause, report.Blocking)
		}
	}
}

func grafanaWithout(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/search" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	grafanaWith("", "")(w, r)
}

// An address that is none is a fact that is not known, for each colour, and is
// not repeated: it may hold a password.
func TestCollectOfLogsThatCannotBeAsked(t *testing.T) {
	in := inputs(t, "", "3", nil)
	if found := logs(t.Context(), in); len(found) > 0 || dashboards(t.Context(), in).Known {
		t.Errorf("something is known though nothing is declared: %+v", found)
	}
	in.Release.Spec.Logs.Loki = &release.Loki{URL: "http://me:kept-to-itself%zz@loki"}
	in.Release.Spec.Dashboard.Grafana = &release.Grafana{URL: "http://grafana", Token: release.SecretSource{Env: "GRAFANA_TOKEN"}}
	found := logs(t.Context(), in)
	for _, fact := range []Fact[measure.Logs]{found["blue"], found["green"]} {
		if fact.Known || fact.Problem != "read logs.loki: the address is not a URL" {
			t.Errorf("%+v", fact)
		}
	}
	if fact := dashboards(t.Context(), in); fact.Known || !strings.Contains(fact.Problem, "environment variable GRAFANA_TOKEN is not set") {
		t.Errorf("%+v", fact)
	}
}
