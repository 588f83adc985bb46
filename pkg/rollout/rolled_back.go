package rollout

import (
	"encoding/json"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// RolledBackFrom is what the preflight holds the target against: a run that had given
// it traffic, and took it back. It is nil for any other run, and for none.
func RolledBackFrom(run *journal.Run) (*preflight.RolledBack, error) {
	if run == nil || Phase(run.Phase) != RolledBack {
		return nil, nil
	}
	state := State{}
	if err := json.Unmarshal(run.State, &state); err != nil {
		return nil, fmt.Errorf("read state of run %s: %w", run.ID, err)
	}
	return &preflight.RolledBack{Run: run.ID, Target: state.To, Reason: state.Reason, Templates: state.Templates}, nil
}
