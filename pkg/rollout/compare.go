package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
)

// compare holds the target against the old side once more, and returns what is
// known then. Whatever can't be counted changes nothing of it.
func (r *Runner) compare(ctx context.Context, state State, readings []measure.Reading) (relative.State, gate.Comparison) {
	comparing, asked := gate.Comparing(r.rules, state.To, state.From)
	comparison := gate.Comparison{Before: state.Split(r.policy)[state.To] == 100, Time: r.Clock.Now()}
	if !asked {
		return state.Relative, comparison
	}
	if preview := state.preview(r.policy); preview != nil {
		// Who asks for the target is not who is served by the old side.
		comparison.Missing = "only requests with " + preview.Match.String() + " reach " + preview.Color
		return state.Relative, comparison
	}
	seen, err := r.count(ctx, state, readings)
	known := state.Relative
	switch {
	case err == nil:
		known, comparison.Results = comparing.Observe(known, seen)
		return known, comparison
	case !errors.Is(err, measure.ErrEarly) && !errors.Is(err, measure.ErrBegins):
		comparison.Missing = err.Error()
	}
	comparison.Results = comparing.Results(known)
	return known, comparison
}

// count counts the requests of both sides since the last tick: over the same time
// where each side has a part, and against the time before the first switch where
// the target has everything.
func (r *Runner) count(ctx context.Context, state State, readings []measure.Reading) (relative.Observation, error) {
	for _, reading := range readings {
		if counts := reading.Signal == measure.ErrorRatio || reading.Signal == measure.LatencyP95; counts && reading.State == measure.SourceDown {
			return relative.Observation{}, fmt.Errorf("%s: %s", reading.Source, reading.Detail)
		}
	}
	weight := state.Split(r.policy)[state.To]
	if weight < 100 {
		seen, err := r.counting.Beside(ctx, state.From, state.To, state.switched())
		seen.Weight, seen.Unshared = float64(weight)/100, r.strays(state, seen)
		return seen, err
	}
	untouched := state.untouched()
	if untouched.IsZero() {
		return relative.Observation{}, measure.ErrUnremembered
	}
	watched := state.ends(r.policy).Sub(state.Cutover)
	seen, err := r.counting.Before(ctx, state.From, state.To, state.switched(), state.switched().Sub(untouched)+watched, untouched)
	seen.Weight = 1
	return seen, err
}

// straysMost is the part of the target's requests that those which it gets anyhow
// may be, so that a share is off by less than a quarter of what is allowed.
const straysMost = 0.05

// strays reports whether the target counted too much before it was given anything,
// such as the kubelet's probes, or whether that is not known.
func (r *Runner) strays(state State, seen relative.Observation) bool {
	before := r.strayed(state)
	switch before.State {
	case measure.OK:
		return before.Value*seen.To.Sub(seen.From).Seconds() > straysMost*seen.New.Requests
	case measure.NoData:
		return false
	}
	return true
}

// switched is when the last switch began, also in a record that doesn't know it.
func (s State) switched() time.Time {
	if s.DataPlane.Switched.IsZero() {
		return latest(s.Cutover, s.Entered)
	}
	return s.DataPlane.Switched
}

// untouched is when the old side was last known to have everything: when the
// baseline was read. It is zero where there was none.
func (s State) untouched() time.Time {
	var read time.Time
	for _, reading := range s.Baseline {
		read = latest(read, reading.Time)
	}
	return read
}
