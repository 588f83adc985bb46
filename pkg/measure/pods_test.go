package measure

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

var start = time.Date(2026, 11, 22, 15, 30, 0, 0, time.UTC)

// servedPod is a pod whose /metrics a real HTTP server serves.
type servedPod struct {
	corev1.Pod
	mu       sync.Mutex
	handler  http.Handler
	requests int
	server   *httptest.Server

	registry *prometheus.Registry
	counter  *prometheus.CounterVec
	latency  *prometheus.HistogramVec
}

// fleet is a cluster of such pods.
type fleet struct {
	t     *testing.T
	list  map[string][]*servedPod // by colour
	err   error
	clock *clocktesting.FakeClock
}

func newFleet(t *testing.T) *fleet {
	return &fleet{t: t, list: map[string][]*servedPod{}, clock: clocktesting.NewFakeClock(start)}
}

// pod adds a pod that is annotated and instrumented as usual.
func (f *fleet) pod(color, name string) *servedPod {
	f.t.Helper()
	pod := &servedPod{Pod: corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Annotations: map[string]string{annotationPort: "8080"}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "10.0.0.1"},
	}}
	pod.instrument()
	pod.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pod.mu.Lock()
		pod.requests++
		handler := pod.handler
		pod.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	f.t.Cleanup(pod.server.Close)
	f.list[color] = append(f.list[color], pod)
	return pod
}

// instrument starts the pod's counters at zero, as a restart does.
func (p *servedPod) instrument() {
	p.registry = prometheus.NewRegistry()
	p.counter = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total"}, []string{"code", "path"})
	p.latency = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_request_duration_seconds", Buckets: []float64{.1, .2, .3, 1}}, []string{"path"})
	p.registry.MustRegister(p.counter, p.latency)
	p.set(promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{}))
}

func (p *servedPod) set(handler http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handler = handler
}

func (p *servedPod) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// serve counts requests.
func (p *servedPod) serve(code string, count int, seconds float64) {
	p.counter.WithLabelValues(code, "/").Add(float64(count))
	for range count {
		p.latency.WithLabelValues("/").Observe(seconds)
	}
}

func (f *fleet) pods(_ context.Context, color string) ([]corev1.Pod, error) {
	var pods []corev1.Pod
	for _, pod := range f.list[color] {
		pods = append(pods, pod.Pod)
	}
	return pods, f.err
}

// PodTransport goes to the pod's server.
func (f *fleet) PodTransport(_, name string, _ int) http.RoundTripper {
	for _, pods := range f.list {
		for _, pod := range pods {
			if pod.Name == name {
				address, _ := url.Parse(pod.server.URL)
				return redirected{address.Host}
			}
		}
	}
	return redirected{"127.0.0.1:1"}
}

type redirected struct{ host string }

func (r redirected) RoundTrip(request *http.Request) (*http.Response, error) {
	direct := request.Clone(request.Context())
	direct.URL.Host = r.host
	return http.DefaultTransport.RoundTrip(direct)
}

func (f *fleet) source(provider string) *Pods {
	f.t.Helper()
	names, err := dialectOf(provider)
	if err != nil {
		f.t.Fatal(err)
	}
	return &Pods{served: true, scraper: newScraper(f, f, "shop", release.Metrics{}, names, 5*time.Second, f.clock)}
}

func ask(signal Signal) Query { return Query{Signal: signal, Color: "green", Window: time.Minute} }

