package rollout

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// repeated is the outcome of a shift whose trigger has made that shift before, nil for
// any other: the idle colour is the old version by then, and a workflow that is run
// again asks for the new one. Who names the colour is taken at their word.
func (r *Runner) repeated(ctx context.Context, request ShiftRequest, route traffic.Route) *Outcome {
	if request.Trigger == "" || request.To != "" || r.setsAside {
		return nil
	}
	run, state, err := r.lastMove(ctx)
	if err != nil {
		r.tell(Preflight, Warning, "whether %s has shifted before can't be told: %v", request.Trigger, err)
	}
	if state.Phase != Done || state.Trigger != request.Trigger || state.To != route.Split.Sole() {
		return nil
	}
	return &Outcome{
		Code:    CodeDone,
		Message: fmt.Sprintf("already: %s serves %s since run %s, which %s began too; --to %s shifts all the same", state.To, route.Object, run.ID, state.Trigger, state.From),
		Next:    "kubectl bluegreen shift --to " + state.From,
		Status:  statusOf(run, state),
	}
}

// lastMove is the last run that gave a target traffic, with its state; without one
// that state is empty. Runs that moved none, and those that decommissioned a side,
// leave it what it is. The last of all is mostly the one.
func (r *Runner) lastMove(ctx context.Context) (journal.Run, State, error) {
	current, err := r.Journal.Current(ctx)
	if err != nil || current == nil {
		return journal.Run{}, State{}, err
	}
	if state, moved := movedBy(*current); moved {
		return *current, state, nil
	}
	runs, err := r.Journal.List(ctx)
	for _, run := range runs {
		if state, moved := movedBy(run); moved {
			return run, state, nil
		}
	}
	return journal.Run{}, State{}, err
}

// movedBy is the state of a run, and whether that gave a target traffic. One that can't
// be read may have.
func movedBy(run journal.Run) (State, bool) {
	state := State{}
	if err := json.Unmarshal(run.State, &state); err != nil {
		return State{}, true
	}
	return state, state.Moved && state.Finish == nil
}
