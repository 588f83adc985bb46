package rollout

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// templates are, by workload, what the pods of both colours are made from: what
// was validated, and what a rollback would go back to. A workload that another
// process rolls, deletes or replaces in mid-shift is seen by them. One that
// does not exist is not among them.
func (r *Runner) templates(ctx context.Context) (map[string]string, error) {
	found := map[string]string{}
	for _, color := range r.Release.Spec.ColorNames() {
		workloads, _, err := r.present(ctx, color)
		if err != nil {
			return nil, err
		}
		for _, workload := range workloads {
			found[workload.Ref.String()] = workload.TemplateHash()
		}
	}
	return found, nil
}

// accept takes the workloads as they are for what is watched from here on: a
// person who resumes a held run was told what had changed. Where they can't be
// read, nothing is accepted.
func (r *Runner) accept(ctx context.Context, state State) State {
	if state.Templates == nil {
		return state
	}
	found, err := r.templates(ctx)
	if err != nil {
		r.tell(state.Phase, Warning, "the workloads can't be read, so what was changed on them still holds the run: %v", cluster.Explain(err))
		return state
	}
	for ref, before := range state.Templates {
		if found[ref] != before {
			r.tell(state.Phase, Warning, "%s is not what it was before the switch; going on with it as it is", ref)
		}
	}
	state.Templates = found
	return state
}

// rival looks for somebody else at work on the workloads while this run watches
// them. What can't be read is no rival.
func (r *Runner) rival(ctx context.Context, state State) (seen Observation, found bool) {
	switch state.Phase {
	case Switch, Prove, Hold, Watch, Confirm:
	default:
		return Observation{}, false
	}
	for _, color := range []string{state.To, state.From} {
		for _, ref := range r.Release.Spec.Colors[color].Workloads {
			before, known := state.Templates[ref.String()]
			if !known {
				continue
			}
			if seen, found := r.changed(ctx, state, color, ref, before); found {
				return seen, true
			}
		}
	}
	return Observation{}, false
}

// changed compares one workload with what it was before the switch.
func (r *Runner) changed(ctx context.Context, state State, color string, ref release.Workload, before string) (Observation, bool) {
	workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, ref)
	switch {
	case apierrors.IsNotFound(err) && color == state.To:
		return failed("%s was deleted while it was given traffic", ref), true
	case apierrors.IsNotFound(err):
		return Observation{Kind: Rival, Message: fmt.Sprintf("%s was deleted: there is no way back to %s any more", ref, color)}, true
	case err != nil:
		return Observation{}, false
	}
	if workload.TemplateHash() == before {
		return Observation{}, false
	}
	by := cluster.LastWriter(cluster.FieldOwners(workload.Object, "spec", "template"))
	if color == state.To {
		seen := failed("%s was rolled by %s while it was being watched: what serves now was not validated", ref, by)
		if r.Release.Spec.Gates.OnRival != release.PolicyRollback {
			seen.Kind = Rival
		}
		return seen, true
	}
	return Observation{Kind: Rival, Message: fmt.Sprintf("%s was rolled by %s: the way back would lead to what never served", ref, by)}, true
}
