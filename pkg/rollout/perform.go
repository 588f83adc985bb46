package rollout

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// perform does once what a phase asks for. route is the one that the guard let
// pass, for what must not act on another.
func (r *Runner) perform(ctx context.Context, state State, route traffic.Route) Observation {
	performances := map[Phase]func(context.Context, State) Observation{
		Preflight: r.preflight,
		Apply:     r.apply,
		WaitReady: r.waitReady,
		CleanLogs: r.cleanLogs,
		Health:    r.health,
		Synthetic: r.validate,
		Baseline:  r.baseline,
		HoldFloor: r.holdFloor,
		Switch:    func(ctx context.Context, state State) Observation { return r.switchTraffic(ctx, state, route) },
		Prove:     r.prove,
		Hold:      r.observe,
		Watch:     r.observe,
		Confirm:   r.confirm,
		Drain:     r.drain,
		GiveBack:  r.giveBackFloor,

		Revert:       r.revert,
		ProveRevert:  r.prove,
		Preserve:     r.preserve,
		DrainReverse: r.drainReverse,
		End:          r.end,
		Recover:      r.recoverOld,
		Restore:      r.giveBackFloor,
	}
	performance, known := performances[state.Phase]
	if !known {
		return failed("phase %q is not known to this version", state.Phase)
	}
	return performance(ctx, state)
}

// guard looks at the route before every performance: an emergency stop, a
// newer holder or a foreign edit is seen within one tick. An API server that
// does not answer is a reason to wait, not to act.
func (r *Runner) guard(ctx context.Context, state State) (traffic.Route, Observation) {
	route, err := r.Router.Read(ctx)
	seen := r.judge(state, route, err)
	if seen.Kind == Succeeded {
		if rival, found := r.rival(ctx, state); found {
			seen = rival
		}
	}
	return route, seen
}

// judge is the guard's verdict on a route that was read, or was not.
func (r *Runner) judge(state State, route traffic.Route, err error) Observation {
	switch {
	case err != nil && state.Phase.Reverse() && state.Phase != End:
		return Observation{Kind: Succeeded} // the way back tells its own errors
	case errors.Is(err, traffic.ErrNoColor), apierrors.IsNotFound(err):
		return Observation{Kind: Rival, Message: err.Error()}
	case err != nil:
		return waiting("read %s: %v", r.Release.Metadata.Name, err)
	case route.Fence.Epoch > r.fence().Epoch:
		return Observation{Kind: Rival, Message: fmt.Sprintf("%s was taken over by %s at epoch %d", route.Object, route.Fence.Holder, route.Fence.Epoch)}
	case route.Stop != "" && !state.Phase.Reverse():
		return Observation{Kind: Stopped, Message: route.Stop}
	case route.Fence != r.fence() && !state.Phase.Reverse():
		return Observation{Kind: Rival, Message: fmt.Sprintf("%s was replaced by %s: it does not carry this run's stamp any more", route.Object, owners(route))}
	case r.edited(state, route):
		return Observation{Kind: Rival, Message: fmt.Sprintf("%s was changed to %s by %s while this run had given it %s",
			route.Object, route.Split, owners(route), state.expected(r.policy))}
	}
	return Observation{Kind: Succeeded}
}

// edited reports whether somebody else changed the split in a phase in which
// this run does not write it.
func (r *Runner) edited(state State, route traffic.Route) bool {
	switch state.Phase {
	case Switch, Revert:
		return false
	}
	return !route.Split.Equal(state.expected(r.policy))
}

// owners names who wrote the fields of a route last.
func owners(route traffic.Route) string {
	var names []string
	for _, field := range slices.Sorted(maps.Keys(route.Owners)) {
		if name := writer(route.Owners[field]); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return writer(nil)
	}
	return strings.Join(names, ", ")
}

func succeeded(format string, values ...any) Observation {
	return Observation{Kind: Succeeded, Message: fmt.Sprintf(format, values...)}
}

// idle is a phase that had nothing to do.
func idle(format string, values ...any) Observation {
	seen := succeeded(format, values...)
	seen.Quiet = true
	return seen
}

func waiting(format string, values ...any) Observation {
	return Observation{Kind: Waiting, Message: fmt.Sprintf(format, values...)}
}

// hampered is an error of the cluster: one that asking again may heal is
// waited for, one that it can't fails at once and says what is missing.
func hampered(err error) Observation {
	status := apierrors.APIStatus(nil)
	if errors.As(err, &status) && !cluster.Transient(err) && !apierrors.IsConflict(err) && !apierrors.IsUnauthorized(err) {
		return failed("%v", cluster.Explain(err))
	}
	return waiting("%v", err)
}

func failed(format string, values ...any) Observation {
	return Observation{Kind: Failed, Message: fmt.Sprintf(format, values...)}
}
