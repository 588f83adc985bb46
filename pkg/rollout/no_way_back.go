package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The old side must be able to take traffic back until its floor is given back.
// Somebody who scales it to zero, or pods that die, leave the run without a way
// back. That is told and kept with the run, and holds nothing: the target serves
// well, to stop there gives nobody a way back, and to write the replicas again
// would be a fight with whoever took them.

// glance bounds the look at the old side: what can't be seen that soon is looked
// for at the next tick.
const glance = 2 * time.Second

// needsWayBack reports whether the old side is to be able to take traffic back in a
// phase, and does not start its pods only then, as workers do.
func (r *Runner) needsWayBack(phase Phase) bool {
	switch phase {
	case Hold, Watch, Confirm, Drain, GiveBack:
		return !r.scales()
	}
	return false
}

// mindWayBack adds to what was seen whether the old side could take traffic back,
// where that has changed, and tells it. What can't be read changes nothing.
func (r *Runner) mindWayBack(ctx context.Context, state State, seen Observation) Observation {
	switch seen.Kind {
	case Succeeded, Waiting, Ticked:
	default:
		return seen
	}
	if seen.Unseen || !r.needsWayBack(state.Phase) {
		return seen
	}
	brief, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	lost, emptied, known := r.withoutWayBack(brief, state.From)
	if !known || lost == state.NoWayBack {
		return seen
	}
	r.tellWayBack(state, lost, emptied)
	return seen.learning(func(s *State) { s.NoWayBack = lost })
}

// withoutWayBack says why nothing could be given to a side, who has its replicas,
// and which of its workloads were scaled to zero; "" where it has a pod that is
// ready. It is not known where it can't be read.
func (r *Runner) withoutWayBack(ctx context.Context, color string) (lost string, emptied []release.Workload, known bool) {
	receivers, err := r.Router.Receivers(ctx, color)
	if err != nil || receivers > 0 {
		return "", nil, err == nil
	}
	var why []string
	for _, ref := range r.Release.Spec.Colors[color].Workloads {
		workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, ref)
		switch {
		case apierrors.IsNotFound(err):
			why = append(why, ref.String()+" does not exist")
		case err != nil:
			return "", nil, false
		default:
			why = append(why, unreadyBecause(ref, workload))
			if workload.Replicas == 0 {
				emptied = append(emptied, ref)
			}
		}
	}
	return fmt.Sprintf("no pod of %s is ready: %s", color, strings.Join(why, ", ")), emptied, true
}

// unreadyBecause says what a workload of a side without a ready pod wants, and
// whose wish that is. It names no count that changes by the second.
func unreadyBecause(ref release.Workload, workload *cluster.Workload) string {
	by := cluster.LastWriter(cluster.FieldOwners(workload.Object, "spec", "replicas"))
	if workload.Replicas == 0 {
		return fmt.Sprintf("%s was scaled to 0 by %s", ref, by)
	}
	return fmt.Sprintf("%s wants %d, as %s set", ref, workload.Replicas, by)
}

// tellWayBack tells that there is no way back any more, what that means and what to
// type, or that there is one again.
func (r *Runner) tellWayBack(state State, lost string, emptied []release.Workload) {
	if lost == "" {
		r.tell(state.Phase, Info, "a pod of %s is ready again: there is a way back", state.From)
		return
	}
	message := fmt.Sprintf("%s; there is no way back: a rollback would be refused until one is", lost)
	if share := state.Split(r.policy)[state.From]; share > 0 {
		message += fmt.Sprintf(", and %d%% is given to it", share)
	}
	for _, ref := range emptied {
		message += fmt.Sprintf("; give it its pods back: kubectl scale %s --namespace=%s --replicas=N", ref, r.Release.Metadata.Namespace)
	}
	r.tell(state.Phase, Warning, "%s", message)
}

// actionWayBack is what the record calls a way back that was lost or is there again.
const actionWayBack = "way back"

// noteWayBack is what the record keeps of that.
func noteWayBack(state State, at time.Time) journal.Entry {
	message := state.NoWayBack
	if message == "" {
		message = fmt.Sprintf("a pod of %s is ready again", state.From)
	}
	return journal.Entry{Time: at, Kind: journal.Note, Action: actionWayBack, Message: message}
}
