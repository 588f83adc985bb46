package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// planning finds out what a shift would write. It writes nothing.
type planning struct {
	*Runner
	// route is as it is now, planned as the writes that are planned so far leave it.
	route, planned traffic.Route
	from, to       string
	fence          cluster.Fence
	// server has the API server check every write.
	server bool
}

// writes lists the writes of a shift in their order.
func (p *planning) writes(ctx context.Context) ([]PlanWrite, error) {
	var writes []PlanWrite
	for _, part := range []func(context.Context) ([]PlanWrite, error){p.fencing, p.applying, p.scaling, p.trying, p.holding, p.switching} {
		found, err := part(ctx)
		if err != nil {
			return nil, err
		}
		writes = append(writes, found...)
	}
	return writes, nil
}

// fencing puts the run's stamp on the route and on every workload that exists.
func (p *planning) fencing(ctx context.Context) ([]PlanWrite, error) {
	stamped := fmt.Sprintf("stamped with epoch %d", p.fence.Epoch)
	patch, err := p.Router.Plan(p.route, p.route.Split, p.fence)
	if err != nil {
		return nil, err
	}
	if err := p.tryRoute(ctx, patch); err != nil {
		return nil, err
	}
	if p.planned, err = p.Router.After(p.route, patch); err != nil {
		return nil, err
	}
	var writes []PlanWrite
	for _, one := range patch.Each() {
		writes = append(writes, PlanWrite{Phase: Preflight, Object: one.Object, To: stamped, Patch: one.Body})
	}
	for _, color := range p.Release.Spec.ColorNames() {
		workloads, err := p.deployed(ctx, color)
		if err != nil {
			return nil, err
		}
		for _, workload := range workloads {
			if slices.Contains(p.route.Objects(), workload.Ref.String()) {
				continue
			}
			write, err := p.workload(ctx, Preflight, workload, stamped)
			if err != nil {
				return nil, err
			}
			writes = append(writes, write)
		}
	}
	return writes, nil
}

// applying sends the objects of the manifests. Without the server it is not
// known what becomes of each.
func (p *planning) applying(ctx context.Context) ([]PlanWrite, error) {
	objects, err := p.manifests(p.to, p.route)
	if err == nil {
		objects, err = p.keptDown(ctx, p.to, objects)
	}
	if err != nil {
		return nil, err
	}
	var writes []PlanWrite
	if !p.server {
		for _, object := range objects {
			writes = append(writes, PlanWrite{Phase: Apply, Object: objectName(object), To: "applied server-side"})
		}
		return writes, nil
	}
	applied, err := p.Client.Apply(ctx, p.Release.Metadata.Namespace, objects, cluster.ApplyOptions{Fence: p.fence, DryRun: true})
	for _, result := range applied {
		writes = append(writes, PlanWrite{Phase: Apply, Object: objectName(result.Object), To: result.Operation})
	}
	return writes, err
}

// scaling gives a target that stands at zero its replicas back, where its
// manifests don't.
func (p *planning) scaling(ctx context.Context) ([]PlanWrite, error) {
	if p.scales() {
		return nil, nil // the switch does
	}
	objects, err := p.manifests(p.to, p.route)
	if err != nil {
		return nil, err
	}
	targets, err := p.deployed(ctx, p.to)
	if err != nil {
		return nil, err
	}
	_, live, err := p.readiness(ctx, p.from)
	if err != nil {
		return nil, err
	}
	var writes []PlanWrite
	for _, target := range restorations(targets, live) {
		if setsReplicas(objects, target.workload.Ref) {
			continue
		}
		change := fmt.Sprintf("%d replicas", target.replicas)
		write, err := p.workload(ctx, Apply, target.workload, change, cluster.Replicas(target.replicas))
		if err != nil {
			return nil, err
		}
		write.From = "0"
		writes = append(writes, write)
	}
	return writes, nil
}

// setsReplicas reports whether manifests say how many replicas a workload has.
func setsReplicas(objects []*unstructured.Unstructured, ref release.Workload) bool {
	return slices.ContainsFunc(objects, func(object *unstructured.Unstructured) bool {
		_, found, _ := unstructured.NestedFieldNoCopy(object.Object, "spec", "replicas")
		return found && objectName(object) == ref.String()
	})
}

// trying makes the spare pod that shows how the old side's pods end, and what
// that may lead to.
func (p *planning) trying(ctx context.Context) ([]PlanWrite, error) {
	drain := p.Release.Spec.Traffic.Drain
	if drain == release.DrainNone || p.scales() {
		return nil, nil
	}
	workloads, err := p.deployed(ctx, p.from)
	if err != nil || len(workloads) == 0 {
		return nil, err
	}
	return []PlanWrite{{Phase: Synthetic, Object: "pod/" + workloads[0].Ref.Name + "-spare-…",
		To: "created and deleted: one spare pod, without traffic, shows how pods of " + p.from + " end"}}, nil
}

