package preflight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// triedStep is one step of a switch, as it is tried.
type triedStep struct {
	// name begins what is said of it, "" of a switch in one step.
	name    string
	to      traffic.Split
	preview *traffic.Preview
}

// steps are those to the target. A rollback gives it everything at once.
func steps(facts *Facts) []triedStep {
	target, other, declared := facts.Target, facts.Release.Spec.Other(facts.Target), facts.Release.Spec.Traffic.Steps
	if facts.Stage == StageRollback || facts.Route.Value.Live == target || len(declared) < 2 {
		return []triedStep{{to: traffic.Whole(target)}}
	}
	var found []triedStep
	for i, step := range declared {
		found = append(found, namedStep(step, target, other, fmt.Sprintf("step %d of %d", i+1, len(declared))))
	}
	return found
}

func namedStep(step release.Step, target, other, which string) triedStep {
	to, preview := traffic.StepOf(step, target, other)
	if preview != nil {
		return triedStep{name: which + ", the preview: ", to: to, preview: preview}
	}
	return triedStep{name: fmt.Sprintf("%s, weight %d: ", which, step.Weight), to: to}
}

// dryRuns bounds how often a step is tried that somebody else's write came
// before: the controller of a Deployment writes its status at any time.
const dryRuns = 4

// trial tries steps on the route as it was read last: the server has no other. planned
// is the route as the steps so far leave it, on which the shift plans the next one.
type trial struct {
	router         traffic.Router
	route, planned traffic.Route
	// tried are the operations that the server was asked about, written those of the
	// shift.
	tried, written []stepOperation
}

// stepOperation is one operation of a patch.
type stepOperation struct{ step, object, does string }

var listPlace = regexp.MustCompile(`/[0-9]+(/|$)`)

// anywhere is what it does at whatever place of a list: what a step puts before
// another moves that.
func (o stepOperation) anywhere() string { return listPlace.ReplaceAllString(o.does, "/*$1") }

// step tries one and returns its patch. Where somebody else's write came before, the
// route is read and the step tried again.
func (t *trial) step(ctx context.Context, step triedStep) (string, error) {
	for tries := 1; ; tries++ {
		body, err := t.once(ctx, step)
		if !errors.Is(err, cluster.ErrFenced) || tries == dryRuns {
			return body, err
		}
		if t.route, err = t.router.Read(ctx); err != nil {
			return "", err
		}
	}
}

func (t *trial) once(ctx context.Context, step triedStep) (string, error) {
	patch, err := t.router.Plan(t.route.Previewing(step.preview), step.to, fenceAfter(t.route))
	if err != nil {
		return "", err
	}
	if _, err := t.router.Write(ctx, patch, true); err != nil {
		return "", err
	}
	t.tried = append(t.tried, operationsOf(step, patch)...)
	return string(patch.Body), nil
}

// fenceAfter is the stamp of a writer that comes after everybody.
func fenceAfter(route traffic.Route) cluster.Fence {
	return cluster.Fence{Epoch: route.Newest().Epoch + 1, Holder: "preflight"}
}

// follow plans a step as the shift will, on the route that the step before it leaves.
func (t *trial) follow(step triedStep) error {
	patches, left, err := traffic.Moves(t.router, t.planned.Previewing(step.preview), step.to, fenceAfter(t.planned))
	if err != nil {
		return err
	}
	for _, patch := range patches {
		t.written = append(t.written, operationsOf(step, patch)...)
	}
	t.planned = left
	return nil
}

// untried are the operations of the shift about which the server can't be asked yet:
// they are on what an earlier step makes, as the removal of a preview is.
func (t *trial) untried() []string {
	var found []string
	for _, written := range t.written {
		asked := func(tried stepOperation) bool {
			return tried.object == written.object && tried.anywhere() == written.anywhere()
		}
		if said := written.step + written.does; !slices.ContainsFunc(t.tried, asked) && !slices.Contains(found, said) {
			found = append(found, said)
		}
	}
	return found
}

// operationsOf are what a patch does to the objects, without its stamps and what it
// only looks at.
func operationsOf(step triedStep, patch traffic.Patch) []stepOperation {
	var found []stepOperation
	for _, one := range patch.Each() {
		var operations []cluster.Operation
		if json.Unmarshal(one.Body, &operations) != nil { // no patch of operations
			continue
		}
		for _, operation := range operations {
			if operation.Op != "test" && !strings.HasPrefix(operation.Path, "/metadata/") {
				found = append(found, stepOperation{step.name, one.Object, operation.Op + " " + operation.Path})
			}
		}
	}
	return found
}
