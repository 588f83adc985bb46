package preflight

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// collectRoute comes before the others: the target may follow from it.
func collectRoute(ctx context.Context, in Inputs, facts *Facts) {
	ctx, cancel := context.WithTimeout(ctx, collectDeadline)
	defer cancel()
	route, err := readRoute(ctx, in)
	facts.Route = factOf(route, err)
}

func readRoute(ctx context.Context, in Inputs) (Route, error) {
	router, err := traffic.NewRouter(in.Client, in.Release, in.Clock)
	if err != nil {
		return Route{}, err
	}
	var route Route
	name := in.Release.Spec.Traffic.Service.Name
	service, err := in.Client.Kubernetes.CoreV1().Services(in.namespace()).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return Route{}, fmt.Errorf("read service/%s in %s: %w", name, in.namespace(), err)
	}
	route.Service = *service
	route.State, err = router.Read(ctx)
	if errors.Is(err, traffic.ErrNoColor) {
		route.Ambiguous = err.Error()
	} else if err != nil {
		return Route{}, err
	}
	route.Live = route.State.Split.Sole()
	if route.Slices, err = in.Client.EndpointSlices(ctx, in.namespace(), name); err != nil {
		return Route{}, err
	}
	if len(service.Spec.Selector) > 0 {
		if route.Selected, err = in.Client.Pods(ctx, in.namespace(), labels.SelectorFromSet(service.Spec.Selector)); err != nil {
			return Route{}, err
		}
	}
	if route.Live != "" {
		proof, err := router.Prove(ctx, traffic.Whole(route.Live))
		route.Proof = factOf(proof, err)
	}
	return route, nil
}

// dryRun sends the switch with dryRun=All: admission answers, nothing is
// kept. The stamp is that of a writer that comes after everybody. refused
// tells a no from an answer that did not come.
func dryRun(ctx context.Context, in Inputs, facts *Facts) (patch Fact[string], refused bool) {
	if !facts.Route.Known {
		return Fact[string]{Problem: facts.Route.Problem}, false
	}
	if facts.Route.Value.Ambiguous != "" {
		return Fact[string]{Problem: facts.Route.Value.Ambiguous}, false
	}
	router, err := traffic.NewRouter(in.Client, in.Release, in.Clock)
	if err != nil {
		return notKnown[string](err), false
	}
	route := facts.Route.Value.State
	planned, err := router.Plan(route, traffic.Whole(facts.Target), cluster.Fence{Epoch: route.Fence.Epoch + 1, Holder: "preflight"})
	if err != nil {
		return notKnown[string](err), false
	}
	if _, err := router.Write(ctx, planned, true); err != nil {
		return notKnown[string](err), isRefusal(err)
	}
	return known(string(planned.Body)), false
}

// isRefusal reports whether the server looked at a write and said no. A server
// that did not answer, did not know us, or saw that somebody else wrote in
// between has not judged it.
func isRefusal(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && !cluster.Transient(err) && !errors.Is(err, cluster.ErrFenced) &&
		!apierrors.IsUnauthorized(err) && !apierrors.IsNotFound(err)
}
