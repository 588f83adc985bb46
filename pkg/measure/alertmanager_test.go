package measure

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

func TestCriticalAlerts(t *testing.T) {
	firing := func(names ...string) string {
		var alerts []string
		for _, name := range names {
			alerts = append(alerts, fmt.Sprintf(`{"labels":{"alertname":%q,"severity":"critical"},"status":{"state":"active"}}`, name))
		}
		return "[" + strings.Join(alerts, ",") + "]"
	}
	for _, test := range []struct {
		name   string
		status int
		body   string
		state  State
		value  float64
		detail string
	}{
		{"none", 200, "[]", OK, 0, ""},
		{"one", 200, firing("DatabaseFull"), OK, 1, "DatabaseFull"},
		{"many", 200, firing("A", "B", "C", "D", "E"), OK, 5, "A, B, C, 2 more"},
		{"silenced or less severe are not counted", 200, `[{"labels":{"severity":"critical"},"status":{"state":"suppressed"}},{"labels":{"severity":"warning"},"status":{"state":"active"}}]`, OK, 0, ""},
		{"nonsense", 200, "<html>", SourceDown, 0, "its answer is not a list of alerts"},
		{"nothing", 200, "null", SourceDown, 0, "its answer is not a list of alerts"},
		{"a list of something else", 200, "[{}]", SourceDown, 0, "its answer is not a list of alerts"},
		{"failed", 503, "", SourceDown, 0, "it answered with status 503"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.URL.String()
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.body)
			}))
			defer server.Close()
			got := readAlerts(t, t.Context(), server.URL+"/prefix/")
			if got.State != test.state || got.Value != test.value || got.Detail != test.detail {
				t.Errorf("%+v", got)
			}
			if want := "/prefix/api/v2/alerts?active=true&filter=severity%3D%22critical%22&inhibited=false&silenced=false"; asked != want {
				t.Errorf("asked %s, want %s", asked, want)
			}
		})
	}
	t.Run("slow", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		defer server.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if got := readAlerts(t, ctx, server.URL); got.State != SourceDown || got.Detail != "no answer in time" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("stopped", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		if got := readAlerts(t, t.Context(), server.URL); got.State != SourceDown {
			t.Errorf("%+v", got)
		}
	})
}

func readAlerts(t *testing.T, ctx context.Context, address string) Reading { //nolint:revive // t first, as helpers do
	t.Helper()
	source, err := newAlertmanager("alertmanager", address, http.DefaultTransport, clocktesting.NewFakePassiveClock(start))
	if err != nil {
		t.Fatal(err)
	}
	return source.Read(ctx, Query{Signal: CriticalAlerts})
}