func TestPodsMeasureWhatWasServed(t *testing.T) {
	fleet := newFleet(t)
	one, two := fleet.pod("green", "green-1"), fleet.pod("green", "green-2")
	source := fleet.source("")
	one.serve("200", 1000, 0.05) // before the first scrape: not ours to judge
	if got := source.Read(t.Context(), ask(ErrorRatio)); got.State != NoData || got.Detail != "first scrape of green; a rate needs two" {
		t.Errorf("first scrape: %+v", got)
	}
	fleet.clock.Step(10 * time.Second)
	one.serve("200", 90, 0.05)
	one.serve("500", 10, 0.05)
	two.serve("200", 95, 0.05)
	two.serve("503", 5, 0.25)
	two.counter.WithLabelValues("404", "/").Add(0)

	for _, test := range []struct {
		signal         Signal
		value, samples float64
	}{
		{ErrorRatio, 15.0 / 200, 200},
		{RequestRate, 20, 200},
		// 190 of 200 is within the first bucket: 0.95 is 190/195 of it.
		{LatencyP95, 0.1 * 190 / 195, 200},
		{ResidualRate, 20, 200},
	} {
		got := source.Read(t.Context(), ask(test.signal))
		if got.State != OK || math.Abs(got.Value-test.value) > 1e-9 || got.Samples != test.samples || got.Source != "pods 2 of 2 sampled" {
			t.Errorf("%s: %+v, want %v of %v", test.signal, got, test.value, test.samples)
		}
	}
	if one.asked() != 2 {
		t.Errorf("%d scrapes for two ticks: queries of one tick must share a scrape", one.asked())
	}
}

func TestPodsSurviveRestartsAndEnds(t *testing.T) {
	fleet := newFleet(t)
	stays, ends := fleet.pod("green", "green-1"), fleet.pod("green", "green-2")
	source := fleet.source("")
	stays.serve("500", 500, 0.05)
	ends.serve("200", 700, 0.05)
	source.Read(t.Context(), ask(ErrorRatio))
	fleet.clock.Step(10 * time.Second)
	ends.serve("200", 50, 0.05)
	source.Read(t.Context(), ask(ErrorRatio))

	fleet.clock.Step(10 * time.Second)
	stays.instrument() // the container restarted
	stays.serve("200", 50, 0.05)
	fleet.list["green"] = fleet.list["green"][:1]
	got := source.Read(t.Context(), ask(ErrorRatio))
	if got.State != OK || got.Value != 0 || got.Samples != 100 {
		t.Errorf("after a reset and an end: %+v, want no errors in 100 requests", got)
	}
	rates, residual := source.ResidualByPod(t.Context(), "green")
	if len(rates) != 1 || rates["green-1"] != 5 || residual.Value != 5 {
		t.Errorf("residual %v, %+v: want 5/s of the pod that is there", rates, residual)
	}
	fleet.clock.Step(2 * time.Minute)
	if got := source.Read(t.Context(), ask(ErrorRatio)); got.State != NoData {
		t.Errorf("long after: %+v, want no requests", got)
	}
}

func TestPodsFaults(t *testing.T) {
	text := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		})
	}
	for _, test := range []struct {
		name    string
		guessed bool
		fault   func(*fleet, *servedPod)
		state   State
		detail  string
	}{
		{"stopped", false, func(_ *fleet, p *servedPod) { p.server.Close() }, SourceDown, "none of 1 pods of green answered: pod green-1: read /metrics of port 8080:"},
		{"slow", false, func(_ *fleet, p *servedPod) {
			p.set(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		}, SourceDown, "context deadline exceeded"},
		{"empty", false, func(_ *fleet, p *servedPod) { p.set(text(200, "")) }, SourceDown, "not in the Prometheus text format"},
		{"nonsense", false, func(_ *fleet, p *servedPod) { p.set(text(200, "<html>welcome</html>")) }, SourceDown, "not in the Prometheus text format"},
		{"the environment", false, func(_ *fleet, p *servedPod) { p.set(text(200, "# HELP up\nAPI_TOKEN=planted\n")) }, SourceDown, "not in the Prometheus text format: line 2 is not"},
		{"status 500", false, func(_ *fleet, p *servedPod) { p.set(text(500, "oops")) }, SourceDown, "status 500"},
		{"requests without a status", false, func(_ *fleet, p *servedPod) {
			count := 0
			p.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				count += 10
				_, _ = fmt.Fprintf(w, "# TYPE http_requests_total counter\nhttp_requests_total %d\n", count)
			}))
		}, NoData, "http_requests_total of green has no label code or status"},
		{"asked to slow down", false, func(_ *fleet, p *servedPod) { p.set(text(429, "")) }, SourceDown, "asked to send fewer requests (429)"},
		{"cluster down", false, func(f *fleet, _ *servedPod) { f.list, f.err = nil, errors.New("connection refused") }, SourceDown, "connection refused"},
		{"no pods", false, func(f *fleet, _ *servedPod) { f.list = nil }, NoData, "no pod of green runs"},
		{"guessed, and nothing there", true, func(_ *fleet, p *servedPod) { p.set(text(404, "no such page")) }, NoData, "no pod of green serves /metrics"},
		{"guessed, and a page for people", true, func(_ *fleet, p *servedPod) { p.set(text(200, "<html>welcome</html>")) }, NoData, "no pod of green serves /metrics"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fleet := newFleet(t)
			pod := fleet.pod("green", "green-1")
			if test.guessed {
				pod.Annotations = nil
				pod.Spec.Containers = []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}}}
			}
			source := fleet.source("")
			test.fault(fleet, pod)
			var got Reading
			for range 2 {
				ctx, cancel := context.WithTimeout(t.Context(), patience(test.name))
				got = source.Read(ctx, ask(ErrorRatio))
				cancel()
				fleet.clock.Step(950 * time.Millisecond)
			}
			if got.State != test.state || !strings.Contains(got.Detail, test.detail) || strings.Contains(got.Detail, "planted") {
				t.Errorf("%+v, want %s: %s", got, test.state, test.detail)
			}
		})
	}
}

