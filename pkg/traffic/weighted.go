package traffic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/shell"
)

// weightedKind is a kind of route that shares requests among Services by
// weights: where in the object those stand, and what its proxy says of it.
type weightedKind struct {
	// kind is the kind for people and for kubectl, in lower case: httproute; and
	// proper as objects have it: HTTPRoute, "" where only the resource is known.
	kind, proper string
	resource     schema.GroupVersionResource
	// pools finds the lists of backends.
	pools func(object map[string]any) ([]pool, error)
	// completed gives the backends that an object leaves unsaid to the colours;
	// nil where it says all.
	completed func(pools []pool, colors colorServices) []pool
	// beside is another object of the kind and the namespace, without which the
	// weights mean nothing, and agrees holds it against the object; "" where
	// there is none.
	beside string
	agrees func(object, beside map[string]any, colors colorServices) error
	// writes are the operations that put the weights of lists into the object;
	// nil where each weight has a place of its own.
	writes func(object map[string]any, weighed []pool) ([]cluster.Operation, error)
	// fields are the paths whose owners are asked for, of which the weights
	// are parts.
	fields [][]string
	// owned are further such paths, where the object itself says which; nil
	// where there are none. What they have in common is named, with all of them
	// beginning like its last part.
	owned func(object map[string]any) [][]string
	named []string
	// refused is why the proxy does not serve the object as it stands; nil where
	// the kind has no such status.
	refused func(object *unstructured.Unstructured) objection
	// affinity is how the route ties clients to a backend, "" when it doesn't.
	affinity func(object map[string]any) string
	// split is an expression in CEL for the split of the object in a variable,
	// as colorServices.split reads it; nil where there is none.
	split func(variable string, colors colorServices) string
	// preview is how it leads some requests to one colour; nil where it can't.
	preview *previewKind
	// keepsBothSides is as in Capabilities.
	keepsBothSides bool
	// unproven: no route of this kind has been seen to move live traffic.
	unproven bool
	// colors are what the backends of the colours are called in the lists; nil
	// where those are the colours' Services.
	colors colorServices
}

// weightedDriver is the driver for a field of spec.traffic: of a kind that is
// always the same, or that the document says more of.
func weightedDriver(field string, kind func(release.Traffic) (weightedKind, error)) driver {
	declared := func(traffic release.Traffic) (name string, found bool) {
		for _, route := range traffic.Routes() {
			if route.Field == field {
				return route.Name, true
			}
		}
		return "", false
	}
	open := func(rel *release.Release) (opened weightedRouter, err error) {
		if opened.kind, err = kind(rel.Spec.Traffic); err != nil {
			return weightedRouter{}, fmt.Errorf("read spec.traffic.%s: %w", field, err)
		}
		if opened.services, err = servicesOf(rel); err != nil {
			return weightedRouter{}, err
		}
		if opened.colors = opened.kind.colors; opened.colors == nil {
			opened.colors = opened.services
		}
		opened.name, _ = declared(rel.Spec.Traffic)
		opened.selectors = selectorsOf(rel)
		return opened, nil
	}
	return driver{
		declared: func(traffic release.Traffic) bool { _, found := declared(traffic); return found },
		router: func(client *cluster.Client, rel *release.Release, clock clock.Clock) (Router, error) {
			opened, err := open(rel)
			if err != nil {
				return nil, err
			}
			opened.client, opened.namespace, opened.clock = client, namespaceOf(client, rel), clock
			return &opened, nil
		},
		describe: single(func(rel *release.Release) (Description, error) {
			opened, err := open(rel)
			return opened.description(), err
		}),
		split: func(rel *release.Release, object *unstructured.Unstructured) (Split, error) {
			opened, err := open(rel)
			if err != nil {
				return nil, err
			}
			pools, err := opened.lists(object.Object)
			if err != nil {
				return nil, err
			}
			return opened.colors.split(pools)
		},
		kind: kind,
	}
}

// always is a kind of which a document says no more than a name.
func always(kind weightedKind) func(release.Traffic) (weightedKind, error) {
	return func(release.Traffic) (weightedKind, error) { return kind, nil }
}

// description is the route for an admission policy.
func (r *weightedRouter) description() Description {
	description := Description{Unproven: r.kind.unproven, Object: r.object(), Kind: r.kind.proper, Resource: r.kind.resource, Name: r.name, Beside: r.kind.beside}
	for _, path := range r.kind.fields {
		description.Fields = append(description.Fields, Field{Path: path})
	}
	if r.kind.named != nil {
		description.Fields = append(description.Fields, Field{Path: r.kind.named, Begins: true})
	}
	if r.kind.split != nil {
		description.Split = func(variable string) string { return r.kind.split(variable, r.colors) }
	}
	return description
}

// servicesOf are the Services of a release's colours.
func servicesOf(rel *release.Release) (colorServices, error) {
	colors := colorServices{}
	for name, color := range rel.Spec.Colors {
		if color.Service == "" {
			return nil, release.WithHint(fmt.Errorf("read colours: %s has no Service, and a route with weights tells the colours apart by theirs", name),
				fmt.Sprintf("set spec.colors.%s.service", name))
		}
		colors[name] = color.Service
	}
	if len(colors) != 2 {
		return nil, fmt.Errorf("read colours: traffic is moved between two colours, and the release has %d", len(colors))
	}
	return colors, nil
}

