package traffic

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Reader reads objects of one kind of route as its driver does, for whoever
// asks what a route leads to before a Release says so. It is pure.
type Reader struct {
	// Resource is where the API server has the kind, in the version that the
	// driver speaks.
	Resource schema.GroupVersionResource
	// Unproven: no route of this kind has been seen to move live traffic.
	Unproven bool

	pools func(object map[string]any) ([]pool, error)
}

// List is one list of backends of a route: requests that match the same part
// of it.
type List struct {
	// Name says for people which one: rule 1, route "reviews".
	Name     string
	Backends []Backend
	// Chosen: a request gets here only by asking for it, with a header, a
	// cookie or a parameter.
	Chosen bool
}

// Backend is one entry of a List.
type Backend struct {
	// Service is the Service of the route's namespace that it leads to, or
	// "subset NAME of SERVICE" where the route tells the colours apart by subsets; "" for
	// anything else.
	Service string
	// Weight is its part of the list's sum.
	Weight int64
	// Pointer is the JSON pointer to the weight, "" where it has no place of
	// its own. Stands is whether something is there, and not the default.
	Pointer string
	Stands  bool
}

// NewReader is the Reader of the kind of route that spec.traffic declares.
func NewReader(declared release.Traffic) (Reader, error) {
	for _, driver := range drivers() {
		if !driver.declared(declared) {
			continue
		}
		if driver.kind == nil { // a Service has no weights
			return Reader{Resource: corev1.SchemeGroupVersion.WithResource("services")}, nil
		}
		kind, err := driver.kind(declared)
		return Reader{Resource: kind.resource, Unproven: kind.unproven, pools: kind.pools}, err
	}
	return Reader{}, errNoRoute()
}

// Lists are the lists of backends of an object, in the order in which the
// object has what holds them. A Service has none.
func (r Reader) Lists(object *unstructured.Unstructured) ([]List, error) {
	if r.pools == nil {
		return nil, nil
	}
	pools, err := r.pools(object.Object)
	if err != nil {
		return nil, err
	}
	lists := make([]List, len(pools))
	for i, one := range pools {
		lists[i] = List{Name: one.name, Chosen: one.chosen}
		for _, entry := range one.backends {
			lists[i].Backends = append(lists[i].Backends, Backend{Service: entry.service, Weight: entry.weight, Pointer: entry.pointer, Stands: entry.stands})
		}
	}
	return lists, nil
}

// SplitOf reads the Split out of an object as the driver of the route that a
// Release declares would. The error says which colour is missing from where.
func SplitOf(rel *release.Release, object *unstructured.Unstructured) (Split, error) {
	for _, driver := range drivers() {
		if driver.declared(rel.Spec.Traffic) {
			return driver.split(rel, object)
		}
	}
	return nil, errNoRoute()
}

// serviceSplit is the Split of a Service by its selector.
func serviceSplit(rel *release.Release, object *unstructured.Unstructured) (Split, error) {
	colors := selectorsOf(rel)
	if err := colors.validate(); err != nil {
		return nil, err
	}
	selector, _, err := unstructured.NestedStringMap(object.Object, "spec", "selector")
	if err != nil {
		return nil, fmt.Errorf("read spec.selector: %w", err)
	}
	color, err := colors.selected(selector)
	if err != nil {
		return nil, err
	}
	return Whole(color), nil
}