func TestPodsHeed429(t *testing.T) {
	fleet := newFleet(t)
	pod := fleet.pod("green", "green-1")
	source := fleet.source("")
	pod.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	source.Read(t.Context(), ask(ErrorRatio))
	pod.instrument()
	for range 9 {
		fleet.clock.Step(time.Second)
		if got := source.Read(t.Context(), ask(ErrorRatio)); got.State != SourceDown {
			t.Fatalf("read %+v while asked to be quiet", got)
		}
	}
	if pod.asked() != 1 {
		t.Errorf("%d requests, want none in the 10 s after the first", pod.asked())
	}
	fleet.clock.Step(time.Second)
	if got := source.Read(t.Context(), ask(ErrorRatio)); got.State != NoData || pod.asked() != 2 {
		t.Errorf("after the pause: %+v, %d requests", got, pod.asked())
	}
}

func TestPodsAreSampled(t *testing.T) {
	fleet := newFleet(t)
	for i := range 9 {
		fleet.pod("green", fmt.Sprintf("green-%d", i))
	}
	source := fleet.source("")
	source.scraper.most = 4
	source.Read(t.Context(), ask(RequestRate))
	for _, pod := range fleet.list["green"] {
		pod.serve("200", 100, 0.05)
	}
	fleet.clock.Step(10 * time.Second)
	got := source.Read(t.Context(), ask(RequestRate))
	if got.Source != "pods 4 of 9 sampled" || got.Value != 90 || got.Samples != 400 {
		t.Errorf("%+v, want 90/s for all nine, resting on 400 requests of four", got)
	}
	if rates, residual := source.ResidualByPod(t.Context(), "green"); len(rates) != 4 || residual.Detail != "5 pods of green were not measured" {
		t.Errorf("%v, %+v", rates, residual)
	}
}

