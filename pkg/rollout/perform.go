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

		Quiet:        told(r.quiet),
		Decommission: told(r.decommission),
	}
	if seen, is := r.beforeWorkers(state); is {
		return seen
	}
	performance, known := performances[state.Phase]
	if !known {
		return failed("phase %q is not known to this version", state.Phase)
	}
	return performance(ctx, state)
}

// told performs what needs to know which side is decommissioned, where the record
// says so.
func told(perform func(context.Context, State) Observation) func(context.Context, State) Observation {
	return func(ctx context.Context, state State) Observation {
		if state.Finish == nil {
			return failed("the record does not say which side is decommissioned")
		}
		return perform(ctx, state)
	}
}

// guard looks at the route before every performance: an emergency stop, a
// newer holder or a foreign edit is seen within one tick. An API server that
// does not answer is a reason to wait, not to act.
func (r *Runner) guard(ctx context.Context, state State) (traffic.Route, Observation) {
	route, err := r.Router.Read(ctx)
	seen := r.judge(state, route, err)
	// Workers of which one side was deleted take no jobs, and the deletion says more.
	if seen.Kind == Succeeded || r.scales() && errors.Is(err, traffic.ErrNoColor) {
		if rival, found := r.rival(ctx, state); found {
			seen = rival
		}
	}
	if seen.Kind == Rival {
		seen.Message += r.whose(ctx, route)
	}
	return route, seen
}

// judge is the guard's verdict on a route that was read, or was not.
func (r *Runner) judge(state State, route traffic.Route, err error) Observation {
	if state.Phase.Reverse() && giveable(route, err) {
		if seen := hinders(state, route, r.takenOver); seen.Kind != "" {
			return seen
		}
	}
	switch {
	case err != nil && state.Phase.Reverse() && (state.Phase != End || len(route.Gone) > 0):
		return Observation{Kind: Succeeded} // the way back tells its own errors, and goes on with what is left of a set
	case errors.Is(err, traffic.ErrNoColor), apierrors.IsNotFound(err):
		return Observation{Kind: Rival, Message: err.Error()}
	case err != nil:
		return unseen("read %s: %v", r.Release.Metadata.Name, err)
	}
	if seen := hinders(state, route, r.takenOver, r.toldToStop, r.replaced, r.edited); seen.Kind != "" {
		return seen
	}
	return Observation{Kind: Succeeded}
}

// hinders is what the first of some rules says of any route of a set, the
// weightiest rule first; empty where none says anything.
func hinders(state State, route traffic.Route, rules ...func(State, traffic.Route) Observation) Observation {
	for _, rule := range rules {
		for _, one := range route.Each() {
			if seen := rule(state, one); seen.Kind != "" {
				return seen
			}
		}
	}
	return Observation{}
}

// takenOver, toldToStop, replaced and edited are what the guard does not let
// pass, the weightiest first. Of a set each route is looked at.

func (r *Runner) takenOver(_ State, route traffic.Route) Observation {
	if route.Fence.Epoch <= r.fence().Epoch {
		return Observation{}
	}
	return Observation{Kind: Rival, Message: fmt.Sprintf("%s was taken over by %s at epoch %d", route.Object, route.Fence.Holder, route.Fence.Epoch)}
}

func (r *Runner) toldToStop(state State, route traffic.Route) Observation {
	stop := r.stopFor(route)
	if stop == "" || state.Phase.Reverse() {
		return Observation{}
	}
	if !state.Moved && r.edited(state, route).Kind != "" {
		return Observation{} // to end a run that moved nothing gives nothing back
	}
	return Observation{Kind: Stopped, Message: stop}
}

func (r *Runner) replaced(state State, route traffic.Route) Observation {
	if route.Fence == r.fence() || state.Phase.Reverse() {
		return Observation{}
	}
	return Observation{Kind: Rival, Message: fmt.Sprintf("%s was replaced by %s: it does not carry this run's stamp any more", route.Object, owners(route))}
}

// edited is that somebody else changed the split or a preview in a phase in which this run
// does not write it.
func (r *Runner) edited(state State, route traffic.Route) Observation {
	if writes(state.Phase) || state.asExpected(r.policy, route) {
		return Observation{}
	}
	return Observation{Kind: Rival, Message: fmt.Sprintf("%s was changed to %s by %s while this run had given it %s",
		route.Object, route.Shares(), owners(route), traffic.Shares(state.expected(r.policy), state.expectedPreview(r.policy)))}
}

// owners names who wrote the fields of a route last.
func owners(route traffic.Route) string {
	var names []string
	for _, field := range slices.Sorted(maps.Keys(route.Owners)) {
		if name := cluster.LastWriter(route.Owners[field]); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return cluster.LastWriter(nil)
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

// unseen is a wait in which nothing was learned of the release: the cluster
// could not be asked, or took no write.
func unseen(format string, values ...any) Observation {
	seen := waiting(format, values...)
	seen.Unseen = true
	return seen
}

// hampered is an error of the cluster: one that asking again may heal is
// waited for, one that it can't fails at once and says what is missing.
func hampered(err error) Observation {
	status := apierrors.APIStatus(nil)
	if errors.As(err, &status) && !cluster.Transient(err) && !apierrors.IsConflict(err) && !apierrors.IsUnauthorized(err) {
		return failed("%v", cluster.Explain(err))
	}
	return unseen("%v", err)
}

func failed(format string, values ...any) Observation {
	return Observation{Kind: Failed, Message: fmt.Sprintf(format, values...)}
}
