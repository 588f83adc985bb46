package traffic

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Skipper's routes: a RouteGroup
// (https://opensource.zalando.com/skipper/kubernetes/routegroups/) names
// backends and shares requests among them, by default or route by route; an
// Ingress holds one path several times and its weights in an annotation
// (https://opensource.zalando.com/skipper/kubernetes/ingress-usage/). Where no
// backend has a weight, all get the same.

// weightsAnnotation holds the weights of an Ingress as JSON, by Service.
const weightsAnnotation = "zalando.org/backend-weights"

func routeGroupDriver() driver {
	return weightedDriver("routeGroup", always(weightedKind{
		kind: "routegroup", proper: "RouteGroup",
		resource: schema.GroupVersionResource{Group: "zalando.org", Version: "v1", Resource: "routegroups"},
		pools:    routeGroupPools,
		fields:   [][]string{{"spec", "defaultBackends"}, {"spec", "routes"}},
		split:    routeGroupSplit,
	}))
}

func skipperIngressDriver() driver {
	return weightedDriver("skipperIngress", always(weightedKind{
		kind: "ingress", proper: "Ingress",
		resource: ingressResource(),
		pools:    skipperIngressPools,
		writes:   writeWeightsAnnotation,
		affinity: ingressAffinity,
		fields:   [][]string{{"metadata", "annotations", weightsAnnotation}},
		split:    skipperIngressSplit,
	}))
}

// routeGroupPools are the default backends, and those of each route that has
// its own.
func routeGroupPools(object map[string]any) ([]pool, error) {
	named, err := routeGroupServices(object)
	if err != nil {
		return nil, err
	}
	byDefault, err := routeGroupPool(object, named, "spec.defaultBackends", "/spec/defaultBackends", "spec", "defaultBackends")
	if err != nil {
		return nil, err
	}
	pools := []pool{byDefault}
	routes, err := listAt(object, "spec", "routes")
	if err != nil {
		return nil, err
	}
	for i, route := range routes {
		one, err := routeGroupPool(route, named, fmt.Sprintf("spec.routes[%d]", i), fmt.Sprintf("/spec/routes/%d/backends", i), "backends")
		if err != nil {
			return nil, err
		}
		predicates, _, _ := unstructured.NestedStringSlice(route, "predicates")
		one.chosen = slices.ContainsFunc(predicates, skipperChosen)
		pools = append(pools, one)
	}
	return pools, nil
}

// routeGroupServices are the Services of the backends, by the backends' names.
func routeGroupServices(object map[string]any) (map[string]string, error) {
	backends, err := listAt(object, "spec", "backends")
	if err != nil {
		return nil, err
	}
	named := map[string]string{}
	for _, one := range backends {
		name, _, _ := unstructured.NestedString(one, "name")
		kind, _, _ := unstructured.NestedString(one, "type")
		if kind == "service" {
			named[name], _, _ = unstructured.NestedString(one, "serviceName")
		}
	}
	return named, nil
}

func routeGroupPool(holder map[string]any, named map[string]string, name, place string, path ...string) (pool, error) {
	references, err := listAt(holder, path...)
	if err != nil {
		return pool{}, fmt.Errorf("%s: %w", name, err)
	}
	one := pool{name: name}
	for at, reference := range references {
		called, _, _ := unstructured.NestedString(reference, "backendName")
		entry := backend{service: named[called], pointer: fmt.Sprintf("%s/%d/weight", place, at),
			identity: cluster.Operation{Op: "test", Path: fmt.Sprintf("%s/%d/backendName", place, at), Value: called}}
		if entry.weight, entry.stands, err = numberAt(reference, "weight", 0); err != nil {
			return pool{}, fmt.Errorf("%s, backend %d: %w", name, at, err)
		}
		one.backends = append(one.backends, entry)
	}
	return evenWithoutWeights(one), nil
}

// evenWithoutWeights gives backends that have no weights the same one.
func evenWithoutWeights(one pool) pool {
	if slices.ContainsFunc(one.backends, func(entry backend) bool { return entry.stands }) {
		return one
	}
	for at := range one.backends {
		one.backends[at].weight = 1
	}
	return one
}

// skipperChosen reports whether a predicate is about something that a client
// sets to get here.
func skipperChosen(predicate string) bool {
	return slices.ContainsFunc([]string{"Header(", "HeaderRegexp(", "Cookie(", "QueryParam("}, func(asked string) bool {
		return strings.HasPrefix(strings.TrimSpace(predicate), asked)
	})
}

// skipperIngressPools are the backends of each path of each host, and of the
// default.
func skipperIngressPools(object map[string]any) ([]pool, error) {
	weights, err := weightsOfAnnotation(object)
	if err != nil {
		return nil, err
	}
	paths, err := ingressPaths(object)
	if err != nil {
		return nil, err
	}
	var pools []pool
	for _, path := range paths {
		at := slices.IndexFunc(pools, func(known pool) bool { return known.name == path.name })
		if at < 0 {
			at, pools = len(pools), append(pools, pool{name: path.name})
		}
		weight, stands := weights[path.service]
		pools[at].backends = append(pools[at].backends, backend{service: path.service, weight: weight, stands: stands})
	}
	for i, one := range pools {
		one.tied = slices.ContainsFunc(one.backends, func(entry backend) bool { return entry.stands })
		pools[i] = evenWithoutWeights(one)
	}
	return pools, nil
}

// weightsOfAnnotation are the weights by Service. Skipper takes fractions too;
// shares of them can't be kept exactly.
func weightsOfAnnotation(object map[string]any) (map[string]int64, error) {
	annotations, _, _ := unstructured.NestedStringMap(object, "metadata", "annotations")
	text, found := annotations[weightsAnnotation]
	if !found {
		return nil, nil
	}
	var weights map[string]json.Number
	if err := json.Unmarshal([]byte(text), &weights); err != nil {
		return nil, fmt.Errorf("read annotation %s: %w", weightsAnnotation, err)
	}
	whole := map[string]int64{}
	for service, weight := range weights {
		number, err := weight.Int64()
		if err != nil || number < 0 {
			return nil, fmt.Errorf("read annotation %s: the weight of %s is %s, expected a whole number", weightsAnnotation, service, weight)
		}
		whole[service] = number
	}
	return whole, nil
}

// writeWeightsAnnotation writes all weights at once: they are one text. A
// Service that stands at several paths has one weight.
func writeWeightsAnnotation(object map[string]any, weighed []pool) ([]cluster.Operation, error) {
	before, err := weightsOfAnnotation(object)
	if err != nil {
		return nil, err
	}
	after := map[string]int64{}
	for service, weight := range before {
		after[service] = weight
	}
	for _, one := range weighed {
		for _, entry := range one.backends {
			after[entry.service] = entry.weight
		}
	}
	text, err := json.Marshal(after)
	if err != nil {
		return nil, errors.New("write weights: " + err.Error())
	}
	return []cluster.Operation{cluster.Annotate(weightsAnnotation, string(text))}, nil
}
