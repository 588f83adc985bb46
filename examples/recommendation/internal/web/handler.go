// Package web is the service's HTTP interface: the production handlers, and
// beside them health, readiness, metrics and the fault switches.
//
// Only production requests are counted and timed. Probes and scrapes go on
// after traffic has moved to another colour; counted, they would look like
// requests that were left behind, and they would thin out the error rate of a
// colour with little traffic.
package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/fault"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/store"
)

// Service is everything that the handlers need.
type Service struct {
	// Version and Color are in every answer.
	Version, Color string
	Store          *store.Store
	Faults         *fault.Switches
	// FaultsEnabled opens /faults.
	FaultsEnabled bool
	Health        *Health
	Metrics       *Metrics
	Logger        *slog.Logger
	// RequestTimeout bounds the work on one production request.
	RequestTimeout time.Duration
}

// NewHandler routes the requests.
func NewHandler(s Service) http.Handler {
	mux := http.NewServeMux()
	production := func(pattern string, handler http.HandlerFunc) {
		mux.Handle(pattern, s.Metrics.InFlight(pattern, s.Metrics.Production(s.Faults.Production(handler))))
	}
	production("GET /{$}", s.recommend)
	production("GET /recommendations", s.recommend)
	production("POST /recommendations", s.save)
	mux.Handle("GET "+streamPath, s.Metrics.InFlight("GET "+streamPath, http.HandlerFunc(s.stream)))
	mux.HandleFunc("GET /health", s.Health.serveHealth)
	mux.HandleFunc("GET /ready", s.Health.serveReady)
	mux.HandleFunc("GET /live", serveLive)
	mux.Handle("GET /metrics", s.Metrics.Handler())
	if s.FaultsEnabled {
		mux.Handle("/faults", s.Faults)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", s.Version)
		w.Header().Set("X-Color", s.Color)
		mux.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(body)
}
