package rollout

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// decommission scales the idle side to zero, waits until its pods are gone,
// gives raised floors of autoscalers back, and deletes what is to be deleted.
// All of it may be done again: what is done already stays done.
func (r *Runner) decommission(ctx context.Context, state State) Observation {
	finish := *state.Finish
	workloads, _, err := r.present(ctx, finish.Idle)
	if err != nil {
		return hampered(err)
	}
	still := func(ctx context.Context) error { return errors.Join(r.checkStamp(ctx), r.mayEmpty(ctx, finish)) }
	if seen := r.empty(ctx, state.Phase, finish.Idle, workloads, still); seen.Kind != Succeeded {
		return seen
	}
	if seen := r.giveBackFloor(ctx, state); seen.Kind != Succeeded {
		return seen
	}
	if seen := r.deleteObjects(ctx, finish, still); seen.Kind != Succeeded {
		return seen
	}
	seen := succeeded("%s is decommissioned", finish.Idle)
	if changes := finish.changes(); changes != "" {
		seen.Message += ": " + changes
	}
	return seen
}

// empty scales workloads of a colour to zero, records their replicas, and waits
// until its pods are gone. still is asked right before each write.
func (r *Runner) empty(ctx context.Context, phase Phase, color string, workloads []*cluster.Workload, still func(context.Context) error) Observation {
	for _, workload := range workloads {
		if workload.Replicas == 0 {
			continue
		}
		if err := still(ctx); err != nil {
			return waiting("%v", err)
		}
		err := r.intend(ctx, "scale", workload.Ref.String(), map[string]int{"from": int(workload.Replicas), "replicas": 0}, func() error {
			return r.Client.Scale(ctx, r.Release.Metadata.Namespace, workload.Ref, 0, r.fence(),
				cluster.Annotate(cluster.AnnotationReplicas, strconv.Itoa(int(workload.Replicas))))
		})
		switch {
		case errors.Is(err, cluster.ErrFenced), err != nil && cluster.Transient(err), apierrors.IsNotFound(err):
			return waiting("%v", err)
		case err != nil:
			return failed("%v", cluster.Explain(err))
		}
		r.tell(phase, Info, "%s scaled from %d to 0", workload.Ref, workload.Replicas)
	}
	left, err := r.remaining(ctx, color)
	switch {
	case err != nil:
		return waiting("%v", err)
	case left > 0:
		return waiting("%d pods of %s are still ending", left, color)
	}
	return succeeded("%s is ended, its pods are gone", color)
}

// deleteObjects deletes what is to be deleted, in its order.
func (r *Runner) deleteObjects(ctx context.Context, finish Finish, still func(context.Context) error) Observation {
	for _, belonging := range finish.Objects {
		if belonging.Fate != Deleted {
			continue
		}
		if err := still(ctx); err != nil {
			return waiting("%v", err)
		}
		err := r.intend(ctx, "delete", belonging.Object, map[string]string{"uid": belonging.UID}, func() error {
			return r.Client.Delete(ctx, r.Release.Metadata.Namespace, belonging.deletion(), r.fence())
		})
		switch {
		case errors.Is(err, cluster.ErrFenced), err != nil && cluster.Transient(err):
			return waiting("%v", err)
		case err != nil:
			return failed("%v", cluster.Explain(err))
		}
		r.tell(Decommission, Info, "%s deleted", belonging.Object)
	}
	return succeeded("deleted")
}

// deletion is the object as it is named to the cluster.
func (b Belonging) deletion() cluster.Deletion {
	kind, name, _ := strings.Cut(b.Object, "/")
	return cluster.Deletion{Kind: kind, Name: name, UID: types.UID(b.UID)}
}

// finishOutcome says how a run ended that was to decommission the idle side.
func finishOutcome(state State) Outcome {
	finish := *state.Finish
	switch state.Phase {
	case Decommissioned:
		outcome := Outcome{Code: CodeDone, Message: fmt.Sprintf("%s; %s serves production, and the way back is a shift now", state.Reason, finish.Live), Next: "kubectl bluegreen history"}
		if !finish.Delete {
			outcome.Next = "kubectl bluegreen shift --to " + finish.Idle
		}
		return outcome
	case Blocked:
		return Outcome{Code: CodeBlocked, Message: fmt.Sprintf("%s is not decommissioned: %s", finish.Idle, state.Reason), Next: finish.next()}
	}
	return Outcome{Code: CodeHeld, Message: fmt.Sprintf("held in phase %s: %s", state.Resume, state.Reason), Next: finish.next()}
}