// holding keeps the old side's autoscalers from taking it down. Who may not
// list them shifts without that.
func (p *planning) holding(ctx context.Context) ([]PlanWrite, error) {
	if p.scales() {
		return nil, nil
	}
	workloads, err := p.deployed(ctx, p.from)
	if err != nil {
		return nil, err
	}
	var writes []PlanWrite
	for _, workload := range workloads {
		autoscalers, err := p.Client.Autoscalers(ctx, p.Release.Metadata.Namespace, workload.Ref)
		if err != nil {
			return writes, nil //nolint:nilerr // check says which right is missing
		}
		for _, autoscaler := range autoscalers {
			if change := cluster.RaisedFloor(autoscaler, workload.Replicas); change != nil {
				writes = append(writes, PlanWrite{Phase: HoldFloor, Object: "horizontalpodautoscaler/" + autoscaler.Name,
					From: fmt.Sprintf("at least %d", change.From), To: fmt.Sprintf("at least %d, given back after the watch", change.To)})
			}
		}
	}
	return writes, nil
}

// switching moves the route, and after it comes what may be done about requests that
// stay on the old side.
func (p *planning) switching(ctx context.Context) ([]PlanWrite, error) {
	var writes []PlanWrite
	state := State{Phase: Switch, From: p.from, To: p.to}
	for index, step := range p.policy.Steps {
		state.Step = index
		patches, err := p.moves(ctx, state)
		if err != nil {
			return nil, err
		}
		for _, one := range patches {
			writes = append(writes, switchWrite(one, step))
		}
	}
	condition := map[release.Drain]string{
		release.DrainAuto:    "requests remain on " + p.from + " and its spare pod ended gracefully",
		release.DrainRecycle: "requests remain on " + p.from,
	}[p.Release.Spec.Traffic.Drain]
	if condition != "" && !p.scales() {
		writes = append(writes, PlanWrite{Phase: Drain, Object: "pods of " + p.from, To: "evicted one at a time", If: condition})
	}
	return writes, nil
}

// moves are the writes of a state's step, planned on the route as the step before
// leaves it. The server can't be asked about these, for it has no such route yet: it
// is asked about what would bring the route to the same from where it is now.
func (p *planning) moves(ctx context.Context, state State) ([]traffic.Patch, error) {
	split, preview := state.Split(p.policy), state.preview(p.policy)
	now, err := p.Router.Plan(p.route.Previewing(preview), split, p.fence)
	if err != nil {
		return nil, err
	}
	if err := p.tryRoute(ctx, now); err != nil {
		return nil, err
	}
	patches, left, err := traffic.Moves(p.Router, p.planned.Previewing(preview), split, p.fence)
	p.planned = left
	return patches, err
}

// switchWrite is one write of a switch. Of workers it is told from how many and to
// how many replicas a side is scaled.
func switchWrite(one traffic.Patch, step release.Step) PlanWrite {
	write := PlanWrite{Phase: Switch, Object: one.Object, From: one.Found(), To: one.Told(), Hold: step.Hold.String(), Patch: one.Body}
	if one.Will != "" {
		write.From, write.To = one.Was, one.Will
	}
	return write
}

// deployed are the workloads of a colour that exist.
func (p *planning) deployed(ctx context.Context, color string) ([]*cluster.Workload, error) {
	var found []*cluster.Workload
	for _, reference := range p.Release.Spec.Colors[color].Workloads {
		workload, err := p.Client.Workload(ctx, p.Release.Metadata.Namespace, reference)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, workload)
	}
	return found, nil
}

// workload is one fenced write to a workload, tried where the server is asked.
func (p *planning) workload(ctx context.Context, phase Phase, workload *cluster.Workload, change string, operations ...cluster.Operation) (PlanWrite, error) {
	patch, err := cluster.FencedPatch(workload.Object, p.fence, operations...)
	if err != nil {
		return PlanWrite{}, err
	}
	if p.server {
		err := p.Client.PatchWorkload(ctx, p.Release.Metadata.Namespace, workload.Ref, patch, true)
		// Its controller wrote its status since it was read: nothing is wrong
		// with the patch.
		if err != nil && !errors.Is(err, cluster.ErrFenced) {
			return PlanWrite{}, fmt.Errorf("dry-run %s: %w", workload.Ref, err)
		}
	}
	return PlanWrite{Phase: phase, Object: workload.Ref.String(), To: change, Patch: patch}, nil
}

// tryRoute asks the server to admit a write to the route.
func (p *planning) tryRoute(ctx context.Context, patch traffic.Patch) error {
	if !p.server {
		return nil
	}
	if _, err := p.Router.Write(ctx, patch, true); err != nil {
		return fmt.Errorf("dry-run %s to %s: %w", patch.Object, patch.To, err)
	}
	return nil
}
