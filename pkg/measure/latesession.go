package measure

import (
	"context"
	"sync"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// lateSession is an observer's session whose target may not be known yet: a
// Secret that can't be read or a host that can't be reached at the start of a
// run may be back a moment later. It is resolved again until it is.
type lateSession struct {
	input postgres.ResolveInput
	clock clock.PassiveClock

	mu       sync.Mutex
	observer *postgres.Observer
	target   postgres.Target
}

// resolve finds the target, once.
func (l *lateSession) resolve(ctx context.Context) (postgres.Target, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.observer != nil {
		return l.target, nil
	}
	target, err := postgres.Resolve(ctx, l.input)
	if err != nil {
		return postgres.Target{}, err
	}
	l.target, l.observer = target, postgres.NewObserver(target, l.clock)
	return target, nil
}

// Snapshot looks into the database.
func (l *lateSession) Snapshot(ctx context.Context) (postgres.Snapshot, error) {
	if _, err := l.resolve(ctx); err != nil {
		return postgres.Snapshot{}, err
	}
	return l.observer.Snapshot(ctx)
}

// Close ends the session.
func (l *lateSession) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.observer == nil {
		return nil
	}
	return l.observer.Close()
}
