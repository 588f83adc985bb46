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

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// testColors are two Deployments that nothing looks up.
func testColors() *colors {
	workload := func(name string) []release.Workload { return []release.Workload{{Kind: "deployment", Name: name}} }
	return &colors{namespace: "shop", spec: release.Spec{Colors: map[string]release.Color{
		"blue":  {Workloads: workload("shop-blue"), Selector: map[string]string{"version": "v1"}},
		"green": {Workloads: workload("shop-green"), Selector: map[string]string{"version": "v2"}},
	}}}
}

// promServer answers each query as a real server does: with the samples that
// answers returns for it.
func promServer(t *testing.T, answer func(query string) string) *Prometheus {
	t.Helper()
	return promAt(t, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			http.Error(w, "method", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, answer(r.URL.Query().Get("query")))
	})))
}

func promAt(t *testing.T, server *httptest.Server) *Prometheus {
	t.Helper()
	t.Cleanup(server.Close)
	names, err := dialectOf("")
	if err != nil {
		t.Fatal(err)
	}
	source, err := newPrometheus("prometheus monitoring/prometheus:9090", server.URL, http.DefaultTransport, names, testColors(), "version", clocktesting.NewFakePassiveClock(start))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func vector(values ...string) string {
	var samples []string
	for i, value := range values {
		samples = append(samples, fmt.Sprintf(`{"metric":{"n":"%d"},"value":[1700000000,%q]}`, i, value))
	}
	return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(samples, ",") + `]}}`
}

// healthy answers 4 series, 600 requests and the value.
func healthy(value string) func(string) string {
	return func(query string) string {
		switch {
		case strings.HasPrefix(query, "count("):
			return vector("4")
		case strings.HasPrefix(query, "sum(increase("):
			return vector("600")
		}
		return vector(value)
	}
}

func TestPrometheusAnswers(t *testing.T) {
	for signal, value := range map[Signal]string{ErrorRatio: "0.051", LatencyP95: "0.25", RequestRate: "10", PoolSaturation: "0.5"} {
		got := promServer(t, healthy(value)).Read(t.Context(), ask(signal))
		if got.State != OK || fmt.Sprint(got.Value) != value {
			t.Errorf("%s: %+v, want %s", signal, got, value)
		}
		if signal != PoolSaturation && got.Samples != 600 {
			t.Errorf("%s rests on %v samples", signal, got.Samples)
		}
		if !strings.Contains(got.Expression, `namespace="shop",pod=~"shop-green-[a-z0-9]+-[a-z0-9]+"`) {
			t.Errorf("%s: the query is not shown: %s", signal, got.Expression)
		}
	}
}

func TestPrometheusFaults(t *testing.T) {
	with := func(value string) func(*testing.T) *Prometheus {
		return func(t *testing.T) *Prometheus { return promServer(t, healthy(value)) }
	}
	body := func(status int, text string) func(*testing.T) *Prometheus {
		return func(t *testing.T) *Prometheus {
			return promAt(t, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = fmt.Fprint(w, text)
			})))
		}
	}
	for _, test := range []struct {
		name   string
		server func(*testing.T) *Prometheus
		state  State
		detail string
	}{
		{"stopped", func(t *testing.T) *Prometheus {
			server := httptest.NewServer(http.NotFoundHandler())
			source := promAt(t, server)
			server.Close()
			return source
		}, SourceDown, "connection refused"},
		{"slow", func(t *testing.T) *Prometheus {
			return promAt(t, httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })))
		}, SourceDown, "no answer in time"},
		{"empty", func(t *testing.T) *Prometheus { return promServer(t, func(string) string { return vector() }) }, NoData, "no series of green"},
		{"a page for people", body(200, "<html>sign in</html>"), SourceDown, "it can't be asked"},
		{"status 500", body(500, "oops"), SourceDown, "it can't be asked"},
		{"an error of its own", body(422, `{"status":"error","errorType":"execution","error":"query timed out"}`), SourceDown, "it can't be asked"},
		{"a matrix", func(t *testing.T) *Prometheus {
			return promServer(t, func(string) string { return `{"status":"success","data":{"resultType":"matrix","result":[]}}` })
		}, SourceDown, "its answer is no vector"},
		{"nothing in the envelope", body(200, `{"status":"success"}`), SourceDown, ""},
		{"not a number", with("NaN"), SourceDown, "makes no sense"},
		{"infinite", with("+Inf"), SourceDown, "makes no sense"},
		{"more errors than requests", with("1.5"), SourceDown, "makes no sense"},
		{"negative", with("-1"), SourceDown, "makes no sense"},
		{"two series", func(t *testing.T) *Prometheus {
			return promServer(t, func(query string) string {
				if strings.HasPrefix(query, "count(") {
					return vector("4")
				}
				return vector("0", "0.5")
			})
		}, SourceDown, "several series where one was expected: 2"},
		{"series without requests", func(t *testing.T) *Prometheus {
			return promServer(t, func(query string) string {
				if strings.HasPrefix(query, "sum(increase(") {
					return vector("0")
				}
				return vector("0")
			})
		}, NoData, "no requests of green in 1m0s"},
		{"requests without a status", func(t *testing.T) *Prometheus {
			return promServer(t, func(query string) string {
				if strings.Contains(query, "=~\"5..\"") {
					return vector()
				}
				return vector("600")
			})
		}, NoData, "http_requests_total of green has no label code or status"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience(test.name))
			defer cancel()
			got := test.server(t).Read(ctx, ask(ErrorRatio))
			if got.State != test.state || !strings.Contains(got.Detail, test.detail) || got.Value != 0 {
				t.Errorf("%+v, want %s: %s", got, test.state, test.detail)
			}
		})
	}
}

