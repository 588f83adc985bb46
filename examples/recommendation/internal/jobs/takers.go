// Package jobs takes jobs from the queue in PostgreSQL, for a service that is a
// worker too.
package jobs

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/fault"
	"github.com/bluegreen-dev/kubectl-bluegreen/examples/recommendation/internal/store"
)

// pause is how long a taker waits that found no job, or could not take one.
const pause = 50 * time.Millisecond

// Takers are what takes jobs.
type Takers struct {
	// Version and Color say who has done a job.
	Version, Color string
	Store          *store.Store
	Faults         *fault.Switches
	// Count counts a job by the status that a request would have had.
	Count  func(status int, took time.Duration)
	Logger *slog.Logger
	// Work is how long a job takes.
	Work time.Duration

	running sync.WaitGroup
}

// Start begins to take jobs, so many at once, until ctx ends.
func (t *Takers) Start(ctx context.Context, count int) {
	for range count {
		t.running.Go(func() { t.run(ctx) })
	}
}

// Wait waits until each has ended the job that it had when ctx ended.
func (t *Takers) Wait() { t.running.Wait() }

func (t *Takers) run(ctx context.Context) {
	for ctx.Err() == nil {
		if t.Store.Prepared() && t.take(context.WithoutCancel(ctx)) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// take takes one job and reports whether there was one. What was begun is ended,
// whoever is told to end meanwhile.
func (t *Takers) take(ctx context.Context) bool {
	began := time.Now()
	found, err := t.Store.Take(ctx, t.Version, t.Color, func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(t.Work):
		}
		return t.Faults.Strike(ctx)
	})
	switch {
	case err == nil && !found:
		return false
	case err == nil:
		t.Count(http.StatusOK, time.Since(began))
	case errors.Is(err, fault.ErrFails):
		t.Count(http.StatusInternalServerError, time.Since(began))
	default:
		t.Count(http.StatusServiceUnavailable, time.Since(began))
		t.Logger.WarnContext(ctx, "job not done", "error", err, "sqlstate", store.SQLState(err))
		return false
	}
	return true
}
