package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Plan is what a shift would do, as --dry-run prints it: the exact patches, each
// planned on what the one before it leaves, and the gates with the readings of
// today. Only the resourceVersions are all of now, for the server alone knows the
// next.
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
	// today's production breaks already is not one to release by. Rules that
	// compare both sides say nothing before a shift, and are left out.
	Gate []gate.Result `json:"gate"`
	// OnFailure is what becomes of the run where a gate breaks; freeze also
	// where Irreversible, the changes of its migrations after which the old
	// version can't take over again, is not empty.
	OnFailure    string   `json:"onFailure"`
	Irreversible []string `json:"irreversible,omitempty"`
	// Undo is the plain kubectl line that undoes the switch.
	Undo string `json:"undo"`
}

// PlanWrite is one write of a plan, in order.
type PlanWrite struct {
	Phase  Phase  `json:"phase"`
	Object string `json:"object"`
	// From is what the object has before it, "" where To says it all.
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
		return nil, fmt.Errorf("plan shift: %s is split %s", route.Object, route.Shares())
	}
	if route.Preview != nil {
		return nil, fmt.Errorf("plan shift: %s leads %s", route.Object, *route.Preview)
	}
	target, err := r.target(live, request.To)
	if err != nil {
		return nil, err
	}
	plan := &Plan{
		TypeMeta: metav1.TypeMeta{APIVersion: release.APIVersion, Kind: "Plan"},
		Release:  r.Release.Metadata.Name, Namespace: r.Release.Metadata.Namespace,
		From: live, To: target, Server: server, Undo: r.Router.Undo(route, live), Writes: []PlanWrite{},
	}
	if r.Migrations != nil {
		plan.Irreversible = r.Migrations()
	}
	plan.OnFailure = r.policy.of(State{Irreversible: plan.Irreversible}).OnFailure
	if target == live {
		return plan, nil
	}
	_, read, err := r.stamps(ctx, route)
	if err != nil {
		return nil, err
	}
	planning := &planning{Runner: r, route: route, from: live, to: target, server: server,
		fence: cluster.Fence{Epoch: newestOf(read) + 1, Holder: r.Holder}}
	if plan.Writes, err = planning.writes(ctx); err != nil {
		return nil, err
	}
	rules := slices.DeleteFunc(slices.Clone(r.rules), gate.Rule.Compares) // of one side with itself
	readings := measure.Observe(ctx, r.Sources, gate.Queries(rules, live, live))
	_, plan.Gate = gate.Evaluate(gate.State{}, rules, readings, readings, live, live, r.Clock.Now())
	return plan, nil
}
