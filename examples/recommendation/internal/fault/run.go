package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrCrash is what the crash switch ends the service with.
var ErrCrash = errors.New("crashed by its fault switch")

// Run leaks, locks and crashes as the switches say until ctx ends; it returns
// ErrCrash when the service is to crash. A change of one switch leaves alone
// what the others have under way.
func (s *Switches) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	crash := make(chan struct{}, 1)
	var leak, lock, timer task
	defer func() {
		stop()
		leak.end()
		lock.end()
		timer.end()
	}()
	for {
		now, locking := s.present()
		leak.follow(ctx, now.LeakPerSecond, func(ctx context.Context) { s.leak(ctx, now.LeakPerSecond) })
		lock.follow(ctx, locking, func(ctx context.Context) { s.lock(ctx, now, locking) })
		timer.follow(ctx, now.crashKey(), func(ctx context.Context) { waitToCrash(ctx, now.CrashAfter, crash) })
		if now.LeakPerSecond == 0 && now.LeakPerRequest == 0 {
			s.database.ReturnLeaked()
		}
		select {
		case <-crash:
			s.logger.ErrorContext(ctx, "crashing", "error", ErrCrash)
			return ErrCrash
		case <-ctx.Done():
			return fmt.Errorf("run faults: %w", ctx.Err())
		case <-s.changed:
		}
	}
}

// task is one fault that acts by itself.
type task struct {
	settings any
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// follow starts the task anew when its settings are no longer the same.
func (t *task) follow(ctx context.Context, settings any, act func(context.Context)) {
	if t.stop != nil && t.settings == settings {
		return
	}
	t.end()
	ctx, t.stop = context.WithCancel(ctx)
	t.settings = settings
	t.done.Go(func() { act(ctx) })
}

func (t *task) end() {
	if t.stop != nil {
		t.stop()
	}
	t.done.Wait()
}

func (s *Switches) leak(ctx context.Context, perSecond float64) {
	if perSecond <= 0 {
		return
	}
	next := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
	defer next.Stop()
	for {
		// A refusal is what the leak is for; the store reports it.
		_ = s.database.Leak(ctx)
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
	}
}

// lock holds its lock once; when its time is over the switch goes back, so
// that it can be set again.
func (s *Switches) lock(ctx context.Context, settings Settings, locking int) {
	if settings.LockFor <= 0 {
		return
	}
	limited, cancel := context.WithTimeout(ctx, time.Duration(settings.LockFor))
	defer cancel()
	hold := s.database.HoldRows
	if settings.LockMode == LockTable {
		hold = s.database.HoldTable
	}
	s.logger.WarnContext(ctx, "long transaction begins", "for", time.Duration(settings.LockFor).String())
	if err := hold(limited); err != nil {
		s.logger.ErrorContext(ctx, "long transaction failed", "error", err)
	}
	if ctx.Err() == nil {
		s.lockEnded(locking)
	}
}

func (s Settings) crashKey() string {
	if s.CrashAfter == nil {
		return "never"
	}
	return time.Duration(*s.CrashAfter).String()
}

func waitToCrash(ctx context.Context, after *Duration, crash chan<- struct{}) {
	if after == nil {
		return
	}
	timer := time.NewTimer(time.Duration(*after))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
		crash <- struct{}{}
	}
}
