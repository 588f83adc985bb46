package rollout

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// repeated is the outcome of a shift whose trigger has made that shift before, nil for
// any other: the idle colour is the old version by then, and a workflow that is run
// again asks for the new one. Where that can't be told it is an error, for the same
// reason. Who names the colour is taken at their word.
func (r *Runner) repeated(ctx context.Context, request ShiftRequest, route traffic.Route) (*Outcome, error) {
	if request.Trigger == "" || request.To != "" || r.setsAside {
		return nil, nil
	}
	var run journal.Run
	var state State
	err := r.again(ctx, Preflight, "the past runs can't be read", cluster.Transient, func() (err error) {
		run, state, err = r.lastMove(ctx)
		return err
	})
	if err != nil {
		return nil, release.WithHint(fmt.Errorf("tell whether %s has shifted before: %w", request.Trigger, err),
			fmt.Sprintf("--to COLOR shifts whatever was done before: %s is live, and %s may hold the old version", route.Split.Sole(), r.Release.Spec.Other(route.Split.Sole())))
	}
	if state.Phase != Done || state.Trigger != request.Trigger || state.To != route.Split.Sole() {
		return nil, nil
	}
	return &Outcome{
		Code:    CodeDone,
		Message: fmt.Sprintf("already: %s serves %s since run %s, which %s began too; --to %s shifts all the same", state.To, route.Object, run.ID, state.Trigger, state.From),
		Next:    "kubectl bluegreen shift --to " + state.From,
		Status:  statusOf(run, state),
	}, nil
}

// lastMove is the last run that gave a target traffic, with its state; without one
// that state is empty. Runs that moved none, and those that decommissioned a side,
// leave it what it is. The last of all is mostly the one. It is an error that a run
// can't be read which may be it.
func (r *Runner) lastMove(ctx context.Context) (journal.Run, State, error) {
	current, err := r.Journal.Current(ctx)
	if err != nil || current == nil {
		return journal.Run{}, State{}, err
	}
	if state, moved, err := movedBy(*current); moved || err != nil {
		return *current, state, err
	}
	runs, unread := r.Journal.List(ctx)
	for _, run := range runs {
		if !journal.UnreadBefore(unread, run.ID) {
			break
		}
		if state, moved, err := movedBy(run); moved || err != nil {
			return run, state, err
		}
	}
	return journal.Run{}, State{}, unread
}

// movedBy is the state of a run, and whether that gave a target traffic.
func movedBy(run journal.Run) (State, bool, error) {
	state := State{}
	if err := json.Unmarshal(run.State, &state); err != nil {
		return State{}, false, fmt.Errorf("read the state of run %s: %w", run.ID, err)
	}
	return state, state.Moved && state.Finish == nil, nil
}