// weightedRouter moves a route by the weights of the colours' Services.
type weightedRouter struct {
	kind      weightedKind
	client    *cluster.Client
	namespace string
	name      string
	// colors are what the backends are called in the route, services the
	// Services by which the colours' pods are found.
	colors, services colorServices
	selectors        colorSelectors
	clock            clock.PassiveClock
}

// object is how the route is named for people.
func (r *weightedRouter) object() string { return r.kind.kind + "/" + r.name }

func (r *weightedRouter) objects() dynamic.ResourceInterface {
	return r.client.Dynamic.Resource(r.kind.resource).Namespace(r.namespace)
}

// Capabilities implements Router.
func (r *weightedRouter) Capabilities() Capabilities {
	able := Capabilities{Weights: true, KeepsBothSides: r.kind.keepsBothSides}
	if r.kind.preview != nil {
		able.Previews = r.kind.preview.by
	}
	return able
}

// Read implements Router.
func (r *weightedRouter) Read(ctx context.Context) (Route, error) {
	object, err := r.get(ctx)
	if err != nil {
		return Route{}, err
	}
	route, err := r.route(object)
	if err != nil || r.kind.beside == "" {
		return route, err
	}
	beside, err := r.besideOf(ctx, object)
	if err != nil {
		route.Split = nil // which its weights alone don't tell
		return route, err
	}
	if route.Affinity == "" {
		route.Affinity = r.kind.affinity(beside.Object)
	}
	return route, nil
}

func (r *weightedRouter) get(ctx context.Context) (*unstructured.Unstructured, error) {
	object, err := r.objects().Get(ctx, r.name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read %s in %s: %w", r.object(), r.namespace, err)
	}
	return object, nil
}

// route reads everything that a run needs to know out of the object. Of one out
// of which no split can be read it is the rest, beside the error.
func (r *weightedRouter) route(object *unstructured.Unstructured) (Route, error) {
	route := annotated(r.object(), r.namespace, object)
	route.Preview, _ = r.preview(object)
	if r.kind.affinity != nil {
		route.Affinity = r.kind.affinity(object.Object)
	}
	fields := r.kind.fields
	if r.kind.owned != nil {
		fields = slices.Concat(fields, r.kind.owned(object.Object))
	}
	for _, path := range fields {
		if owners := cluster.FieldOwners(object, path...); len(owners) > 0 {
			route.Owners[strings.Join(path, ".")] = owners
		}
	}
	pools, err := r.pools(object)
	if err != nil {
		return route, err
	}
	split, err := r.colors.split(pools)
	if err != nil {
		return route, r.problem(err, object, pools)
	}
	route.Split = split
	return route, nil
}

func (r *weightedRouter) pools(object *unstructured.Unstructured) ([]pool, error) {
	pools, err := r.lists(object.Object)
	if err != nil {
		return nil, fmt.Errorf("read %s in %s: %w", r.object(), r.namespace, err)
	}
	return pools, nil
}

// lists are the lists of backends of an object, as far as the object and the
// colours tell them.
func (r *weightedRouter) lists(object map[string]any) ([]pool, error) {
	pools, err := r.kind.pools(object)
	if err != nil || r.kind.completed == nil {
		return pools, err
	}
	return r.kind.completed(pools, r.colors), nil
}

// problem says which route no split can be read out of, and how a person puts
// it right.
func (r *weightedRouter) problem(err error, object *unstructured.Unstructured, pools []pool) error {
	hint := fmt.Sprintf("look at it: kubectl -n %s get %s %s -o yaml", r.namespace, r.kind.resource.GroupResource(), r.name)
	names := slices.Sorted(maps.Keys(r.colors))
	var missing *missingError
	if errors.As(err, &missing) {
		hint = fmt.Sprintf("add %s to %s, with weight 0; or, where that is a host of the other colour's own, put that host into an object of its own", called(missing.service), missing.pool.name)
	} else if line := func(color string) string { return r.undo(object, pools, color) }; line(names[0]) != "" {
		hint = "give the colour that is to be live everything; " + forEach(names, line)
	}
	return release.WithHint(fmt.Errorf("read %s in %s: %w", r.object(), r.namespace, err), hint)
}

// Plan implements Router. Only the weights are written, each by an operation
// of its own, and the rules of a preview; everything else of the route stays.
func (r *weightedRouter) Plan(route Route, to Split, fence cluster.Fence) (Patch, error) {
	object, changes, err := r.changes(route, to)
	if err != nil {
		return Patch{}, fmt.Errorf("plan %s for %s: %w", to, r.object(), err)
	}
	if len(changes) > 0 {
		changes = append(changes, switched(object, route.Split, to)...)
	}
	preview := route.Leaves(to)
	previewed, err := r.previewed(route, object, to, preview)
	if err != nil {
		return Patch{}, fmt.Errorf("plan %s for %s: %w", Shares(to, preview), r.object(), err)
	}
	patch, err := fenced(route, object, to, fence, append(changes, previewed...)...)
	if err != nil {
		return Patch{}, fmt.Errorf("plan %s for %s: %w", to, r.object(), err)
	}
	patch.Preview = preview
	return patch, nil
}

