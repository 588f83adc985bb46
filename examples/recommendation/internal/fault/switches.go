package fault

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Database is what the database faults misuse.
type Database interface {
	// Leak opens a connection that nobody will close.
	Leak(context.Context) error
	// ReturnLeaked closes them after all.
	ReturnLeaked()
	// HoldRows and HoldTable hold a lock until the context ends.
	HoldRows(context.Context) error
	HoldTable(context.Context) error
	// SlowQueries makes reads hold their connection.
	SlowQueries(time.Duration)
}

// Switches are the faults of a running service.
type Switches struct {
	database Database
	logger   *slog.Logger
	changed  chan struct{}

	mu       sync.Mutex
	settings Settings
	// lockings counts how often a lock was asked for: the same lock may be
	// asked for again.
	lockings int
	// owed is the fraction of an error that is still to be answered: with
	// it a rate of 5 % is every twentieth request and not a throw of dice.
	owed float64
}

// New sets the switches as they are at start. Run carries out those that act
// by themselves.
func New(settings Settings, database Database, logger *slog.Logger) *Switches {
	database.SlowQueries(time.Duration(settings.QueryTime))
	return &Switches{database: database, logger: logger, changed: make(chan struct{}, 1), settings: settings}
}

// Settings returns the switches as they are.
func (s *Switches) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Set replaces them all. Connections already leaked stay leaked until no leak
// is asked for any more.
func (s *Switches) Set(settings Settings) {
	s.mu.Lock()
	if settings.LockFor != s.settings.LockFor || settings.LockMode != s.settings.LockMode {
		s.lockings++
	}
	s.settings = settings
	s.mu.Unlock()
	s.database.SlowQueries(time.Duration(settings.QueryTime))
	s.notify()
}

// present returns the switches and which request for a lock theirs is.
func (s *Switches) present() (settings Settings, locking int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings, s.lockings
}

// lockEnded puts the switch of a lock back whose time is over, unless another
// was asked for meanwhile.
func (s *Switches) lockEnded(locking int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lockings == locking {
		s.settings.LockFor = 0
	}
}

// notify tells Run that there is something to look at; one notice is enough.
func (s *Switches) notify() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// NotReady reports whether readiness is to fail.
func (s *Switches) NotReady() bool { return s.Settings().NotReady }

// NoDrain reports whether SIGTERM is to close everything at once.
func (s *Switches) NoDrain() bool { return s.Settings().NoDrain }

// ErrFails is what a production request fails with that is to fail.
var ErrFails = errors.New("this request fails by a fault switch")

// errLeft is what it fails with when its client has not waited; it was no success.
var errLeft = errors.New("the client gave up")

// Strike does to a production request what the switches say; an error is how it
// fails.
func (s *Switches) Strike(ctx context.Context) error {
	settings := s.Settings()
	for range settings.LeakPerRequest {
		// A refusal is what the leak is for; the store reports it.
		_ = s.database.Leak(ctx)
	}
	if settings.Latency > 0 {
		delay := time.NewTimer(time.Duration(settings.Latency))
		defer delay.Stop()
		select {
		case <-ctx.Done():
			return errLeft
		case <-delay.C:
		}
	}
	if s.FailNext() {
		return ErrFails
	}
	return nil
}

// FailNext reports whether this production request is one of those to fail.
func (s *Switches) FailNext() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed += s.settings.ErrorRate
	// The tolerance keeps twenty times 0.05 from being a little under one.
	if s.owed < 1-1e-9 {
		return false
	}
	s.owed--
	return true
}

// Close ends what the faults hold.
func (s *Switches) Close() { s.database.ReturnLeaked() }
