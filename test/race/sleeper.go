package race

import (
	"context"
	"sync"
	"syscall"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// length is how long an undisturbed run is.
type length struct {
	took   time.Duration
	writes int
}

// sleeper is the process that is put to sleep, and where.
type sleeper struct {
	race Race
	// after is when it falls asleep, since its start; or, where that is 0,
	// write is the write, counted from 1, during which it does. With neither
	// it never does.
	after time.Duration
	write int
	// process is there once started is closed.
	process *shop.Process
	started chan struct{}
	// let is closed when the write that it fell asleep over may go on.
	let chan struct{}

	mutex  sync.Mutex
	writes int
	// fell is closed when it fell asleep over a write.
	fell chan struct{}
}

// sleeperOf finds a race's moment in a run of a length.
func sleeperOf(drawn Race, usual length) *sleeper {
	found := &sleeper{race: drawn, started: make(chan struct{}), let: make(chan struct{}), fell: make(chan struct{})}
	if drawn.AtWrite {
		found.write = int(drawn.Moment*float64(usual.writes)) + 1
	} else {
		found.after = time.Duration(drawn.Moment*float64(usual.took)) + 1
	}
	return found
}

// awake is one that never falls asleep, and lets its writes be counted.
func awake() *sleeper { return &sleeper{started: make(chan struct{})} }

// see is the hook of the sleeper's proxy.
func (a *Arena) see(ctx context.Context, exchange *interpose.Exchange) interpose.Reaction {
	a.mutex.Lock()
	asleep := a.asleep
	a.mutex.Unlock()
	if asleep == nil || exchange.Stage != interpose.Arriving || !exchange.Writes() || !asleep.falls() {
		return interpose.Pass()
	}
	<-asleep.started
	if asleep.process == nil || asleep.process.Signal(syscall.SIGSTOP) != nil {
		return interpose.Pass()
	}
	close(asleep.fell)
	select {
	case <-asleep.let:
	case <-ctx.Done():
		return interpose.Drop()
	}
	return interpose.Pass()
}

// falls counts a write, and reports whether it is the one.
func (s *sleeper) falls() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.writes++
	return s.write > 0 && s.writes == s.write
}

// counted is how many writes it has sent.
func (s *sleeper) counted() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.writes
}

// sleeps waits until the process is asleep; it is not where it has ended before.
func (s *sleeper) sleeps(ctx context.Context) (asleep bool, err error) {
	var due <-chan time.Time
	if s.after > 0 {
		timer := time.NewTimer(s.after)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-s.process.Done():
		return false, nil
	case <-s.fell:
		return true, nil
	case <-due:
		return s.process.Signal(syscall.SIGSTOP) == nil, nil
	}
}

// pause lets a time pass.
func pause(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
