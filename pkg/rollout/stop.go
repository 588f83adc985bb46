package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// UnseenError says that a stop is set, but not who is there to obey it: the
// record or the lease can't be read.
type UnseenError struct{ Err error }

// Error is why they can't be read.
func (e *UnseenError) Error() string { return e.Err.Error() }

// Unwrap returns why they can't be read.
func (e *UnseenError) Unwrap() error { return e.Err }

// RequestStop sets the annotation that a running shift obeys within one
// tick. It equals a kubectl annotate by hand, and like that comes first: the
// journal is read only after it, to say whether anybody is there to obey. It
// returns the run that is not finished, nil where there is none, and Silent
// where nobody drives it: where it was held, could not prove its way back, or
// has a holder that renews the lease no more, which one that seems silent is
// watched for. An *UnseenError says that the stop is set; with any other error it
// is not.
func (r *Runner) RequestStop(ctx context.Context, reason string) (*RunStatus, error) {
	if err := r.Router.Stop(ctx, reason); err != nil {
		return nil, fmt.Errorf("request stop: %w", err)
	}
	status, err := r.unended(ctx)
	if err != nil {
		return nil, &UnseenError{Err: err}
	}
	return status, nil
}

// obeyed takes a stop off the route at the end of a run that is back where it
// began, or never left: it has been obeyed, and would be in the way of the next
// shift. One that was moved back has lost its stop with that write already.
func (r *Runner) obeyed(ctx context.Context, state State) {
	if state.Phase != Blocked && state.Phase != RolledBack {
		return
	}
	err := r.attempt(ctx, func(ctx context.Context) error {
		route, err := r.Router.Read(ctx)
		switch {
		case err != nil && len(route.Gone) == 0:
			return err
		case route.Stop == "":
			return nil
		}
		patch, err := r.Router.Obeyed(route, r.fence())
		if err != nil {
			return err
		}
		return r.intend(ctx, "obey", route.Object, route.Stop, func() error {
			_, err := r.Router.Write(ctx, patch, false)
			return err
		})
	})
	if err != nil {
		r.tell(state.Phase, Warning, "an emergency stop may be left on the route: %v", cluster.Explain(err))
	}
}

// unended is the run that has not ended, and whether anybody drives it. A holder
// that seems silent is watched, for its clock may differ.
func (r *Runner) unended(ctx context.Context) (*RunStatus, error) {
	status, err := r.underWay(ctx)
	if status == nil || err != nil || status.Silent {
		return status, err
	}
	watched := false
	status.Silent, err = r.Journal.Silent(ctx, func(beat journal.Heartbeat) {
		watched = true
		r.tell(status.Phase, Warning, "watching for up to %s whether %s still drives run %s", beat.Duration, beat.Holder, status.ID)
	})
	if err != nil || !watched || !status.Silent {
		return status, err
	}
	// It may have obeyed, and given the lease up, while it was watched.
	now, err := r.underWay(ctx)
	if err != nil {
		return nil, err
	}
	if now == nil || now.ID != status.ID {
		status.Silent = false
		return status, nil
	}
	now.Silent = true
	return now, nil
}

// underWay is the run that has not ended, nil where there is none. One that is held
// or could not prove its way back has nobody who drives it.
func (r *Runner) underWay(ctx context.Context) (*RunStatus, error) {
	run, err := r.current(ctx)
	if run == nil || err != nil {
		return nil, err
	}
	status, err := StatusOf(*run)
	if err != nil {
		return nil, err
	}
	status.Silent = status.Phase.Terminal()
	return status, nil
}

// await follows a run that another process was asked to roll back. A run that
// ends otherwise, because it was done before it saw the request or was held,
// and one whose holder falls silent, is rolled back by this process; where the
// next run has begun behind it, that one is asked first.
func (r *Runner) await(ctx context.Context, id string, asked time.Time, request RollbackRequest) (Outcome, error) {
	pulse := journal.Pulse{Clock: r.Clock.Now}
	for {
		run, err := r.Journal.Get(ctx, id)
		if err != nil && !cluster.Transient(err) {
			return Outcome{}, err
		}
		if err == nil {
			outcome, ended, err := followed(*run, asked, r.Clock.Now())
			if err != nil || ended && wentBack(outcome) {
				return outcome, err
			}
			beat, err := r.Journal.Heartbeat(ctx)
			switch {
			case err != nil:
			case ended && beat.Holder != "" && beat.Run != "" && beat.Run != id:
				return r.askNext(ctx, id, beat, request)
			// A holder that has ended its run gives the lease up last.
			case ended && beat.Holder == "", pulse.Stopped(beat):
				return r.takeBack(ctx, id, request)
			}
		}
		select {
		case <-ctx.Done():
			return Outcome{Code: CodeHeld, Message: "interrupted while waiting for run " + id, Next: "kubectl bluegreen status -w"}, nil
		case <-r.Clock.After(proofInterval):
		}
	}
}

// askNext begins to roll back anew where a run has ended without going back and
// another has begun right behind it: what that one was not asked, it looks past, and
// it may be decommissioning the side to go back to.
func (r *Runner) askNext(ctx context.Context, id string, beat journal.Heartbeat, request RollbackRequest) (Outcome, error) {
	r.tell(Revert, Warning, "run %s ended without going back, and %s drives run %s since", id, beat.Holder, beat.Run)
	r.resumed, r.takesOver = "", false
	return r.Rollback(ctx, request)
}

// takeBack rolls back after all what its own holder did not.
func (r *Runner) takeBack(ctx context.Context, id string, request RollbackRequest) (Outcome, error) {
	r.tell(Revert, Warning, "run %s ended without going back, or its holder is silent; this process rolls back", id)
	r.resumed, r.takesOver = "", true
	return r.Rollback(ctx, request)
}

// followed is how a run ended that somebody else drives; ended is false while
// it goes on. It was rolled back as asked only if it obeyed: one that its own
// gate sent back says so. The times are this process's own, when it asked and
// now, for those of the run are another machine's.
func followed(run journal.Run, asked, now time.Time) (outcome Outcome, ended bool, err error) {
	state := State{}
	if err := json.Unmarshal(run.State, &state); err != nil {
		return Outcome{}, false, fmt.Errorf("read state of run %s: %w", run.ID, err)
	}
	if !state.Phase.Terminal() {
		return Outcome{}, false, nil
	}
	state.Requested = state.Requested || obeyed(state)
	told := state
	told.Asked, told.Entered = asked, now
	outcome = outcomeOf(told)
	outcome.Status = statusOf(run, state)
	if state.Phase == Blocked {
		outcome.Code, outcome.Next = CodeDone, "kubectl bluegreen history"
		outcome.Message = fmt.Sprintf("stopped before anything was moved: %s serves production", state.From)
	}
	return outcome, true, nil
}

// wentBack reports whether a run that was asked to go back has tried to, as
// against one that reached its goal before it saw the request, or was held, or
// that moves no traffic and only made way.
func wentBack(outcome Outcome) bool {
	switch outcome.Status.Phase {
	case Done, Held, Decommissioned:
		return false
	case Blocked:
		return outcome.Status.Finish == nil
	}
	return true
}
