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
	// Server is true when the API server admitted every write.
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
	Phase  Phase  `json:"phase"`
	Object string `json:"object"`
	// From is what the object has now, "" where To says it all.
	From string `json:"from,omitempty"`
	To   string `json:"to"`
	// Hold is how long a step is held before the next.
	Hold string `json:"hold,omitempty"`
	// If is the condition under which this is written, "" for always.
	If    string          `json:"if,omitempty"`
	Patch json.RawMessage `json:"patch,omitempty"`
}

// DeepCopyObject implements runtime.Object for the printers, which only read.
func (p *Plan) DeepCopyObject() runtime.Object {
	duplicate := *p
	return &duplicate
}

// DryRun plans a shift and writes nothing. With server, the API server is
// asked to admit every write without persisting it.
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
	_, floor, err := r.stamps(ctx, route)
	if err != nil {
		return nil, err
	}
	planning := planning{Runner: r, route: route, from: live, to: target, server: server,
		fence: cluster.Fence{Epoch: floor + 1, Holder: r.Holder}}
	if plan.Writes, err = planning.writes(ctx); err != nil {
		return nil, err
	}
	readings := measure.Observe(ctx, r.Sources, gate.Queries(r.rules, live, live))
	_, plan.Gate = gate.Evaluate(gate.State{}, r.rules, readings, readings, live, live, r.Clock.Now())
	return plan, nil
}
