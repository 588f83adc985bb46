package rollout

import (
	"context"
	"encoding/json"
	"fmt"
)

// Resume goes on with the unfinished run from where it stands.
func (r *Runner) Resume(ctx context.Context) (Outcome, error) {
	current, err := r.current(ctx)
	if err != nil {
		return Outcome{}, err
	}
	if current == nil {
		return Outcome{Code: CodeDone, Message: "nothing to resume: the last run is finished"}, nil
	}
	state := State{}
	if err := json.Unmarshal(current.State, &state); err != nil {
		return Outcome{}, fmt.Errorf("read state of run %s: %w", current.ID, err)
	}
	route, err := r.Router.Read(ctx)
	if err != nil {
		return Outcome{}, err
	}
	found := state.Phase
	switch state.Phase {
	case Held:
		state = enter(state, state.Resume, r.Clock.Now())
	case Unproven:
		state = enter(state, Revert, r.Clock.Now())
	default:
		state = enter(state, state.Phase, r.Clock.Now())
	}
	state.Resume, r.resumed = "", current.ID
	r.tell(state.Phase, Info, "run %s was left in phase %s with %s at %s; going on with %s", current.ID, found, route.Object, route.Split, state.Phase)
	return r.begin(ctx, route, state)
}
