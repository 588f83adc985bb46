package cluster

import (
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FieldOwners names the managers other than us that own a field, or anything
// below it, by the object's managedFields; sorted. path is written as in the
// object: "spec", "selector", "version". A map that Kubernetes holds as one
// value, as a Service's selector, is owned whole: whoever owns it owns every
// key of it.
func FieldOwners(object metav1.Object, path ...string) []string {
	var owners []string
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == FieldManager || entry.FieldsV1 == nil || slices.Contains(owners, entry.Manager) {
			continue
		}
		var fields map[string]any
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) == nil && ownsField(fields, path) {
			owners = append(owners, entry.Manager)
		}
	}
	slices.Sort(owners)
	return owners
}

// ownsField walks a FieldsV1 set, in which the keys are f:NAME for fields,
// k:{…} and v:… for items of lists, and "." for the thing itself.
func ownsField(fields map[string]any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	token := path[0]
	if !strings.HasPrefix(token, "k:") && !strings.HasPrefix(token, "v:") {
		token = "f:" + token
	}
	below, found := fields[token].(map[string]any)
	if !found {
		return false
	}
	// A leaf above the end of the path is a value that is owned whole.
	return len(below) == 0 || ownsField(below, path[1:])
}
