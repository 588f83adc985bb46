package e2e

import (
	"sync"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
)

// listener notes when each version was heard.
type listener struct {
	mutex  sync.Mutex
	counts map[string]int
	begun  map[string]time.Time
	latest map[string]time.Time
}

// listen listens to the answers of a run until the test ends.
func (s *scenario) listen(run *clients.Run) *listener {
	ear := &listener{counts: run.Counts().ByVersion, begun: map[string]time.Time{}, latest: map[string]time.Time{}}
	ctx := s.t.Context()
	go func() {
		for ctx.Err() == nil {
			ear.hear(run.Counts().ByVersion, time.Now())
			pause(ctx, 10*time.Millisecond)
		}
	}()
	return ear
}

// hear takes in what was counted at a time.
func (l *listener) hear(counts map[string]int, at time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for version, count := range counts {
		if count == l.counts[version] {
			continue
		}
		if l.begun[version].IsZero() {
			l.begun[version] = at
		}
		l.latest[version] = at
	}
	l.counts = counts
}

// first and last are when a version was first and last heard, zero where it
// never was.
func (l *listener) first(version string) time.Time { return l.at(l.begun, version) }
func (l *listener) last(version string) time.Time  { return l.at(l.latest, version) }

func (l *listener) at(times map[string]time.Time, version string) time.Time {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return times[version]
}
