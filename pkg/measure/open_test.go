package measure

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// serving serves a text as a pod's metrics.
func serving(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprint(w, text+"\n")
	})
}

func TestWhatIsOpenIsReadFromEachKnownMetric(t *testing.T) {
	for name, test := range map[string]struct {
		page    string
		metrics []string
		series  map[string]openSeries
	}{
		"OpenTelemetry": {`# TYPE http_server_active_requests gauge
http_server_active_requests{http_request_method="GET",url_scheme="http"} 3`,
			[]string{"http_server_active_requests"}, map[string]openSeries{"http_request_method=GET url_scheme=http": {3, false}}},
		"a gauge with paths": {`http_requests_in_flight{path="/chat"} 2
http_requests_in_flight{path="/metrics"} 1
http_requests_in_flight{path="/ready"} 1
http_requests_in_flight{path="/"} 0`,
			[]string{"http_requests_in_flight"}, map[string]openSeries{"path=/chat": {2, true}}},
		"a handler's name is no path": {`http_requests_in_flight{handler="metrics"} 1`,
			[]string{"http_requests_in_flight"}, map[string]openSeries{"handler=metrics": {1, false}}},
		"FastAPI": {`http_requests_inprogress{handler="/chat",method="GET"} 1.0`,
			[]string{"http_requests_inprogress"}, map[string]openSeries{"handler=/chat method=GET": {1, true}}},
		"Spring Boot 3": {`# TYPE http_server_requests_active_seconds summary
http_server_requests_active_seconds_active_count{method="GET",uri="UNKNOWN",} 2.0
http_server_requests_active_seconds_duration_sum{method="GET",uri="UNKNOWN",} 0.03`,
			[]string{"http_server_requests_active_seconds_active_count"}, map[string]openSeries{"method=GET uri=UNKNOWN": {2, false}}},
		"Spring Boot 3.3": {`# TYPE http_server_requests_active_seconds summary
http_server_requests_active_seconds_count{method="GET",uri="UNKNOWN"} 2
http_server_requests_active_seconds_sum{method="GET",uri="UNKNOWN"} 0.2`,
			[]string{"http_server_requests_active_seconds_count"}, map[string]openSeries{"method=GET uri=UNKNOWN": {2, false}}},
		"Spring Boot 3.3 with a histogram": {`# TYPE http_server_requests_active_seconds_bucket gauge
http_server_requests_active_seconds_bucket{uri="UNKNOWN",le="+Inf"} 2
# TYPE http_server_requests_active_seconds_gcount gauge
http_server_requests_active_seconds_gcount{uri="UNKNOWN"} 2`,
			[]string{"http_server_requests_active_seconds_gcount"}, map[string]openSeries{"uri=UNKNOWN": {2, false}}},
		"gRPC": {`# TYPE grpc_server_started_total counter
grpc_server_started_total{grpc_method="Watch",grpc_service="shop.Shop",grpc_type="server_stream"} 5
grpc_server_started_total{grpc_method="Ask",grpc_service="shop.Shop",grpc_type="unary"} 9
# TYPE grpc_server_handled_total counter
grpc_server_handled_total{grpc_code="OK",grpc_method="Watch",grpc_service="shop.Shop",grpc_type="server_stream"} 1
grpc_server_handled_total{grpc_code="Canceled",grpc_method="Watch",grpc_service="shop.Shop",grpc_type="server_stream"} 2
grpc_server_handled_total{code="OK",grpc_code="OK",grpc_method="Ask",grpc_service="shop.Shop",grpc_type="unary"} 9`,
			[]string{"grpc_server_started_total - grpc_server_handled_total"},
			map[string]openSeries{"grpc_method=Watch grpc_service=shop.Shop grpc_type=server_stream": {2, true}}},
		"calls of which none has ended": {`grpc_server_started_total{grpc_method="Watch"} 1`,
			[]string{"grpc_server_started_total - grpc_server_handled_total"}, map[string]openSeries{"grpc_method=Watch": {1, true}}},
		"of several gauges the first one counts, beside calls": {`http_requests_in_flight{path="/chat"} 2
http_server_active_requests 1
grpc_server_started_total{grpc_method="Watch"} 1`,
			[]string{"http_server_active_requests", "grpc_server_started_total - grpc_server_handled_total"},
			map[string]openSeries{"": {1, false}, "grpc_method=Watch": {1, true}}},
		"no number":   {`http_requests_in_flight NaN`, []string{"http_requests_in_flight"}, map[string]openSeries{}},
		"nothing":     {`http_requests_total{path="/"} 7`, nil, map[string]openSeries{}},
		"an old page": {`http_server_requests_seconds_count{uri="/"} 7`, nil, map[string]openSeries{}},
	} {
		t.Run(name, func(t *testing.T) {
			names, err := dialectOf("")
			if err != nil {
				t.Fatal(err)
			}
			read, err := readExposition(strings.NewReader(test.page+"\n"), names, []string{"/metrics", "/ready"})
			if err != nil {
				t.Fatal(err)
			}
			series := map[string]openSeries{}
			for key, one := range read.opened.series {
				_, labels, _ := strings.Cut(key, "\x00")
				series[strings.ReplaceAll(labels, "\x00", " ")] = one
			}
			if diff := cmp.Diff(test.series, series, cmp.AllowUnexported(openSeries{})); diff != "" {
				t.Errorf("open (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.metrics, read.opened.metrics); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
		})
	}
}

// What the pods of a colour say in one scrape after another, and what that comes
// to. Five seconds are between two of them, and the window is ten.
func TestPodsMeasureWhatIsOpen(t *testing.T) {
	const chat, asking = `http_requests_in_flight{path="/chat"} `, `http_server_active_requests `
	reading := func(value float64, detail string) Reading {
		return Reading{State: OK, Value: value, Samples: 2, Detail: detail}
	}
	for name, test := range map[string]struct {
		pods [][]string // by pod, what each scrape shows
		want Reading
	}{
		"a stream is in every scrape":    {[][]string{{chat + "1", chat + "2", chat + "1"}, {chat + "0", chat + "0", chat + "1"}}, reading(1, "by http_requests_in_flight")},
		"a request is in some":           {[][]string{{chat + "1", chat + "0", chat + "1"}, {"", "", ""}}, reading(0, "by http_requests_in_flight")},
		"other requests each time":       {[][]string{{chat + "1", `http_requests_in_flight{path="/"} 1`, chat + "1"}, {"", "", ""}}, reading(0, "by http_requests_in_flight")},
		"one that has ended":             {[][]string{{chat + "4", chat + "4", chat + "0"}, {"", "", ""}}, reading(0, "by http_requests_in_flight")},
		"one that ended before":          {[][]string{{chat + "9", chat + "1", chat + "1", chat + "1"}, {"", "", "", ""}}, reading(1, "by http_requests_in_flight")},
		"a container that began anew":    {[][]string{{chat + "4", chat + "4", `http_requests_in_flight{path="/"} 1`}, {"", "", ""}}, reading(0, "by http_requests_in_flight")},
		"nothing, without a path":        {[][]string{{asking + "0", asking + "0"}, {asking + "0", asking + "0"}}, reading(0, "by http_server_active_requests")},
		"more than our own question":     {[][]string{{asking + "3", asking + "3"}, {asking + "0", asking + "0"}}, reading(2, "by http_server_active_requests; besides, one request on each of 1 pods may be the very question, for no path label tells")},
		"our own question, and a stream": {[][]string{{asking + "1", asking + "1"}, {`grpc_server_started_total 1`, `grpc_server_started_total 1`}}, reading(1, "by http_server_active_requests and grpc_server_started_total - grpc_server_handled_total; besides, one request on each of 1 pods may be the very question, for no path label tells")},
		"nothing but our own question": {[][]string{{asking + "1", asking + "2"}, {asking + "1", asking + "1"}},
			Reading{State: NoData, Samples: 2, Detail: "by http_server_active_requests nothing else is open on green, and one request on each of 2 pods may be the very question, for no path label tells"}},
		"the first scrape": {[][]string{{chat + "1"}, {chat + "1"}}, Reading{State: NoData, Detail: "first scrape of green; what is open takes two"}},
		"no such metric": {[][]string{{"up 1", "up 1"}, {"up 1", "up 1"}}, Reading{State: NoData, Detail: "no pod of green exports how many requests it has open (" +
			"http_server_active_requests, http_requests_in_flight, http_requests_inprogress, http_server_requests_active_seconds_active_count, http_server_requests_active_seconds_gcount, " +
			"http_server_requests_active_seconds_count, grpc_server_started_total - grpc_server_handled_total)"}},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := newFleet(t)
			pods := []*servedPod{fleet.pod("green", "green-1"), fleet.pod("green", "green-2")}
			source := fleet.source("")
			var got Reading
			for scrape := range test.pods[0] {
				fleet.clock.Step(5 * time.Second)
				for index, pod := range pods {
					pod.set(serving(test.pods[index][scrape]))
				}
				got = source.Read(t.Context(), Query{Signal: OpenRequests, Color: "green", Window: 10 * time.Second})
			}
			got = Reading{State: got.State, Value: got.Value, Samples: got.Samples, Detail: got.Detail}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("reading (-want +got):\n%s", diff)
			}
		})
	}
}

