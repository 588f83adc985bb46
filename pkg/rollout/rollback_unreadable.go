package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// pastUnreadable is the last run where the current record is there but can't be read:
// the newest past one, where no stamp is newer than that. Where one is, a run has come
// since. If it has moved the route away from where the past one left it, the route
// itself says what was before, and there is no run to go by: nil. If not, the split
// before is an older one, and its colour may have another version since, which nobody
// has validated: only who forces goes there. What a run was rolled back from nobody does.
func (r *Runner) pastUnreadable(ctx context.Context, route traffic.Route) (*journal.Run, error) {
	runs, err := r.Journal.List(ctx)
	if unreadable := (*journal.RecordError)(nil); !errors.As(err, &unreadable) && err != nil && !r.force {
		return nil, uncertain(route, fmt.Sprintf("the runs before the last one can't be read: %v", cluster.Explain(err)))
	}
	state, live := State{}, route.Split.Sole()
	if len(runs) == 0 || json.Unmarshal(runs[0].State, &state) != nil || state.From == "" {
		return nil, nil //nolint:nilnil,nilerr // the route alone is gone by
	}
	_, read, _ := r.stamps(ctx, route) // what can't be read of them is told later
	switch {
	case newestOf(read) <= runs[0].Epoch:
		return &runs[0], nil
	case live != state.served():
		return nil, nil //nolint:nilnil // as above
	case r.force, state.Phase == RolledBack, state.Finish != nil, route.Origin == "", route.Origin == live:
		return &runs[0], nil
	}
	return nil, uncertain(route, fmt.Sprintf("a run after %s, whose record can't be read, has not moved it", runs[0].ID))
}

// uncertain refuses to go where nobody knows which version is.
func uncertain(route traffic.Route, why string) error {
	return release.WithHint(
		fmt.Errorf("find the way back: %s serves %s, and %s; %s had everything before, and may be another version since",
			route.Shares(), route.Object, why, route.Origin),
		"to go to "+route.Origin+" all the same: kubectl bluegreen rollback --force")
}

// served is the colour that had everything when a run ended.
func (s State) served() string {
	switch {
	case s.Finish != nil:
		return s.Finish.Live
	case s.Phase == Done:
		return s.To
	}
	return s.From
}