// A residual rate of 0 is only the whole truth where every pod is in it.
func TestResidualSaysWhatItDoesNotCover(t *testing.T) {
	residual := Query{Signal: ResidualRate, Color: "green", Window: 10 * time.Second}
	for _, test := range []struct {
		name  string
		fault func(*Pods, *fleet)
		state State
		says  string
	}{
		{"every pod answers", func(*Pods, *fleet) {}, OK, ""},
		{"one does not answer", func(_ *Pods, f *fleet) { f.list["green"][2].server.Close() }, OK,
			"1 pods of green were not measured: pod green-2: read /metrics of port 8080:"},
		{"one has just started", func(_ *Pods, f *fleet) { f.pod("green", "green-3") }, OK, "1 pods of green were not measured"},
		{"more than are sampled", func(p *Pods, _ *fleet) { p.scraper.most = 2 }, OK, "1 pods of green were not measured"},
		{"none answers", func(_ *Pods, f *fleet) {
			for _, pod := range f.list["green"] {
				pod.server.Close()
			}
		}, SourceDown, "none of 3 pods of green answered"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fleet := newFleet(t)
			for i := range 3 {
				fleet.pod("green", fmt.Sprintf("green-%d", i)).serve("200", 10, 0.05)
			}
			source := fleet.source("")
			source.Read(t.Context(), residual)
			fleet.clock.Step(10 * time.Second)
			test.fault(source, fleet)
			got := source.Read(t.Context(), residual)
			if got.State != test.state || got.Value != 0 || !strings.HasPrefix(got.Detail, test.says) || (got.Detail == "") != (test.says == "") {
				t.Errorf("%+v, want %s 0: %q", got, test.state, test.says)
			}
			_, byPod := source.ResidualByPod(t.Context(), "green")
			if byPod.State != test.state || !strings.HasPrefix(byPod.Detail, test.says) {
				t.Errorf("by pod: %+v, want %s: %q", byPod, test.state, test.says)
			}
		})
	}
}

// Pods that don't count requests have not had none.
func TestResidualNeedsACounter(t *testing.T) {
	fleet := newFleet(t)
	pod := fleet.pod("green", "green-1")
	pod.set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "up 1") }))
	source := fleet.source("")
	read := func() Reading {
		fleet.clock.Step(10 * time.Second)
		return source.Read(t.Context(), ask(ResidualRate))
	}
	read()
	if got := read(); got.State != NoData || got.Detail != "no pod of green counts http_requests_total" {
		t.Errorf("%+v, want no data", got)
	}
	pod.instrument()
	pod.counter.WithLabelValues("200", "/metrics").Inc() // a request of the platform's
	if got := read(); got.State != OK || got.Value != 0 {
		t.Errorf("%+v: the counter is there, and counts nobody", got)
	}
	pod.instrument() // a restart: the counter appears with the first request
	if got := read(); got.State != OK || got.Value != 0 {
		t.Errorf("after a restart: %+v, want 0", got)
	}
}

