package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// Resume goes on with the unfinished run from where it stands. One that
// somebody else brings to its end meanwhile leaves nothing to do.
func (r *Runner) Resume(ctx context.Context) (Outcome, error) {
	return r.anew(ctx, func() (Outcome, error) {
		current, err := r.current(ctx)
		if err != nil {
			return Outcome{}, err
		}
		if current == nil {
			return nothingToResume(), nil
		}
		return r.goOn(ctx, *current)
	})
}

func nothingToResume() Outcome {
	return Outcome{Code: CodeDone, Message: "nothing to resume: the last run is finished"}
}

// goOn goes on with a run from where it was when it was read.
func (r *Runner) goOn(ctx context.Context, current journal.Run) (Outcome, error) {
	r.continues(current)
	state := State{}
	if err := json.Unmarshal(current.State, &state); err != nil {
		return Outcome{}, fmt.Errorf("read state of run %s: %w", current.ID, err)
	}
	route, err := r.Router.Read(ctx)
	if err != nil && (len(route.Gone) == 0 || !resume(state, r.Clock.Now()).Phase.Reverse()) {
		return Outcome{}, err
	}
	found := state.Phase
	if state.finishes() {
		return r.finish(ctx, FinishRequest{Delete: state.Finish.Delete})
	}
	if found == Held {
		state = r.accept(ctx, state)
	}
	state = resume(state, r.Clock.Now())
	going := "going on with " + string(state.Phase)
	if holder := r.driver(ctx, current); holder != "" {
		going += fmt.Sprintf(", unless %s, whose lease it is, still drives it", holder)
	}
	r.tell(state.Phase, Info, "run %s was left in phase %s with %s at %s; %s", current.ID, found, route.Object, route.Shares(), going)
	return r.begin(ctx, route, state)
}

// resume is the state in which a run goes on that was left in one: in the
// phase that it was held in, or that its process died in, and with the way
// back from its beginning where that could not be proven. What held it on the
// way forward is over; why it goes back stays.
func resume(state State, at time.Time) State {
	phase := state.Phase
	switch phase {
	case Held:
		phase = state.Resume
	case Unproven:
		phase = Revert
	}
	state.Resume = ""
	if !phase.Reverse() {
		state.Reason, state.Because = "", nil
	}
	return enter(state, phase, at)
}
