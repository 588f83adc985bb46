package preflight

import (
	"context"
	"errors"

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
	trial := trial{router: router, route: facts.Route.Value.State, planned: facts.Route.Value.State}
	for _, step := range steps(facts) {
		body, err := trial.step(ctx, step)
		if err == nil {
			err = trial.follow(step)
		}
		if err != nil {
			patch = notKnown[string](err)
			patch.Problem = step.name + patch.Problem
			return patch, isRefusal(err)
		}
		patch = known(body)
	}
	facts.DryRunUntried = trial.untried()
	return patch, false
}

// isRefusal reports whether the server looked at a write and said no. A server
// that did not answer, did not know us, or saw that somebody else wrote in
// between has not judged it.
func isRefusal(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && !cluster.Transient(err) && !errors.Is(err, cluster.ErrFenced) &&
		!apierrors.IsUnauthorized(err) && !apierrors.IsNotFound(err)
}
