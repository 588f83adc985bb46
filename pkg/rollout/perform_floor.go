package rollout

import (
	"context"
	"errors"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// holdFloor keeps the old side's autoscalers from taking it below what it runs
// with now: without traffic it would shrink while the target is still watched,
// and a rollback would land on fewer pods than carried the load before.
func (r *Runner) holdFloor(ctx context.Context, state State) Observation {
	workloads, err := r.workloads(ctx, state.From)
	if err != nil {
		return r.withoutFloor(state, "the floor of "+state.From+" is not held", err)
	}
	raised := 0
	for _, workload := range workloads {
		autoscalers, err := r.Client.Autoscalers(ctx, r.Release.Metadata.Namespace, workload.Ref)
		if err != nil {
			return r.withoutFloor(state, "the floor of "+workload.Ref.String()+" is not held", err)
		}
		for _, autoscaler := range autoscalers {
			change := cluster.RaisedFloor(autoscaler, workload.Replicas)
			if change == nil {
				continue
			}
			if err := r.changeFloor(ctx, "floor", autoscaler, *change); err != nil {
				return r.withoutFloor(state, "the floor of "+workload.Ref.String()+" is not held", err)
			}
			r.tell(HoldFloor, Info, "horizontalpodautoscaler/%s may not go below %d until the watch is over (%d before)", autoscaler.Name, change.To, change.From)
			raised++
		}
	}
	if raised == 0 {
		return idle("no autoscaler may take %s lower than it is", state.From)
	}
	return succeeded("the floor of %d autoscalers of %s is held", raised, state.From)
}

// giveBackFloor puts back every floor that this release has raised, on both
// sides: one that was left by a run which was cut off too. One that somebody
// set since is theirs.
func (r *Runner) giveBackFloor(ctx context.Context, state State) Observation {
	returned, left := 0, 0
	for _, color := range []string{state.From, state.To} {
		for _, ref := range r.Release.Spec.Colors[color].Workloads {
			autoscalers, err := r.Client.Autoscalers(ctx, r.Release.Metadata.Namespace, ref)
			if err != nil {
				return r.withoutFloor(state, "whether a floor was raised can't be seen", err)
			}
			for _, autoscaler := range autoscalers {
				change, err := cluster.RecordedFloor(autoscaler)
				if err == nil && change != nil {
					err = r.changeFloor(ctx, "give-back", autoscaler, *change)
				}
				if err != nil {
					return r.withoutFloor(state, "the floor of horizontalpodautoscaler/"+autoscaler.Name+" is not given back", err)
				}
				switch {
				case change == nil:
				case change.SetBy != "":
					r.tell(state.Phase, Info, "horizontalpodautoscaler/%s keeps the minReplicas of %d that %s set since its floor was raised", autoscaler.Name, change.To, change.SetBy)
					left++
				default:
					returned++
				}
			}
		}
	}
	switch {
	case left > 0:
		return succeeded("%d floors of autoscalers given back, %d left as somebody set them since", returned, left)
	case returned > 0:
		return succeeded("%d floors of autoscalers given back", returned)
	default:
		return idle("no floor of an autoscaler was raised")
	}
}

// autoscalerObject begins what the record calls an autoscaler.
const autoscalerObject = "horizontalpodautoscaler/"

// changeFloor is one fenced and journalled change of an autoscaler.
func (r *Runner) changeFloor(ctx context.Context, action string, autoscaler autoscalingv2.HorizontalPodAutoscaler, change cluster.FloorChange) error {
	return r.intend(ctx, action, autoscalerObject+autoscaler.Name, change, func() error {
		return r.Client.ChangeFloor(ctx, autoscaler, change, r.fence())
	})
}

// withoutFloor waits for what may pass, such as an autoscaler that its
// controller wrote to in between, for half of the phase's time, and goes on,
// telling it, past what won't: a floor is a courtesy to the way back and keeps
// nobody from going on.
func (r *Runner) withoutFloor(state State, what string, err error) Observation {
	limit := ruleOf(state.Phase).Deadline(r.policy) / 2
	if (errors.Is(err, cluster.ErrFenced) || cluster.Transient(err)) && r.Clock.Since(state.Entered) < limit {
		return waiting("%v", err)
	}
	r.tell(state.Phase, Warning, "%s: %v", what, cluster.Explain(err))
	return succeeded("%s: %v", what, cluster.Explain(err))
}
