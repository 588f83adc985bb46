package measure

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// grafana speaks the documented HTTP API of Grafana 12: the search of folders and
// dashboards, dashboards by uid, sources of data by uid and by name. It knows the
// token "glsa_kept-to-itself" and one dashboard, shop.
func grafana(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Authorization") != "Bearer glsa_kept-to-itself" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"message":"Unauthorized"}`)
		return
	}
	answer, found := map[string]string{
		"/api/search?limit=10&query=shop&type=dash-db": `[{"id":1,"uid":"shop","title":"shop","type":"dash-db"},{"id":2,"uid":"gone","title":"shop 2","type":"dash-db"}]`,
		"/api/dashboards/uid/shop":                     `{"meta":{"slug":"shop"},"dashboard":` + dashboardText + `}`,
		"/api/datasources/uid/prom":                    `{"uid":"prom","name":"Prometheus","type":"prometheus"}`,
		"/api/datasources/name/Loki":                   `{"uid":"logs","name":"Loki","type":"loki"}`,
	}[r.URL.RequestURI()]
	switch {
	case r.URL.Path == "/api/datasources/uid/secret":
		w.WriteHeader(http.StatusForbidden)
	case !found:
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = fmt.Fprint(w, answer)
}

const dashboardText = `{"uid":"shop","title":"shop","templating":{"list":[
	{"name":"version","type":"query","query":{"query":"label_values(version)"},"multi":true},
	{"name":"color","type":"custom","query":"blue, new : green"},
	{"name":"prometheus","type":"datasource","query":"prometheus"}]},
"panels":[
	{"type":"row","title":"row","panels":[{"title":"inner","datasource":{"type":"prometheus","uid":"prom"},"targets":[{"refId":"A","expr":"up"}]}]},
	{"title":"own","datasource":{"uid":"-- Mixed --"},"targets":[{"datasource":{"uid":"${prometheus}"},"expr":"a"},{"datasource":{"uid":"${DS_PROMETHEUS}"},"expr":"b"},{"expr":"hidden","hide":true},{"refId":"C"}]},
	{"title":"old","datasource":"Loki","targets":[{"expr":"{a=\"b\"}"}]},
	{"title":"sql","datasource":null,"targets":[{"rawSql":"select 1","query":{"an":"object"}}]},
	{"title":"unseen","datasource":{"uid":"secret"},"targets":[{"query":"q"}]},
	{"title":"text","type":"text"},
	{"title":"lent","libraryPanel":{"uid":"l","name":"lent"}}]}`

func wantDashboard() Dashboard {
	return Dashboard{UID: "shop", Title: "shop",
		Queries:   []PanelQuery{{"inner", "up", "prom"}, {"own", "a", ""}, {"own", "b", "${DS_PROMETHEUS}"}, {"old", `{a="b"}`, "Loki"}, {"sql", "select 1", ""}, {"unseen", "q", "secret"}},
		Variables: []DashboardVariable{{Name: "version", Several: true}, {Name: "color", Values: []string{"blue", "green"}}},
		Libraries: []string{"lent"},
		Sources:   map[string]SourceState{"prom": SourceThere, "${DS_PROMETHEUS}": SourceMissing, "Loki": SourceThere, "secret": SourceUnseen}}
}

// grafanaAt is the Grafana at an address, with the token of a Secret.
func grafanaAt(t *testing.T, address, uid string) *Grafana {
	t.Helper()
	shop := newShop(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "grafana"}, Data: map[string][]byte{"token": []byte("glsa_kept-to-itself\n")}})
	shop.release.Spec.Dashboard.Grafana = &release.Grafana{URL: address, UID: uid, Token: release.SecretSource{SecretKeyRef: &release.SecretKeyReference{Name: "grafana", Key: "token"}}}
	grafana, err := NewGrafana(t.Context(), shop.client, shop.release, nil)
	if err != nil {
		t.Fatal(err)
	}
	return grafana
}

func TestDashboardsAreFoundByTheirUIDOrTheRelease(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(grafana))
	defer server.Close()
	for uid, want := range map[string][]Dashboard{"": {wantDashboard()}, "shop": {wantDashboard()}, "gone": nil} {
		dashboards, err := grafanaAt(t, server.URL, uid).Dashboards(t.Context())
		if err != nil {
			t.Errorf("%q: %v", uid, err)
		}
		if diff := cmp.Diff(want, dashboards); diff != "" {
			t.Errorf("%q: %s", uid, diff)
		}
	}
}

func TestGrafanaFaults(t *testing.T) {
	for name, fault := range serverFaults() {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(fault.serve)
			defer server.Close()
			ctx, cancel := context.WithTimeout(t.Context(), patience(name))
			defer cancel()
			_, err := grafanaAt(t, server.URL, "").Dashboards(ctx)
			if err == nil || !strings.Contains(err.Error(), fault.says) || strings.Contains(err.Error(), "kept-to-itself") {
				t.Errorf("%v, want %q without a secret", err, fault.says)
			}
		})
	}
	for name, dashboard := range map[string]string{"none": `{}`, "null": `null`, "another": `{"dashboard":{"uid":"other"}}`} {
		t.Run("a dashboard that is "+name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, dashboard) }))
			defer server.Close()
			if _, err := grafanaAt(t, server.URL, "shop").Dashboards(t.Context()); err == nil || err.Error() != "its answer is no dashboard" {
				t.Errorf("%v", err)
			}
		})
	}
}

// No token goes to where an answer points.
func TestATokenIsSentNowhereElse(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirection is followed") }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusMovedPermanently))
	defer server.Close()
	if _, err := grafanaAt(t, server.URL, "").Dashboards(t.Context()); err == nil {
		t.Error("a redirection is an answer")
	}
}

func TestATokenThatIsNotThere(t *testing.T) {
	shop := newShop(t)
	if grafana, err := NewGrafana(t.Context(), shop.client, shop.release, nil); grafana != nil || err != nil {
		t.Errorf("none is declared: %v, %v", grafana, err)
	}
	for want, token := range map[string]release.SecretSource{
		"environment variable SHOP_TOKEN is not set": {Env: "SHOP_TOKEN"},
		`secrets "grafana" not found`:                {SecretKeyRef: &release.SecretKeyReference{Name: "grafana", Key: "token"}},
		"can't stand in a header":                    {Env: "BROKEN"},
	} {
		shop.release.Spec.Dashboard.Grafana = &release.Grafana{URL: "http://grafana", Token: token}
		getenv := func(name string) string { return map[string]string{"BROKEN": "kept\x00to-itself"}[name] }
		if _, err := NewGrafana(t.Context(), shop.client, shop.release, getenv); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "kept") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