// A sum of nothing is nothing only where every pod is in it.
func TestWhatIsOpenOnPodsThatDoNotAnswer(t *testing.T) {
	const chat = `http_requests_in_flight{path="/chat"} `
	for name, test := range map[string]struct {
		open   string
		state  State
		detail string
	}{
		"nothing where it was measured":   {"0", NoData, "by http_requests_in_flight nothing is open where it was measured, but 1 pods of green were not measured"},
		"something where it was measured": {"2", OK, "by http_requests_in_flight; 1 pods of green were not measured"},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := newFleet(t)
			fleet.pod("green", "green-1").set(serving(chat + test.open))
			fleet.pod("green", "green-2").server.Close()
			source := fleet.source("")
			query := Query{Signal: OpenRequests, Color: "green", Window: time.Minute}
			source.Read(t.Context(), query)
			fleet.clock.Step(5 * time.Second)
			if got := source.Read(t.Context(), query); got.State != test.state || got.Detail != test.detail {
				t.Errorf("%+v, want %s: %s", got, test.state, test.detail)
			}
		})
	}
}

// What the formulas come to on series of which the answer is known.
func TestPromQLOfWhatIsOpen(t *testing.T) {
	var tests strings.Builder
	tests.WriteString(`evaluation_interval: 15s
tests:
- interval: 15s
  input_series:
  - {series: 'http_requests_in_flight{version="v2",pod="a",path="/chat"}', values: '2 2 3 2 2 2 2 2 4'}
  - {series: 'http_requests_in_flight{version="v2",pod="a",path="/"}', values: '5 0 3 2 2 2 2 2 4'}
  - {series: 'http_requests_in_flight{version="v2",pod="a",path="/a.b"}', values: '1+0x8'}
  - {series: 'http_requests_in_flight{version="v2",pod="b",path="/chat"}', values: '1 1 1 1 1 1 1 1 1'}
  - {series: 'http_requests_in_flight{version="v2",pod="b",path="/metrics"}', values: '1 1 1 1 1 1 1 1 1'}
  - {series: 'http_requests_in_flight{version="v2",pod="gone",path="/chat"}', values: '7 7 7 7 stale _ _ _ _'}
  - {series: 'http_server_active_requests{version="v1",pod="c",method="GET"}', values: '1+0x8'}
  - {series: 'http_server_active_requests{version="v1",pod="c",method="POST"}', values: '2+0x8'}
  - {series: 'http_server_active_requests{version="v1",pod="d",method="GET"}', values: '1 0 1 1 1 1 1 1 1'}
  - {series: 'grpc_server_started_total{version="v3",pod="e",grpc_method="Watch"}', values: '2+1x8'}
  - {series: 'grpc_server_handled_total{version="v3",pod="e",grpc_method="Watch",grpc_code="OK"}', values: '_ _ 1+1x6'}
  - {series: 'grpc_server_started_total{version="v3",pod="f",grpc_method="Watch"}', values: '3+0x8'}
  - {series: 'grpc_server_started_total{version="v3",pod="g",grpc_method="Ask"}', values: '3+0x8'}
  - {series: 'grpc_server_handled_total{version="v3",pod="g",grpc_method="Ask",code="OK"}', values: '3+0x8'}
  promql_expr_test:
`)
	expect := func(query, samples string) {
		fmt.Fprintf(&tests, "  - {eval_time: 2m, expr: %q, exp_samples: [%s]}\n", query, samples)
	}
	value := func(of float64) string { return fmt.Sprintf("{labels: '{}', value: %v}", of) }
	of := func(version string) formulas {
		ask := testFormulas(t, "", fmt.Sprintf("version=%q", version))
		ask.window = openWindow
		return ask
	}
	metrics := openMetrics()
	gauge, flight, calls := metrics[0], metrics[1], metrics[len(metrics)-1]
	paths := []string{"/a.b", "/metrics"}
	expect(of("v2").telling(), `{labels: '{__name__="http_requests_in_flight"}', value: 5}`)
	expect(of("v2").open(flight, paths), value(3)) // 2 and 1; / had none once, and the one that is gone has none
	expect(of("v2").open(flight, []string{"/other"}), value(5))
	expect(of("v2").asked(flight), "")
	expect(of("v2").openOn(flight), value(2))
	expect(of("v1").open(gauge, paths), value(3))
	expect(of("v1").asked(gauge), value(1)) // that of d was not there once
	expect(of("v3").open(calls, paths), value(5))
	expect(of("v3").openOn(calls), value(3))
	expect(of("none").telling(), "")
	expect(of("none").open(flight, paths), "")
	expect(of("none").open(calls, paths), "")
	promtool(t, "test", "rules", writeFile(t, tests.String()))
}

