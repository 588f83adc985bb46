package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/store"
)

// healthDeadline is under the second that a Kubernetes probe waits by default.
const healthDeadline = 900 * time.Millisecond

// Health answers how the service is. /health includes the database and is for
// people and releases to ask. /ready is for the readiness probe: it waits for
// the schema once and then leaves the database out, since a database that is
// away for all pods must not take every endpoint away. /live includes nothing.
type Health struct {
	store    *store.Store
	notReady func() bool
}

// NewHealth asks the store, and the fault switch that makes readiness fail.
func NewHealth(database *store.Store, notReady func() bool) *Health {
	return &Health{store: database, notReady: notReady}
}

// Check says what keeps the service from working, the database included.
func (h *Health) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthDeadline)
	defer cancel()
	if err := h.ready(); err != nil {
		return err
	}
	return h.store.Ping(ctx)
}

func (h *Health) ready() error {
	switch {
	case h.notReady():
		return errors.New("not ready by a fault switch")
	case !h.store.Prepared():
		return errors.New("the database is not prepared yet")
	}
	return nil
}

// healthAnswer is the body of /health and /ready.
type healthAnswer struct {
	Status   string `json:"status"`
	Database string `json:"database,omitempty"`
	Reason   string `json:"reason,omitempty"`
	SQLState string `json:"sqlstate,omitempty"`
}

func (h *Health) serveHealth(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthDeadline)
	defer cancel()
	if err := h.store.Ping(ctx); err != nil {
		answer(w, http.StatusServiceUnavailable, healthAnswer{
			Status: "unavailable", Database: "unavailable", Reason: err.Error(), SQLState: store.SQLState(err),
		})
		return
	}
	answer(w, http.StatusOK, healthAnswer{Status: "ok", Database: "ok"})
}

func (h *Health) serveReady(w http.ResponseWriter, _ *http.Request) {
	if err := h.ready(); err != nil {
		answer(w, http.StatusServiceUnavailable, healthAnswer{Status: "unavailable", Reason: err.Error()})
		return
	}
	answer(w, http.StatusOK, healthAnswer{Status: "ok"})
}

func serveLive(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, healthAnswer{Status: "ok"})
}
