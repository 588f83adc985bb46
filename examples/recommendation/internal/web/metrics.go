package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc/status"
)

// Metrics are the service's own, each with the labels version and color: the
// release that a pod runs, and the slot that it runs in.
type Metrics struct {
	registry *prometheus.Registry
	labelled prometheus.Registerer
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	database *prometheus.CounterVec
	inFlight *prometheus.GaugeVec
	// calls of gRPC, as go-grpc-middleware counts them.
	started, handled *prometheus.CounterVec
}

// NewMetrics registers them. The buckets have a bound at every latency
// threshold that a release is judged by (200 ms, 300 ms, 800 ms, 1 s) and one
// on either side: a quantile can't be told from its threshold inside a bucket.
func NewMetrics(version, color string) *Metrics {
	registry := prometheus.NewRegistry()
	m := &Metrics{
		registry: registry,
		labelled: prometheus.WrapRegistererWith(prometheus.Labels{"version": version, "color": color}, registry),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Production requests by method and status code.",
		}, []string{"method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "Time to answer production requests.",
			Buckets: []float64{.005, .01, .025, .05, .1, .15, .2, .25, .3, .4, .5, .8, 1, 1.5, 2.5, 5},
		}, []string{"method"}),
		database: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "db_connection_errors_total",
			Help: "Connections that failed to open, by SQLSTATE (53300 is too many connections, none is no answer).",
		}, []string{"sqlstate"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "http_requests_in_flight", Help: "Production requests and streams that are being answered, by path.",
		}, []string{"path"}),
		started: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grpc_server_started_total", Help: "Calls that were begun.",
		}, []string{"grpc_type", "grpc_service", "grpc_method"}),
		handled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grpc_server_handled_total", Help: "Calls that have ended, by how.",
		}, []string{"grpc_type", "grpc_service", "grpc_method", "grpc_code"}),
	}
	m.Register(m.requests)
	m.Register(m.duration)
	m.Register(m.database)
	m.Register(m.inFlight)
	m.Register(m.started)
	m.Register(m.handled)
	// From the first scrape on there is a 0 to compare with.
	m.database.WithLabelValues("53300")
	m.expect("get")
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Register adds a collector whose metrics get those labels too.
func (m *Metrics) Register(collector prometheus.Collector) { m.labelled.MustRegister(collector) }

// DatabaseError counts a connection that did not open.
func (m *Metrics) DatabaseError(sqlstate string) {
	if sqlstate == "" {
		sqlstate = "none"
	}
	m.database.WithLabelValues(sqlstate).Inc()
}

// Handler serves them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Production counts and times the requests of a handler.
func (m *Metrics) Production(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		m.count(strings.ToLower(r.Method), recorder.status, time.Since(start))
	})
}

// InFlight gauges what a handler of a pattern is answering.
func (m *Metrics) InFlight(pattern string, next http.Handler) http.Handler {
	_, path, _ := strings.Cut(pattern, " ")
	gauge := m.inFlight.WithLabelValues(strings.TrimSuffix(path, "{$}"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		gauge.Inc()
		defer gauge.Dec()
		next.ServeHTTP(w, r)
	})
}

// Call counts a call that is begun; ended counts its end.
func (m *Metrics) Call(kind, method string) (ended func(error)) {
	m.started.WithLabelValues(kind, grpcService, method).Inc()
	return func(err error) {
		m.handled.WithLabelValues(kind, grpcService, method, status.Code(err).String()).Inc()
	}
}

// Job counts and times one job as a request of the method job.
func (m *Metrics) Job(status int, took time.Duration) { m.count("job", status, took) }

// expect makes a method's count begin at 0.
func (m *Metrics) expect(method string) {
	m.requests.WithLabelValues(method, "200")
	m.duration.WithLabelValues(method)
}

// count counts and times one request.
func (m *Metrics) count(method string, status int, took time.Duration) {
	m.duration.WithLabelValues(method).Observe(took.Seconds())
	m.requests.WithLabelValues(method, strconv.Itoa(status)).Inc()
}

// statusRecorder remembers the status that a handler answered with.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the real one.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
