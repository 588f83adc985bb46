package preflight

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
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
	route.Sticky = map[string][]string{}
	for _, service := range route.services() {
		route.Sticky[service.Name] = stickyBy(service)
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

// dryRun sends the switch with dryRun=All, after the preview where the steps begin
// with one: admission answers, nothing is kept. The stamp is that of a writer that comes after everybody. refused
// tells a no from an answer that did not come.
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
	body, err := "", error(nil)
	for route, tries := facts.Route.Value.State, 1; ; tries++ {
		body, err = admitted(ctx, router, route, in.Release.Spec.Traffic.Steps, facts.Target)
		if !errors.Is(err, cluster.ErrFenced) || tries == dryRuns {
			break
		}
		if route, err = router.Read(ctx); err != nil {
			break
		}
	}
	if err != nil {
		return notKnown[string](err), isRefusal(err)
	}
	return known(body), false
}

// dryRuns bounds how often a switch is tried that somebody else's write came
// before: the controller of a Deployment writes its status at any time.
const dryRuns = 4

// admitted sends the writes of a switch with dryRun=All and returns the last one.
func admitted(ctx context.Context, router traffic.Router, route traffic.Route, steps []release.Step, target string) (string, error) {
	fence := cluster.Fence{Epoch: route.Newest().Epoch + 1, Holder: "preflight"}
	if len(steps) > 0 && steps[0].Match != nil {
		preview := route.Previewing(&traffic.Preview{Color: target, Match: *steps[0].Match})
		if _, err := tryWrite(ctx, router, preview, route.Split, fence); err != nil {
			return "", err
		}
	}
	return tryWrite(ctx, router, route, traffic.Whole(target), fence)
}

// tryWrite sends one write with dryRun=All.
func tryWrite(ctx context.Context, router traffic.Router, route traffic.Route, to traffic.Split, fence cluster.Fence) (string, error) {
	patch, err := router.Plan(route, to, fence)
	if err != nil {
		return "", err
	}
	if _, err := router.Write(ctx, patch, true); err != nil {
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
