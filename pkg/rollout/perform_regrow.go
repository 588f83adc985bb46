package rollout

import (
	"context"
	"maps"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// taken are the replicas, by workload, that a finish has taken from its side or
// was about to.
func (f *Finish) taken() map[string]int32 {
	if f == nil {
		return nil
	}
	found := map[string]int32{}
	for _, belonging := range f.Objects {
		if belonging.Replicas > 0 {
			found[belonging.Object] = belonging.Replicas
		}
	}
	return found
}

// remember keeps what an earlier attempt at the same finish has taken, which
// shows at the objects no more.
func (f *Finish) remember(earlier *Finish) {
	taken := earlier.taken()
	for index := range f.Objects {
		belonging := &f.Objects[index]
		replicas, found := taken[belonging.Object]
		if !found || belonging.Replicas > 0 {
			continue
		}
		if belonging.Replicas = replicas; belonging.Fate == Stays {
			belonging.Fate, belonging.Why = ScaledToZero, ""
		}
	}
}

// regrow gives the workloads of the side that is gone back to the replicas that
// a finish has taken from them. What somebody has scaled since is left alone.
func (r *Runner) regrow(ctx context.Context, state State) error {
	for _, object := range slices.Sorted(maps.Keys(state.Taken)) {
		workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, workloadOf(journal.Entry{Object: object}))
		if err != nil {
			return err
		}
		if workload.Replicas > 0 {
			continue
		}
		replicas := state.Taken[object]
		err = r.intend(ctx, "scale", object, map[string]int32{"replicas": replicas}, func() error {
			return r.Client.Scale(ctx, r.Release.Metadata.Namespace, workload.Ref, replicas, r.fence())
		})
		if err != nil {
			return err
		}
		r.tell(state.Phase, Info, "%s scaled from 0 to %d", object, replicas)
	}
	return nil
}

// regrowEarly does that before anything else is waited for on the way back.
func (r *Runner) regrowEarly(ctx context.Context, state State) {
	if err := r.regrow(ctx, state); err != nil {
		r.tell(state.Phase, Warning, "%s does not have all its replicas back yet: %v", state.From, cluster.Explain(err))
	}
}
