package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// followInterval is the time between two looks at a run that somebody else
// drives: a tenth of the lease's default duration and less.
const followInterval = time.Second

// Carry brings the run of the request's id to its end: it begins that run,
// goes on with it where another process has left it, and waits while another
// process drives it. It is what a pod does that may not be the first, and it
// never begins a run a second time: of one that has ended, or that is held for
// a person, it says how.
//
// A lease that was lost is no end: the run is taken up again, unless somebody
// else has. An API server that does not answer is waited for.
func (r *Runner) Carry(ctx context.Context, request ShiftRequest) (Outcome, error) {
	waiting := ""
	for {
		run, err := r.Journal.Get(ctx, request.RunID)
		outcome, mine := Outcome{}, true
		switch {
		case apierrors.IsNotFound(err):
			outcome, err = r.Shift(ctx, request)
		case err == nil:
			var ended bool
			if outcome, ended, err = EndOf(*run); err != nil || ended {
				return outcome, err
			}
			outcome, err = r.Resume(ctx)
			mine = r.tenure != nil
		}
		switch {
		case cluster.Transient(err) && ctx.Err() == nil:
			r.letGo(ctx)
			waiting = r.tellOnce(waiting, fmt.Sprintf("trying again: %v", err))
		case errors.Is(err, journal.ErrLost), errors.Is(err, journal.ErrEnded):
			// Somebody else was first; how that ended is read next.
			r.letGo(ctx)
			waiting = r.tellOnce(waiting, err.Error())
		case err != nil:
			return outcome, err
		case r.adrift(ctx, outcome):
			r.letGo(ctx)
			waiting = r.tellOnce(waiting, outcome.Message+"; going on with it")
		case mine:
			return outcome, nil
		default:
			waiting = r.tellOnce(waiting, outcome.Message+"; waiting for it")
		}
		select {
		case <-ctx.Done():
			return Outcome{}, context.Cause(ctx)
		case <-r.Clock.After(followInterval):
		}
	}
}

// tellOnce tells what is waited for when that is news, and returns it.
func (r *Runner) tellOnce(told, message string) string {
	if told != message {
		r.tell("", Warning, "%s", message)
	}
	return message
}

// EndOf says how a recorded run ended. One that is held, or could not be
// proven to have gone back, has ended for everybody but a person; one whose
// end is not written down in full yet has not.
func EndOf(run journal.Run) (outcome Outcome, ended bool, err error) {
	state := State{}
	if err := json.Unmarshal(run.State, &state); err != nil {
		return Outcome{}, false, fmt.Errorf("read state of run %s: %w", run.ID, err)
	}
	if run.Finished.IsZero() && state.Phase != Held && state.Phase != Unproven {
		return Outcome{}, false, nil
	}
	if !state.Phase.Terminal() {
		return Outcome{}, false, errors.New("read run " + run.ID + ": it is finished in phase " + string(state.Phase))
	}
	outcome = outcomeOf(state)
	outcome.Status = statusOf(run, state)
	outcome.Status.Outcome = run.Outcome
	return outcome, true, nil
}
