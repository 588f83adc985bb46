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
			namespace := rel.Metadata.Namespace
			if namespace == "" {
				namespace = client.Namespace
			}
			return &serviceRouter{client: client, namespace: namespace, name: rel.Spec.Traffic.Service.Name, colors: colors, clock: clock}, nil
		},
		describe: describeService,
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

// route reads everything that a run needs to know out of the Service.
func (r *serviceRouter) route(service *corev1.Service) (Route, error) {
	color, err := r.colors.selected(service.Spec.Selector)
	if err != nil {
		return Route{}, r.selectorProblem(err)
	}
	fence, err := cluster.FenceOf(service)
	if err != nil {
		return Route{}, fmt.Errorf("read %s in %s: %w", r.object(), r.namespace, err)
	}
	route := Route{
		Object:          r.object(),
		Namespace:       r.namespace,
		UID:             service.UID,
		ResourceVersion: service.ResourceVersion,
		Split:           Whole(color),
		Fence:           fence,
		Stop:            stopReason(service),
		Owners:          map[string][]string{},
		Affinity:        string(service.Spec.SessionAffinity),
		Live:            service,
	}
	if text, found := service.Annotations[cluster.AnnotationPrevious]; found {
		if route.Previous, err = ParseSplit(text); err != nil {
			return Route{}, fmt.Errorf("read annotation %s of %s in %s: %w", cluster.AnnotationPrevious, r.object(), r.namespace, err)
		}
	}
	for _, key := range r.colors.keys() {
		if owners := cluster.FieldOwners(service, "spec", "selector", key); len(owners) > 0 {
			route.Owners["spec.selector."+key] = owners
		}
	}
	return route, nil
}

// noReason stands for a stop that was asked for without one.
const noReason = "no reason given"

// stopReason is the reason of a requested stop; an annotation without one
// asks for it all the same.
func stopReason(service *corev1.Service) string {
	reason, found := service.Annotations[cluster.AnnotationStop]
	if found && reason == "" {
		return noReason
	}
	return reason
}

// Stop implements Router.
func (r *serviceRouter) Stop(ctx context.Context, reason string) error {
	if reason == "" {
		reason = noReason
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{cluster.AnnotationStop: reason},
	}})
	if err != nil {
		return fmt.Errorf("annotate %s in %s: %w", r.object(), r.namespace, err)
	}
	_, err = r.client.Kubernetes.CoreV1().Services(r.namespace).Patch(ctx, r.name, types.MergePatchType, patch,
		metav1.PatchOptions{FieldManager: cluster.FieldManager})
	if err != nil {
		return fmt.Errorf("annotate %s in %s: %w", r.object(), r.namespace, err)
	}
	return nil
}

// selectorProblem says which Service it is, and how a person puts it right.
func (r *serviceRouter) selectorProblem(err error) error {
	hint := fmt.Sprintf("look at it: kubectl -n %s get service %s -o jsonpath='{.spec.selector}'", r.namespace, r.name)
	var problem *selectorError
	if errors.As(err, &problem) && problem.key != "" {
		hint = fmt.Sprintf("set key %s of its selector to the colour that is live: %s", problem.key, r.Undo(r.colors.names()[0]))
	}
	return release.WithHint(fmt.Errorf("read %s in %s: %w", r.object(), r.namespace, err), hint)
}

// Plan implements Router. Only the keys that tell the colours apart are
// written, each with an operation of its own: keys that others put into the
// selector stay. A route that is there already is only stamped, and keeps
// its record of the split before.
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
	if _, err := r.colors.selected(service.Spec.Selector); err != nil {
		return Patch{}, r.selectorProblem(err)
	}
	changes := r.colors.changes(service.Spec.Selector, color)
	if len(changes) > 0 {
		changes = append(changes,
			cluster.Annotate(cluster.AnnotationPrevious, route.Split.String()),
			cluster.Annotate(cluster.AnnotationSwitched, service.ResourceVersion))
		if _, asked := service.Annotations[cluster.AnnotationStop]; asked {
			changes = append(changes, cluster.Operation{Op: "remove", Path: "/metadata/annotations/" + cluster.EscapePointer(cluster.AnnotationStop)})
		}
	}
	body, err := cluster.FencedPatch(service, fence, changes...)
	if err != nil {
		return Patch{}, fmt.Errorf("plan %s for %s: %w", to, r.object(), err)
	}
	return Patch{Object: r.object(), Namespace: r.namespace, Type: types.JSONPatchType, Body: body, From: route.Split, To: to}, nil
}

// Write implements Router.
func (r *serviceRouter) Write(ctx context.Context, patch Patch, dryRun bool) (Route, error) {
	if patch.Object != r.object() || patch.Namespace != r.namespace {
		return Route{}, fmt.Errorf("write %s in %s: the patch is for %s in %s", r.object(), r.namespace, patch.Object, patch.Namespace)
	}
	options := metav1.PatchOptions{FieldManager: cluster.FieldManager}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	service, err := r.client.Kubernetes.CoreV1().Services(r.namespace).Patch(ctx, r.name, patch.Type, patch.Body, options)
	if err != nil {
		return Route{}, fmt.Errorf("write %s to %s in %s: %w", patch.To, r.object(), r.namespace, cluster.AsFenced(err))
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
	ready := 0
	for index := range pods {
		if pods[index].DeletionTimestamp == nil && cluster.PodReadiness(&pods[index]).Successful {
			ready++
		}
	}
	return ready, nil
}

// Undo implements Router.
func (r *serviceRouter) Undo(color string) string {
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
	return fmt.Sprintf("kubectl -n %s patch service %s --type merge -p '%s'", r.namespace, r.name, patch)
}