// previewed are the operations that leave a preview, or none. Where it is taken
// away and the split stays, a stop is answered by that.
func (r *weightedRouter) previewed(route Route, object *unstructured.Unstructured, to Split, preview *Preview) ([]cluster.Operation, error) {
	if route.keepsPreview(to) {
		return nil, nil
	}
	operations, err := r.previewChanges(object, preview)
	if err == nil && len(operations) > 0 && preview == nil && route.Split.Equal(to) {
		operations = append(operations, withoutStop(object)...)
	}
	return operations, err
}

// changes are the operations that turn the weights of a route into a split;
// none when it has that already.
func (r *weightedRouter) changes(route Route, to Split) (*unstructured.Unstructured, []cluster.Operation, error) {
	object, ok := route.Live.(*unstructured.Unstructured)
	if !ok {
		return nil, nil, errors.New("the route was not read by this driver")
	}
	if err := to.Validate(); err != nil {
		return nil, nil, err
	}
	for color := range to {
		if _, known := r.colors[color]; !known {
			return nil, nil, fmt.Errorf("the release has no colour %s", color)
		}
	}
	switch {
	case len(route.Split) == 0 && !route.back:
		return nil, nil, fmt.Errorf("no split can be read out of it, so it is given back and moved no other way: %w", ErrNoColor)
	case route.Split.Equal(to):
		return object, nil, nil
	}
	pools, err := r.pools(object)
	if err != nil {
		return nil, nil, err
	}
	weighed, factor, err := r.colors.weigh(pools, to, scaleOf(object))
	if err != nil {
		return nil, nil, err
	}
	changes, err := r.writes(object, pools, weighed)
	return object, append(changes, scaled(object, factor)...), err
}

func (r *weightedRouter) writes(object *unstructured.Unstructured, pools, weighed []pool) ([]cluster.Operation, error) {
	if r.kind.writes == nil {
		return writeInPlace(pools, weighed), nil
	}
	return r.kind.writes(object.Object, weighed)
}

// Obeyed implements Router.
func (r *weightedRouter) Obeyed(route Route, fence cluster.Fence) (Patch, error) {
	object, ok := route.Live.(*unstructured.Unstructured)
	if !ok {
		return Patch{}, fmt.Errorf("take the stop off %s: the route was not read by this driver", r.object())
	}
	patch, err := fenced(route, object, route.Split, fence, withoutStop(object)...)
	if err != nil {
		return Patch{}, fmt.Errorf("take the stop off %s: %w", r.object(), err)
	}
	return patch, nil
}

// After implements Router.
func (r *weightedRouter) After(route Route, patch Patch) (Route, error) {
	object, err := after[unstructured.Unstructured](route.Live, patch)
	if err != nil {
		return Route{}, err
	}
	return r.route(object)
}

// Write implements Router.
func (r *weightedRouter) Write(ctx context.Context, patch Patch, dryRun bool) (Route, error) {
	object, err := write(ctx, r.object(), r.namespace, patch, dryRun, r.send)
	if err != nil {
		return Route{}, err
	}
	return r.route(object)
}

// Stop implements Router.
func (r *weightedRouter) Stop(ctx context.Context, reason string) error {
	return annotateStop(ctx, r.object(), r.namespace, reason, r.send)
}

func (r *weightedRouter) send(ctx context.Context, kind types.PatchType, body []byte, options metav1.PatchOptions) (*unstructured.Unstructured, error) {
	return r.objects().Patch(ctx, r.name, kind, body, options)
}

// Undo implements Router.
func (r *weightedRouter) Undo(route Route, color string) string {
	object, ok := route.Live.(*unstructured.Unstructured)
	if !ok {
		return ""
	}
	pools, err := r.lists(object.Object)
	if err != nil {
		return ""
	}
	return r.undo(object, pools, color)
}

// undo is "" for lists that can't be written.
func (r *weightedRouter) undo(object *unstructured.Unstructured, pools []pool, color string) string {
	weighed, _, err := r.colors.weigh(pools, Whole(color), 1)
	if err != nil {
		return ""
	}
	// Whatever weights stand there by then, the line writes each colour's; and
	// it is refused where the entries are others by then.
	changes, err := r.writes(object, r.colors.unwritten(pools), weighed)
	if err != nil {
		return ""
	}
	tests := r.colors.identities(weighed)
	if preview, rules := r.preview(object); preview != nil {
		for _, at := range rules {
			tests = append(tests, r.colors.identities(pools[at:at+1])...)
		}
		changes = append(changes, r.withoutPreview(object, rules)...)
	}
	patch, err := json.Marshal(append(tests, changes...))
	if err != nil {
		return "" // texts and numbers always marshal
	}
	return fmt.Sprintf("kubectl -n %s patch %s %s --type json -p %s", r.namespace, r.kind.resource.GroupResource(), r.name, shell.Word(string(patch)))
}