func TestPrometheusFindsTheColour(t *testing.T) {
	for _, test := range []struct{ known, want string }{
		{`pod=~"shop-green`, `namespace="shop",pod=~"shop-green-[a-z0-9]+-[a-z0-9]+"`},
		{`kubernetes_pod_name=~"shop-green`, `kubernetes_namespace="shop",kubernetes_pod_name=~"shop-green-[a-z0-9]+-[a-z0-9]+"`},
		{`namespace="shop",version="v2"`, `namespace="shop",version="v2"`},
		{`{namespace="",kubernetes_namespace=~"|shop",version="v2"}`, `namespace="",kubernetes_namespace=~"|shop",version="v2"`},
	} {
		t.Run(test.known, func(t *testing.T) {
			counts := 0
			source := promServer(t, func(query string) string {
				if !strings.HasPrefix(query, "count(") {
					return healthy("0.01")(query)
				}
				counts++
				if !strings.Contains(query, test.known) {
					return vector()
				}
				return vector("3")
			})
			got := source.Read(t.Context(), ask(ErrorRatio))
			if got.State != OK || !strings.Contains(got.Expression, "{"+test.want+"}") {
				t.Errorf("%+v, want %s", got, test.want)
			}
			before := counts
			if got := source.Read(t.Context(), Query{Signal: ErrorRatio, Color: "blue", Window: time.Minute}); got.State != OK || counts != before {
				t.Errorf("%+v after %d more searches: what was found holds for both colours", got, counts-before)
			}
		})
	}
}

func TestPrometheusSecretsStaySecret(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	names, err := dialectOf("")
	if err != nil {
		t.Fatal(err)
	}
	address := strings.Replace(server.URL, "http://", "http://admin:hunter2@", 1)
	source, err := newPrometheus("prometheus", address, http.DefaultTransport, names, testColors(), "version", clocktesting.NewFakePassiveClock(start))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%+v", source.Read(t.Context(), ask(ErrorRatio))); strings.Contains(got, "hunter2") {
		t.Errorf("the password is in %s", got)
	}
}