func TestPrometheusMeasuresWhatIsOpen(t *testing.T) {
	named := func(names ...string) string {
		var samples []string
		for _, name := range names {
			samples = append(samples, fmt.Sprintf(`{"metric":{"__name__":%q},"value":[1700000000,"2"]}`, name))
		}
		return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(samples, ",") + `]}}`
	}
	for name, test := range map[string]struct {
		telling, scrapes, open, asked string
		want                          Reading
	}{
		"streams":  {named("http_requests_in_flight", "http_requests_inprogress"), vector("8"), vector("3"), vector(), Reading{State: OK, Value: 3, Samples: 2, Detail: "by http_requests_in_flight, for 2m0s at the least"}},
		"none":     {named("http_requests_in_flight"), vector("8"), vector("0"), vector(), Reading{State: OK, Samples: 2, Detail: "by http_requests_in_flight, for 2m0s at the least"}},
		"pushed":   {named("http_server_active_requests"), vector(), vector("3"), vector("1"), Reading{State: OK, Value: 2, Samples: 2, Detail: "by http_server_active_requests; besides, one request on each of 1 pods may be the very question, for no path label tells, for 2m0s at the least"}},
		"asked":    {named("http_server_active_requests"), vector("8"), vector("2"), vector("2"), Reading{State: NoData, Samples: 2, Detail: "by http_server_active_requests nothing else is open on green, and one request on each of 2 pods may be the very question, for no path label tells"}},
		"untold":   {named(), vector("8"), vector(), vector(), Reading{State: NoData, Detail: "no pod of green exports how many requests it has open (" + openNames() + ")"}},
		"new":      {named("http_requests_in_flight"), vector("1"), vector("3"), vector(), Reading{State: NoData, Detail: "not every target of green was scraped twice in 2m0s"}},
		"nonsense": {named("http_requests_in_flight"), vector("8"), vector("NaN"), vector(), Reading{State: SourceDown, Detail: "it answered that NaN are open, which makes no sense"}},
	} {
		t.Run(name, func(t *testing.T) {
			source := promServer(t, func(query string) string {
				switch {
				case strings.HasPrefix(query, "count by"):
					return test.telling
				case strings.HasPrefix(query, "min(count_over_time(up"):
					return test.scrapes
				case strings.HasPrefix(query, "count(") && strings.HasSuffix(query, "> 0)"):
					return test.asked
				case strings.HasPrefix(query, "sum(min_over_time"):
					return test.open
				}
				return vector("2")
			})
			source.platform = func(context.Context, string) ([]string, error) { return []string{"/metrics"}, nil }
			got := source.Read(t.Context(), ask(OpenRequests))
			got = Reading{State: got.State, Value: got.Value, Samples: got.Samples, Detail: got.Detail}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("reading (-want +got):\n%s", diff)
			}
		})
	}
}

