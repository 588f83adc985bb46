package preflight

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/sticky"
)

// collectRoute comes before the others: the target may follow from it.
func collectRoute(ctx context.Context, in Inputs, facts *Facts) {
	ctx, cancel := context.WithTimeout(ctx, collectDeadline)
	defer cancel()
	route, err := readRoute(ctx, in)
	facts.Route, facts.Unreachable = factOf(route, err), unreachable(err)
}

func readRoute(ctx context.Context, in Inputs) (Route, error) {
	router, err := traffic.NewRouter(in.Client, in.Release, in.Clock)
	if err != nil {
		return Route{}, err
	}
	var route Route
	if declared := in.Release.Spec.Traffic.Service; declared != nil {
		if route.Service, err = readService(ctx, in, declared.Name); err != nil {
			return Route{}, err
		}
	}
	for _, also := range in.Release.Spec.Traffic.Also {
		if also.Service == nil {
			continue
		}
		service, err := readService(ctx, in, also.Service.Name)
		if err != nil {
			return Route{}, err
		}
		route.Also = append(route.Also, service)
	}
	// Now and not by the check: in facts that are kept, the values of annotations
	// are hidden.
	route.Sticky = map[string][]string{}
	for _, service := range route.services() {
		route.Sticky[service.Name] = sticky.Service(service.Annotations)
	}
	route.State, err = router.Read(ctx)
	if errors.Is(err, traffic.ErrNoColor) {
		route.Ambiguous = err.Error()
	} else if err != nil {
		return Route{}, err
	}
	if route.State.Mixed() {
		route.Ambiguous = "its routes differ: " + route.State.Shares()
	}
	route.Live = route.State.Split.Sole()
	if route.Live != "" {
		proof, err := router.Prove(ctx, traffic.Whole(route.Live))
		route.Proof = factOf(proof, err)
	}
	return route, nil
}

// services are all production Services.
func (r Route) services() []*corev1.Service {
	if r.Service == nil {
		return r.Also
	}
	return append([]*corev1.Service{r.Service}, r.Also...)
}

// eachService judges every production Service by itself.
func eachService(facts *Facts, judge func(subject string, service *corev1.Service) Finding) []Finding {
	var findings []Finding
	for _, service := range facts.Route.Value.services() {
		subject := "service/" + service.Name
		if len(facts.Release.Spec.Traffic.Also) == 0 {
			subject = routeName(facts)
		}
		findings = append(findings, judge(subject, service))
	}
	return findings
}

// selector is that of the production Service, nil where there is none.
func (r Route) selector() map[string]string {
	if r.Service == nil {
		return nil
	}
	return r.Service.Spec.Selector
}

// dryRun sends every step of the switch with dryRun=All: admission answers, nothing
// is kept. What a policy or the kind itself says of weights bites only where both
// colours have a part. The stamp is that of a writer that comes after everybody, and
// the patch that of the last step. refused tells a no from an answer that did not
// come.
func dryRun(ctx context.Context, in Inputs, facts *Facts) (patch Fact[string], refused bool) {
	if !facts.Route.Known {
		return Fact[string]{Problem: facts.Route.Problem, Remedy: facts.Route.Remedy}, false
	}
	if facts.Route.Value.Ambiguous != "" {
		return Fact[string]{Problem: facts.Route.Value.Ambiguous}, false
	}
	router, err := traffic.NewRouter(in.Client, in.Release, in.Clock)
	if err != nil {
		return notKnown[string](err), false
	}
	trial := trial{router: router, route: facts.Route.Value.State}
	for _, step := range tried(facts) {
		body, err := trial.step(ctx, step)
		if err != nil {
			patch = notKnown[string](err)
			patch.Problem = step.name + patch.Problem
			return patch, isRefusal(err)
		}
		patch = known(body)
	}
	return patch, false
}

// triedStep is one step of a switch, as it is tried.
type triedStep struct {
	// name begins what is said of it, "" of a switch in one step.
	name    string
	to      traffic.Split
	preview *traffic.Preview
}

// tried are the steps to the target. A rollback gives it everything at once.
func tried(facts *Facts) []triedStep {
	target, other, steps := facts.Target, facts.Release.Spec.Other(facts.Target), facts.Release.Spec.Traffic.Steps
	if facts.Stage == StageRollback || facts.Route.Value.Live == target || len(steps) < 2 {
		return []triedStep{{to: traffic.Whole(target)}}
	}
	var found []triedStep
	for i, step := range steps {
		one := triedStep{to: traffic.Between(target, other, step.Weight)}
		one.name = fmt.Sprintf("step %d of %d, weight %d: ", i+1, len(steps), step.Weight)
		if step.Match != nil {
			one.preview = &traffic.Preview{Color: target, Match: *step.Match}
			one.name = fmt.Sprintf("step %d of %d, the preview: ", i+1, len(steps))
		}
		found = append(found, one)
	}
	return found
}

// dryRuns bounds how often a step is tried that somebody else's write came
// before: the controller of a Deployment writes its status at any time.
const dryRuns = 4

// trial tries steps on the route as it was read last.
type trial struct {
	router traffic.Router
	route  traffic.Route
}

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
	fence := cluster.Fence{Epoch: t.route.Newest().Epoch + 1, Holder: "preflight"}
	patch, err := t.router.Plan(t.route.Previewing(step.preview), step.to, fence)
	if err != nil {
		return "", err
	}
	if _, err := t.router.Write(ctx, patch, true); err != nil {
		return "", err
	}
	return string(patch.Body), nil
}

// isRefusal reports whether the server looked at a write and said no. A server
// that did not answer, did not know us, or saw that somebody else wrote in
// between has not judged it.
func isRefusal(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && !cluster.Transient(err) && !errors.Is(err, cluster.ErrFenced) &&
		!apierrors.IsUnauthorized(err) && !apierrors.IsNotFound(err)
}
