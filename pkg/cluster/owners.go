package cluster

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// FieldOwners names the managers other than us that own a field, or anything
// below it, by the object's managedFields: who wrote last comes first. path is written as in the
// object: "spec", "selector", "version". A map that Kubernetes holds as one
// value, as a Service's selector, is owned whole: whoever owns it owns every
// key of it.
func FieldOwners(object metav1.Object, path ...string) []string {
	entries := slices.Clone(object.GetManagedFields())
	slices.SortStableFunc(entries, func(a, b metav1.ManagedFieldsEntry) int {
		return cmp.Or(ptr.Deref(b.Time, metav1.Time{}).Compare(ptr.Deref(a.Time, metav1.Time{}).Time), cmp.Compare(a.Manager, b.Manager))
	})
	var owners []string
	for _, entry := range entries {
		if entry.Manager != FieldManager && !slices.Contains(owners, entry.Manager) && owns(entry, path) {
			owners = append(owners, entry.Manager)
		}
	}
	return owners
}

func owns(entry metav1.ManagedFieldsEntry, path []string) bool {
	var fields map[string]any
	return entry.FieldsV1 != nil && json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) == nil && ownsField(fields, path)
}

// OnlyApplied reports whether an apply of ours owns a field and nothing else does, so
// that the next apply takes the field away where it leaves it out.
func OnlyApplied(object metav1.Object, path ...string) bool {
	only := false
	for _, entry := range object.GetManagedFields() {
		if !owns(entry, path) {
			continue
		}
		if entry.Manager != FieldManager || entry.Operation != metav1.ManagedFieldsOperationApply {
			return false
		}
		only = true
	}
	return only
}

// LastWriter is who wrote a field last, of its FieldOwners, for people.
func LastWriter(owners []string) string {
	if len(owners) == 0 {
		return "somebody"
	}
	return owners[0]
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