// The pods are asked first; the server where they tell nothing.
func TestTheFreshestSourceTellsWhatIsOpen(t *testing.T) {
	open := Reading{State: OK, Value: 2, Samples: 1}
	maybe := Reading{State: NoData, Samples: 1, Detail: "may be the very question"}
	nothing := Reading{State: NoData, Detail: "no pod exports it"}
	away := Reading{State: SourceDown, Detail: "away"}
	for name, test := range map[string]struct {
		pods, server, want Reading
	}{
		"the pods tell":        {open, nothing, open},
		"the pods don't know":  {maybe, open, maybe},
		"the pods are silent":  {nothing, open, open},
		"the pods are away":    {away, maybe, maybe},
		"nobody tells":         {nothing, away, nothing},
		"the pods can't serve": {Reading{}, away, away},
	} {
		t.Run(name, func(t *testing.T) {
			source := freshest{pods: answering{"pods", test.pods}, server: answering{"prometheus", test.server}}
			query := ask(OpenRequests)
			if !source.Answers(query) || source.Answers(ask(ResidualRate)) {
				t.Error("it answers something else")
			}
			if diff := cmp.Diff(test.want, source.Read(t.Context(), query)); diff != "" {
				t.Errorf("reading (-want +got):\n%s", diff)
			}
		})
	}
}

// answering is a source that answers everything alike, nothing without a state.
type answering struct {
	name    string
	reading Reading
}

func (a answering) Name() string                        { return a.name }
func (a answering) Answers(Query) bool                  { return a.reading.State != "" }
func (a answering) Read(context.Context, Query) Reading { return a.reading }
