package rollout

import (
	"fmt"
	"time"
)

// wakeful tells whether the process was away: a laptop that slept, a process
// that was stopped, a clock that was set. What a gate has held for, and who
// holds the lease, can't be known across such a gap.
type wakeful struct {
	// by is when the next look has to begin at the latest, on the wall clock:
	// the monotonic one stands still while a machine sleeps.
	by time.Time
}

// overslept is how much later than it had to a look begins, 0 when in time.
func (w *wakeful) overslept(now time.Time) time.Duration {
	if w.by.IsZero() {
		return 0
	}
	return max(now.Round(0).Sub(w.by), 0)
}

// expect says when the next look has to begin: after this one, the journal's
// write and the pause, each at its longest.
func (w *wakeful) expect(now time.Time, longest time.Duration) { w.by = now.Round(0).Add(longest) }

// busy says that the process is at work on a write that takes longer than
// expected: a record that can't be written is tried again. A gap that is there
// already stays one.
func (w *wakeful) busy(now time.Time) {
	if w.by.IsZero() || w.overslept(now) > 0 {
		return
	}
	if by := now.Round(0).Add(insistFor); by.After(w.by) {
		w.by = by
	}
}

// away holds a run whose process was away: somebody looks before it goes on.
// The way back is never held up by that, for it waits for no measurement.
func (r *Runner) away(state State) (Observation, bool) {
	now := r.Clock.Now()
	gap := r.wakeful.overslept(now)
	r.wakeful.expect(now, r.patience(state)+insistFor+2*persistTimeout+r.interval(state))
	if gap == 0 || state.Phase.Reverse() {
		return Observation{}, false
	}
	return Observation{Kind: Interrupted, Message: fmt.Sprintf(
		"this process was away for %s (a machine that slept, or a clock that was set), and nobody watched meanwhile", gap.Round(time.Second))}, true
}
