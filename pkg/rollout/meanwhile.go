package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// How to go on with a run, or back, is decided by its record before the lease is
// taken, and whoever has the lease until then may write to it. So what was
// decided counts only if the record, once it is this process's own, says what it
// said then.

// errMeanwhile is a run that somebody else has taken further, or begun, between the
// look at it and the lease.
var errMeanwhile = errors.New("the run went on between the look at it and the lease")

// decidedOften bounds how often is decided anew: each time takes somebody else
// who had the lease, and has written.
const decidedOften = 5

// continues makes a run the one that is continued, by what its record says now.
func (r *Runner) continues(run journal.Run) { r.resumed, r.read = run.ID, run }

// asRead makes sure that the run that is continued is what it was when it was
// decided how to go on.
func (r *Runner) asRead() error {
	if r.resumed == "" || bytes.Equal(r.tenure.Run().State, r.read.State) {
		return nil
	}
	return fmt.Errorf("continue run %s: %w: it was in phase %s, and is in phase %s", r.resumed, errMeanwhile, r.read.Phase, r.tenure.Run().Phase)
}

// overtaken reports whether what was decided of a run counts no more.
func overtaken(err error) bool {
	return errors.Is(err, errMeanwhile) || errors.Is(err, journal.ErrEnded)
}

// anew carries a verb out, and again from its beginning where somebody else has
// taken the run further, or to its end, meanwhile.
func (r *Runner) anew(ctx context.Context, verb func() (Outcome, error)) (Outcome, error) {
	for attempt := 1; ; attempt++ {
		outcome, err := verb()
		if !overtaken(err) || ctx.Err() != nil {
			return outcome, err
		}
		if attempt == decidedOften {
			// Not wrapped: nobody is to decide anew once more.
			return Outcome{}, release.WithHint(fmt.Errorf("decided %d times, and each time somebody else was faster, last: %s", attempt, err.Error()), "kubectl bluegreen status")
		}
		if r.resumed == "" {
			r.tell(r.announced, Info, "a run was begun meanwhile, going by what it has left")
		} else {
			r.tell(r.announced, Info, "run %s was taken further or has ended meanwhile, going by what it has left", r.resumed)
		}
		r.letGo(ctx)
		r.takesOver = false // who was waited for is not who has it now
	}
}

// endsUnmoved reports whether a state ends a run that has moved nothing.
func endsUnmoved(state State) bool {
	return !state.Moved && (state.Phase == RolledBack || state.Phase == Blocked)
}

// nothingMoved makes sure, once the route is stamped, that a run which is said to
// have moved nothing leaves everything where it was.
func (r *Runner) nothingMoved(ctx context.Context, state State) error {
	var route traffic.Route
	err := r.again(ctx, state.Phase, "the route can't be read", cluster.Transient, func() (err error) {
		route, err = r.Router.Read(ctx)
		return err
	})
	switch {
	case errors.Is(err, traffic.ErrNoColor):
		return fmt.Errorf("end run %s, which has moved nothing: %w: %w", r.resumed, err, errMeanwhile)
	case err != nil:
		return err
	}
	if !state.asExpected(r.policy, route) {
		return fmt.Errorf("end run %s, which has moved nothing: %s has %s: %w", r.resumed, route.Object, route.Shares(), errMeanwhile)
	}
	return nil
}
