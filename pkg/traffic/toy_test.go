package traffic

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The toy is a driver as docs/routers.md says that one is added, for a kind that
// nobody serves. It passes the suite in toy_conformance_test.go.

// toyDriver moves a Toyset, which leads ways in parts to Services.
func toyDriver() driver {
	return weightedDriver("custom", always(weightedKind{
		kind:     "toyset",
		resource: schema.GroupVersionResource{Group: "toys.example", Version: "v1", Resource: "toysets"},
		pools:    toyPools,
		fields:   [][]string{{"spec", "ways"}},
		refused: func(object *unstructured.Unstructured) objection {
			if ready, _, _ := unstructured.NestedBool(object.Object, "status", "ready"); !ready {
				return objection{why: "the toy is not ready (status.ready)"}
			}
			return objection{}
		},
	}))
}

// toyPools are the one list that a toy has.
func toyPools(object map[string]any) ([]pool, error) {
	ways, err := listAt(object, "spec", "ways")
	if err != nil {
		return nil, err
	}
	one := pool{name: "spec.ways"}
	for at, way := range ways {
		entry := backend{pointer: fmt.Sprintf("/spec/ways/%d/parts", at)}
		entry.service, _, _ = unstructured.NestedString(way, "to")
		if entry.weight, entry.stands, err = numberAt(way, "parts", 1); err != nil {
			return nil, fmt.Errorf("spec.ways[%d]: %w", at, err)
		}
		one.backends = append(one.backends, entry)
	}
	return []pool{one}, nil
}

// NewToyRouter opens the toy for the suite, which is in another package.
func NewToyRouter(client *cluster.Client, rel *release.Release, clock clock.Clock) (Router, error) {
	return toyDriver().router(client, rel, clock)
}
