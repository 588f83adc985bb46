package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/shell"
)

// ErrUnsupportedSplit is returned by Plan for a split that the driver can't
// make.
var ErrUnsupportedSplit = errors.New("split is not supported by this route")

// serviceRouter moves a Service by its selector. A selector has no weights:
// everything goes to one colour.
type serviceRouter struct {
	client    *cluster.Client
	namespace string
	name      string
	colors    colorSelectors
	clock     clock.PassiveClock
}

// serviceDriver is the driver for spec.traffic.service.
func serviceDriver() driver {
	return driver{
		declared: func(traffic release.Traffic) bool { return traffic.Service != nil },
		router: func(client *cluster.Client, rel *release.Release, clock clock.Clock) (Router, error) {
			colors := selectorsOf(rel)
			if err := colors.validate(); err != nil {
				return nil, err
			}
			return &serviceRouter{client: client, namespace: namespaceOf(client, rel), name: rel.Spec.Traffic.Service.Name, colors: colors, clock: clock}, nil
		},
		describe: single(describeService),
		split:    serviceSplit,
	}
}

// object is how the route is named for people.
func (r *serviceRouter) object() string { return "service/" + r.name }

// Capabilities implements Router.
func (r *serviceRouter) Capabilities() Capabilities { return Capabilities{} }

// Read implements Router.
func (r *serviceRouter) Read(ctx context.Context) (Route, error) {
	service, err := r.service(ctx)
	if err != nil {
		return Route{}, err
	}
	return r.route(service)
}

func (r *serviceRouter) service(ctx context.Context) (*corev1.Service, error) {
	service, err := r.client.Kubernetes.CoreV1().Services(r.namespace).Get(ctx, r.name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read %s in %s: %w", r.object(), r.namespace, err)
	}
	return service, nil
}

// route reads everything that a run needs to know out of the Service. Of one out
// of which no colour can be read it is the rest, beside the error.
func (r *serviceRouter) route(service *corev1.Service) (Route, error) {
	route := annotated(r.object(), r.namespace, service)
	route.Affinity = string(service.Spec.SessionAffinity)
	for _, key := range r.colors.keys() {
		if owners := cluster.FieldOwners(service, "spec", "selector", key); len(owners) > 0 {
			route.Owners["spec.selector."+key] = owners
		}
	}
	color, err := r.colors.selected(service.Spec.Selector)
	if err != nil {
		return route, r.selectorProblem(err)
	}
	route.Split = Whole(color)
	return route, nil
}

// Stop implements Router.
func (r *serviceRouter) Stop(ctx context.Context, reason string) error {
	return annotateStop(ctx, r.object(), r.namespace, reason, r.send)
}

func (r *serviceRouter) send(ctx context.Context, kind types.PatchType, body []byte, options metav1.PatchOptions) (*corev1.Service, error) {
	return r.client.Kubernetes.CoreV1().Services(r.namespace).Patch(ctx, r.name, kind, body, options)
}

// selectorProblem says which Service it is, and how a person puts it right.
func (r *serviceRouter) selectorProblem(err error) error {
	hint := fmt.Sprintf("look at it: kubectl -n %s get service %s -o jsonpath='{.spec.selector}'", r.namespace, r.name)
	var problem *selectorError
	if errors.As(err, &problem) && problem.key != "" {
		hint = fmt.Sprintf("set key %s of its selector to the colour that is to be live; %s", problem.key, forEach(r.colors.names(), r.undo))
	}
	return release.WithHint(fmt.Errorf("read %s in %s: %w", r.object(), r.namespace, err), hint)
}

// Plan implements Router. Only the keys that tell the colours apart are
// written, each with an operation of its own: keys that others put into the
// selector stay. A route that is there already is only stamped, and keeps
// its record of the split before. One that selects no colour is given back, and
// moved no other way.
func (r *serviceRouter) Plan(route Route, to Split, fence cluster.Fence) (Patch, error) {
	service, ok := route.Live.(*corev1.Service)
	if !ok {
		return Patch{}, fmt.Errorf("plan %s for %s: the route was not read by this driver", to, r.object())
	}
	if err := to.Validate(); err != nil {
		return Patch{}, fmt.Errorf("plan %s for %s: %w", to, r.object(), err)
	}
	color := to.Sole()
	if color == "" {
		return Patch{}, release.WithHint(fmt.Errorf("plan %s for %s: a Service's selector gives everything to one colour: %w", to, r.object(), ErrUnsupportedSplit),
			"use one step of weight 100, or a route that has weights")
	}
	if _, known := r.colors[color]; !known {
		return Patch{}, fmt.Errorf("plan %s for %s: the release has no colour %s", to, r.object(), color)
	}
	if err := withoutPreviews(route, to); err != nil {
		return Patch{}, fmt.Errorf("plan %s for %s: %w", to, r.object(), err)
	}
	if _, err := r.colors.selected(service.Spec.Selector); err != nil && (!route.back || len(service.Spec.Selector) == 0) {
		return Patch{}, r.selectorProblem(err)
	}
	changes := r.colors.changes(service.Spec.Selector, color)
	if len(changes) > 0 {
		changes = append(changes, switched(service, route.Split, to)...)
	}
	patch, err := fenced(route, service, to, fence, changes...)
	if err != nil {
		return Patch{}, fmt.Errorf("plan %s for %s: %w", to, r.object(), err)
	}
	return patch, nil
}

