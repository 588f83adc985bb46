package rollout

import (
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// tell sends one line of progress.
func (r *Runner) tell(phase Phase, level Level, format string, values ...any) {
	if r.Progress != nil {
		r.Progress(Event{Time: r.Clock.Now(), Run: r.id(), Phase: phase, Level: level, Message: fmt.Sprintf(format, values...)})
	}
}

// id is the id of the run that this process drives, "" before it does.
func (r *Runner) id() string {
	if r.tenure == nil {
		return ""
	}
	return r.tenure.Run().ID
}

// tellWaiting says that a holder of the release is waited for, who may be alive.
func (r *Runner) tellWaiting(state State, beat journal.Heartbeat) {
	instead := ""
	if state.Requested {
		instead = "; --force waits for nobody"
	}
	r.tell(state.Phase, Info, "waiting for up to %s to see whether %s still drives run %s%s", beat.Duration, beat.Holder, beat.Run, instead)
}

// tellReading sends the gate's results of one tick, which the next replaces.
func (r *Runner) tellReading(phase Phase, message string, results []gate.Result) {
	if r.Progress != nil {
		r.Progress(Event{Time: r.Clock.Now(), Run: r.id(), Phase: phase, Level: Info, Message: message, Transient: true, Results: results})
	}
}

// tellTransition says that a phase has ended and how, unless there was nothing
// to do in it.
func (r *Runner) tellTransition(before, after State, seen Observation) {
	if seen.Quiet && seen.Kind == Succeeded {
		return
	}
	took := after.Entered.Sub(before.Entered).Round(10 * time.Millisecond)
	level := Success
	switch {
	case after.Phase == Revert, after.Phase == Held, after.Phase == Blocked, after.Phase == Unproven:
		level = Failure
	case seen.Kind == Failed, seen.Yields:
		level = Warning // a courtesy of the way back, or of the drain, which goes on
	}
	message := messageOf(before, after, seen)
	if message == "" {
		message = "done"
	}
	r.tell(before.Phase, level, "%s (%s)", message, took)
}

// announce says what a phase that was just entered does.
func (r *Runner) announce(state State) {
	if r.announced == state.Phase && r.announcedStep == state.Step {
		return
	}
	r.announced, r.announcedStep = state.Phase, state.Step
	rule := ruleOf(state.Phase)
	if r.Progress != nil {
		r.Progress(Event{Time: r.Clock.Now(), Run: r.id(), Phase: state.Phase, Level: Info, Message: rule.Does, Transient: true})
	}
}
