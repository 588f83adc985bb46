package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// pastBlocked is the way back where the last run is a shift away from what is live
// that was blocked. It moved nothing, so that it is the run before it which says
// what was before: where that led to what is live, it is gone back from, and where
// it gave everything back, nowhere. A side that a blocked shift was past its preflight
// with may be another version since, and what the shift was blocked for. There, and
// where the record does not reach so far back, only who forces goes, by the route.
func (r *Runner) pastBlocked(ctx context.Context, route traffic.Route, blocked State) State {
	live := blocked.From
	stays := State{Phase: Blocked, From: live, To: blocked.To, Reason: blocked.Reason}
	if route.Origin == "" || route.Origin == live {
		return stays
	}
	runs, err := r.Journal.List(ctx)
	if err != nil {
		r.tell(Revert, Warning, "the runs before the last one can't be read: %v", cluster.Explain(err))
	}
	before, changed := beforeBlocked(runs, live)
	switch {
	case before.From == live && (before.Phase == RolledBack || before.Finish != nil):
		return State{Phase: RolledBack, From: live, To: before.To}
	case !r.force && (changed || err != nil || before.From != route.Origin || before.To != live):
		return stays
	}
	return State{Started: r.Clock.Now(), From: route.Origin, To: live, Taken: before.Finish.taken()}
}

// beforeBlocked is how the run ended that is the newest but for shifts that were
// blocked while live was live, the zero State where there is none, and whether one
// of those was past its preflight: it applied, or looked at, the other side. The
// runs are the newest first.
func beforeBlocked(runs []journal.Run, live string) (before State, changed bool) {
	for _, run := range runs {
		state := State{}
		if json.Unmarshal(run.State, &state) != nil {
			return State{}, changed
		}
		if state.Phase != Blocked || state.From != live || state.Finish != nil {
			return state, changed
		}
		changed = changed || slices.ContainsFunc(run.Entries, func(entry journal.Entry) bool {
			return entry.Action == passage(Preflight, Apply)
		})
	}
	return State{}, changed
}

// leftBlocked is the outcome of a rollback that goes nowhere after a blocked
// shift, with the command that goes there all the same where there is a way.
func leftBlocked(route traffic.Route, state State) Outcome {
	outcome := Outcome{Code: CodeDone,
		Message: fmt.Sprintf("nothing to roll back: %s serves %s, the last run was blocked before it moved anything to %s (%s)", state.From, route.Object, state.To, state.Reason),
		Next:    "kubectl bluegreen shift --to " + state.To}
	if route.Origin != "" && route.Origin != state.From {
		outcome.Message += fmt.Sprintf("; %s had everything before, and may be another version since", route.Origin)
		outcome.Next = "kubectl bluegreen rollback --force"
	}
	return outcome
}