// Obeyed implements Router.
func (r *serviceRouter) Obeyed(route Route, fence cluster.Fence) (Patch, error) {
	service, ok := route.Live.(*corev1.Service)
	if !ok {
		return Patch{}, fmt.Errorf("take the stop off %s: the route was not read by this driver", r.object())
	}
	patch, err := fenced(route, service, route.Split, fence, withoutStop(service)...)
	if err != nil {
		return Patch{}, fmt.Errorf("take the stop off %s: %w", r.object(), err)
	}
	return patch, nil
}

// After implements Router.
func (r *serviceRouter) After(route Route, patch Patch) (Route, error) {
	service, err := after[corev1.Service](route.Live, patch)
	if err != nil {
		return Route{}, err
	}
	return r.route(service)
}

// Write implements Router.
func (r *serviceRouter) Write(ctx context.Context, patch Patch, dryRun bool) (Route, error) {
	service, err := write(ctx, r.object(), r.namespace, patch, dryRun, r.send)
	if err != nil {
		return Route{}, err
	}
	return r.route(service)
}

// Prove implements Router.
func (r *serviceRouter) Prove(ctx context.Context, split Split) (Proof, error) {
	color := split.Sole()
	if _, known := r.colors[color]; !known {
		return Proof{}, fmt.Errorf("prove %s of %s: %w", split, r.object(), ErrUnsupportedSplit)
	}
	service, err := r.service(ctx)
	if err != nil {
		return Proof{}, err
	}
	selected, err := r.colors.selected(service.Spec.Selector)
	if err != nil {
		return Proof{}, r.selectorProblem(err)
	}
	if selected != color {
		return Proof{Time: r.clock.Now(), Message: fmt.Sprintf("%s selects %s, not %s", r.object(), selected, color)}, nil
	}
	// Endpoints are read before pods: a pod that becomes ready in between
	// is missing, which is looked at again, and never taken for proven.
	slices, err := r.client.EndpointSlices(ctx, r.namespace, r.name)
	if err != nil {
		return Proof{}, fmt.Errorf("prove %s of %s: %w", split, r.object(), err)
	}
	pods, err := r.client.Pods(ctx, r.namespace, labels.SelectorFromSet(service.Spec.Selector))
	if err != nil {
		return Proof{}, fmt.Errorf("prove %s of %s: %w", split, r.object(), err)
	}
	proof := proveEndpoints(service, slices, pods, color)
	proof.Time = r.clock.Now()
	return proof, nil
}

// Receivers implements Router.
func (r *serviceRouter) Receivers(ctx context.Context, color string) (int, error) {
	service, err := r.service(ctx)
	if err != nil {
		return 0, err
	}
	selector := maps.Clone(service.Spec.Selector)
	for _, key := range r.colors.keys() {
		delete(selector, key)
	}
	maps.Copy(selector, r.colors[color])
	pods, err := r.client.Pods(ctx, r.namespace, labels.SelectorFromSet(selector))
	if err != nil {
		return 0, fmt.Errorf("count pods of %s behind %s: %w", color, r.object(), err)
	}
	return countReceivers(pods), nil
}

// Undo implements Router.
func (r *serviceRouter) Undo(_ Route, color string) string { return r.undo(color) }

func (r *serviceRouter) undo(color string) string {
	selector := map[string]any{}
	for _, key := range r.colors.keys() {
		selector[key] = nil
		if value, found := r.colors[color][key]; found {
			selector[key] = value
		}
	}
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"selector": selector}})
	if err != nil {
		return "" // strings and nils always marshal
	}
	return fmt.Sprintf("kubectl -n %s patch service %s --type merge -p %s", r.namespace, r.name, shell.Word(string(patch)))
}
