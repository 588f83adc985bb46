package rollout

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Plan is what a shift would do, as --dry-run prints it: the exact patches
// and the gates with the readings of today.
type Plan struct {
	metav1.TypeMeta `json:",inline"`
	Release         string `json:"release"`
	Namespace       string `json:"namespace"`
	From            string `json:"from"`
	To              string `json:"to"`
	// Server is true when the API server admitted every patch.
	Server bool        `json:"server"`
	Writes []PlanWrite `json:"writes"`
	// Gate is what every rule says of the old side now: a threshold that
	// today's production breaks already is not one to release by.
	Gate []gate.Result `json:"gate"`
	// Undo is the plain kubectl line that undoes the switch.
	Undo string `json:"undo"`
}

// PlanWrite is one write of a plan, in order.
type PlanWrite struct {
	Phase  Phase           `json:"phase"`
	Object string          `json:"object"`
	From   string          `json:"from,omitempty"`
	To     string          `json:"to"`
	Hold   string          `json:"hold,omitempty"`
	Patch  json.RawMessage `json:"patch,omitempty"`
}

// DeepCopyObject implements runtime.Object for the printers, which only read.
func (p *Plan) DeepCopyObject() runtime.Object {
	duplicate := *p
	return &duplicate
}

// DryRun plans a shift and writes nothing. With server, the API server is
// asked to admit every patch without persisting it.
func (r *Runner) DryRun(ctx context.Context, request ShiftRequest, server bool) (*Plan, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	route, err := r.Router.Read(ctx)
	if err != nil {
		return nil, err
	}
	live := route.Split.Sole()
	if live == "" {
		return nil, fmt.Errorf("plan shift: %s is split %s", route.Object, route.Split)
	}
	target, err := r.target(live, request.To)
	if err != nil {
		return nil, err
	}
	plan := &Plan{
		TypeMeta: metav1.TypeMeta{APIVersion: release.APIVersion, Kind: "Plan"},
		Release:  r.Release.Metadata.Name, Namespace: r.Release.Metadata.Namespace,
		From: live, To: target, Server: server, Undo: r.Router.Undo(live), Writes: []PlanWrite{},
	}
	if target == live {
		return plan, nil
	}
	for _, manifest := range r.Release.Spec.Colors[target].Manifests {
		plan.Writes = append(plan.Writes, PlanWrite{Phase: Apply, Object: manifest, To: "applied server-side"})
	}
	fence := cluster.Fence{Epoch: route.Fence.Epoch + 1, Holder: r.Holder}
	state := State{Phase: Switch, From: live, To: target}
	for index, step := range r.policy.Steps {
		state.Step = index
		patch, err := r.Router.Plan(route, state.Split(r.policy), fence)
		if err != nil {
			return nil, err
		}
		if server {
			if _, err := r.Router.Write(ctx, patch, true); err != nil {
				return nil, fmt.Errorf("dry-run %s to %s: %w", patch.Object, patch.To, err)
			}
		}
		plan.Writes = append(plan.Writes, PlanWrite{Phase: Switch, Object: patch.Object,
			From: patch.From.String(), To: patch.To.String(), Hold: step.Hold.String(), Patch: patch.Body})
	}
	readings := measure.Observe(ctx, r.Sources, gate.Queries(r.rules, live, live))
	_, plan.Gate = gate.Evaluate(gate.State{}, r.rules, readings, readings, live, live, r.Clock.Now())
	return plan, nil
}