func TestPaceIsTwentyPerSecond(t *testing.T) {
	clock := clocktesting.NewFakeClock(start)
	pace := newPace(clock)
	for i := range requestsPerSecond {
		if err := pace.wait(t.Context()); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	passed := make(chan error)
	go func() { passed <- pace.wait(t.Context()) }()
	for !clock.HasWaiters() {
		select {
		case err := <-passed:
			t.Fatalf("the 21st request of the second went through: %v", err)
		case <-t.Context().Done():
			t.Fatal("hung")
		default:
		}
	}
	clock.Step(time.Second / requestsPerSecond)
	if err := <-passed; err != nil {
		t.Error(err)
	}
}

func TestPlatformRequestsAreLeftOut(t *testing.T) {
	fleet := newFleet(t)
	pod := fleet.pod("blue", "blue-1")
	pod.Spec.Containers = []corev1.Container{{ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready"}}}}}
	source := fleet.source("")
	source.ResidualByPod(t.Context(), "blue")
	fleet.clock.Step(10 * time.Second)
	pod.counter.WithLabelValues("200", "/ready").Add(10)
	pod.counter.WithLabelValues("200", "/metrics").Add(10)
	if _, got := source.ResidualByPod(t.Context(), "blue"); got.State != OK || got.Value != 0 {
		t.Errorf("%+v: the kubelet's probes are no residual traffic", got)
	}
	fleet.clock.Step(10 * time.Second)
	pod.counter.WithLabelValues("200", "/").Add(10)
	if _, got := source.ResidualByPod(t.Context(), "blue"); got.Value != 1 {
		t.Errorf("%+v: want the one request a second that is real", got)
	}
}

func TestOpenTelemetryNames(t *testing.T) {
	fleet := newFleet(t)
	pod := fleet.pod("green", "green-1")
	registry := prometheus.NewRegistry()
	latency := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_server_request_duration_seconds", Buckets: []float64{.1, 1}}, []string{"http_response_status_code"})
	registry.MustRegister(latency)
	pod.set(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	latency.WithLabelValues("200").Observe(0.05)
	source := fleet.source(release.ProviderOTel)
	source.Read(t.Context(), ask(ErrorRatio))
	fleet.clock.Step(10 * time.Second)
	for i := range 100 {
		latency.WithLabelValues([]string{"200", "502"}[i/98]).Observe(0.05)
	}
	if got := source.Read(t.Context(), ask(ErrorRatio)); got.Value != 0.02 || got.Samples != 100 {
		t.Errorf("errors: %+v", got)
	}
	if got := source.Read(t.Context(), ask(LatencyP95)); math.Abs(got.Value-0.095) > 1e-9 {
		t.Errorf("latency: %+v", got)
	}
}

func TestPoolsOfManyLibraries(t *testing.T) {
	for _, test := range []struct {
		name, page string
		want       float64
		state      State
	}{
		{"generic", "db_pool_acquired_connections{version=\"v2\"} 9\ndb_pool_max_connections{version=\"v2\"} 10\n", 0.9, OK},
		{"Hikari, the fuller of two", "hikaricp_connections_active{pool=\"a\"} 1\nhikaricp_connections_max{pool=\"a\"} 10\nhikaricp_connections_active{pool=\"b\"} 5\nhikaricp_connections_max{pool=\"b\"} 5\n", 1, OK},
		{"database/sql without limit", "go_sql_in_use_connections{db_name=\"x\"} 7\ngo_sql_max_open_connections{db_name=\"x\"} 0\n", 0, NoData},
		{"OpenTelemetry", "db_client_connection_count{state=\"used\",pool=\"a\"} 3\ndb_client_connection_count{state=\"idle\",pool=\"a\"} 1\ndb_client_connection_max{pool=\"a\"} 4\n", 0.75, OK},
		{"none", "up 1\n", 0, NoData},
	} {
		t.Run(test.name, func(t *testing.T) {
			fleet := newFleet(t)
			fleet.pod("green", "green-1").set(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, test.page) }))
			if got := fleet.source("").Read(t.Context(), ask(PoolSaturation)); got.State != test.state || got.Value != test.want {
				t.Errorf("%+v, want %s %v", got, test.state, test.want)
			}
		})
	}
}

// A reading shows where the pods were really asked: where the Release says, or
// where a pod's own annotation does.
func TestPodsShowWhereTheyWereAsked(t *testing.T) {
	for _, test := range []struct {
		name, declared string
		annotated      []string
		want           string
	}{
		{"by default", "", []string{"", ""}, "GET /metrics: http_requests_total over 1m0s"},
		{"by the Release", "/actuator/prometheus", []string{"", ""}, "GET /actuator/prometheus: http_requests_total over 1m0s"},
		{"by an annotation", "/declared", []string{"/own", "/own"}, "GET /own: http_requests_total over 1m0s"},
		{"by one pod's annotation", "", []string{"/own", ""}, "GET /own or /metrics: http_requests_total over 1m0s"},
		{"with no pod at all", "/declared", nil, "GET /declared: http_requests_total over 1m0s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fleet := newFleet(t)
			for i, path := range test.annotated {
				pod := fleet.pod("green", fmt.Sprintf("green-%d", i))
				if path != "" {
					pod.Annotations[annotationPath] = path
				}
				served := test.declared
				if path != "" {
					served = path
				}
				if served != "" {
					pages := http.NewServeMux()
					pages.Handle(served, pod.handler)
					pod.set(pages)
				}
			}
			source := fleet.source("")
			source.scraper.metrics.Path = test.declared
			got := source.Read(t.Context(), ask(RequestRate))
			if got.State == SourceDown || got.Expression != test.want {
				t.Errorf("%+v, want %s", got, test.want)
			}
			if _, residual := source.ResidualByPod(t.Context(), "green"); !strings.HasPrefix(residual.Expression, strings.Split(test.want, ":")[0]) {
				t.Errorf("residual: %s", residual.Expression)
			}
		})
	}
}
