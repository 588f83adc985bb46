package race

import (
	"context"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// Ending is what became of the process that was put to sleep.
type Ending string

// The endings.
const (
	// TakenOver: others had its run before it had given that up.
	TakenOver Ending = "taken over"
	// EndedFirst: it was never put to sleep, its run had ended before.
	EndedFirst Ending = "ended before it slept"
	// WokeInTime: it slept, and went on before anybody had to be sure that it
	// was gone. Silence is counted by who sees it, and renewals come every
	// third of a lease, so that up to about surely either may win.
	WokeInTime Ending = "woke in time"
	// Missed: others had been there, with nothing stirring, for longer than it
	// takes to be sure, and did not take the run over.
	Missed Ending = "missed"
)

// surely is how long a run with nobody to drive it may stand before the eyes of
// those who would take it over: a guard looks once a second and waits for a lease
// to stand still for its whole duration, an operator's command begins and waits as
// long; and a lease more, for a machine that several shops share.
const surely = 2*lease + time.Second

// endingOf is what became of a process.
func endingOf(slept bool, takeOvers int, vacant time.Duration) Ending {
	switch {
	case takeOvers > 0:
		return TakenOver
	case !slept:
		return EndedFirst
	case vacant >= surely:
		return Missed
	}
	return WokeInTime
}

// sight is what is seen of a run at one moment.
type sight struct {
	// Run is what others may take over, "" where there is nothing: no run is on
	// record, or it has ended.
	Run string
	// Beat is its holder's last sign of life.
	Beat journal.Heartbeat
	// Watched: somebody is there who would take it over.
	Watched bool
}

// vacancy counts for how long a run has had nobody to drive it and somebody to
// take it over.
type vacancy struct {
	last    sight
	since   time.Time
	longest time.Duration
}

// look takes in what is seen.
func (v *vacancy) look(now time.Time, seen sight) {
	if seen != v.last || seen.Run == "" || seen.Beat.Holder == "" || !seen.Watched {
		v.last, v.since = seen, now
		return
	}
	v.longest = max(v.longest, now.Sub(v.since))
}

// vacant watches the run for as long as its process sleeps, and returns for how
// long it was vacant at the most. What can't be seen is looked at again.
func (a *Arena) vacant(ctx context.Context, rival Rival, before string, asleep time.Duration) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, asleep)
	defer cancel()
	counted := vacancy{}
	for {
		if seen, err := a.sight(ctx, rival, before); err == nil {
			counted.look(time.Now(), seen)
		}
		if pause(ctx, settling/2) != nil {
			return counted.longest
		}
	}
}

// sight looks at the run that began after the one before.
func (a *Arena) sight(ctx context.Context, rival Rival, before string) (sight, error) {
	seen := sight{Watched: a.others.Load() > 0}
	run, err := a.record(ctx)
	if err != nil || run == nil || run.ID == before {
		return seen, err
	}
	if _, ended, err := rollout.EndOf(*run); err != nil || ended {
		return seen, err
	}
	seen.Run = run.ID
	if seen.Beat, err = a.journal().Heartbeat(ctx); err != nil || rival != Guard {
		return seen, err
	}
	vigil, err := a.journal().Vigil(ctx)
	seen.Watched = vigil.Holder != "" && vigil.Run == run.ID
	return seen, err
}
