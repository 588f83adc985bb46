package detect

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// The API server has held objects against their schemas. What is here not of
// the kind that it should be is passed over: a report is no write.

// textAt is a text, "" where there is none.
func textAt(object map[string]any, path ...string) string {
	text, _, _ := unstructured.NestedString(object, path...)
	return text
}

// textsAt is a list of texts.
func textsAt(object map[string]any, path ...string) []string {
	texts, _, _ := unstructured.NestedStringSlice(object, path...)
	return texts
}

// objectAt is an object, nil where there is none.
func objectAt(object map[string]any, path ...string) map[string]any {
	found, _, _ := unstructured.NestedFieldNoCopy(object, path...)
	inner, _ := found.(map[string]any)
	return inner
}

// objectsAt is a list of objects.
func objectsAt(object map[string]any, path ...string) []map[string]any {
	found, _, _ := unstructured.NestedFieldNoCopy(object, path...)
	entries, _ := found.([]any)
	var objects []map[string]any
	for _, entry := range entries {
		inner, _ := entry.(map[string]any)
		objects = append(objects, inner)
	}
	return objects
}

// numberAt is a whole number, and whether it is there.
func numberAt(object map[string]any, path ...string) (int64, bool) {
	found, _, _ := unstructured.NestedFieldNoCopy(object, path...)
	switch value := found.(type) {
	case int64:
		return value, true
	case float64:
		return int64(value), true
	}
	return 0, false
}

// weighed is one entry of a list with weights of a kind without a driver: the
// JSON pointer of the entry, whose weight is below it.
func weighed(entry map[string]any, service, pointer string, otherwise int64) traffic.Backend {
	weight, stands := numberAt(entry, "weight")
	if !stands {
		weight = otherwise
	}
	return traffic.Backend{Service: service, Weight: weight, Pointer: pointer + "/weight", Stands: stands}
}

// keys are the keys of an object, sorted.
func keys(object map[string]any) []string { return slices.Sorted(maps.Keys(object)) }

// indexed is the place of an entry of a list: spec.rules[0].
func indexed(list string, at int) string { return fmt.Sprintf("%s[%d]", list, at) }
