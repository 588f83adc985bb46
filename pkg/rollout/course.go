package rollout

import (
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Stay is the time that a run spent in one phase.
type Stay struct {
	Phase Phase
	// Entered is when it came into the phase, Left when it went on.
	Entered, Left time.Time
	// Weight is the share of the target, in percent, while it was there.
	Weight int
}

// Took is how long the run was there.
func (s Stay) Took() time.Duration { return s.Left.Sub(s.Entered) }

// Course is how the run went, by its record: the phases that it has left, in
// order, one as often as it was there. What a run of an older program has
// written of splits is not told, and counts as none. One that only goes back is
// taken to have begun where the target had everything.
func (s *RunStatus) Course() []Stay {
	var stays []Stay
	entered, weight := s.Started, 0
	for _, entry := range s.Entries {
		from, _, found := strings.Cut(entry.Action, " → ")
		if !found || entry.Kind != journal.Transition && entry.Kind != journal.Decision {
			continue
		}
		if len(stays) == 0 && Phase(from).Reverse() {
			weight = 100
		}
		stays = append(stays, Stay{Phase: Phase(from), Entered: entered, Left: entry.Time, Weight: weight})
		entered = entry.Time
		if split, err := traffic.ParseSplit(entry.Split); err == nil {
			weight = split[s.To]
		}
	}
	return stays
}
