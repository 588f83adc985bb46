package traffic

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Objects of kinds without a Go type are read field by field. What is not of
// the kind that its schema says is an error: a weight that can't be read must
// not pass for the default.

// listAt is a list of objects, empty where it is not there.
func listAt(object map[string]any, path ...string) ([]map[string]any, error) {
	found, exists, err := unstructured.NestedFieldNoCopy(object, path...)
	if err != nil {
		return nil, fmt.Errorf("read %v: %w", path, err)
	}
	if !exists || found == nil {
		return nil, nil
	}
	entries, ok := found.([]any)
	if !ok {
		return nil, fmt.Errorf("read %v: it is no list", path)
	}
	list := make([]map[string]any, 0, len(entries))
	for i, entry := range entries {
		item, ok := entry.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("read %v: entry %d is no object", path, i)
		}
		list = append(list, item)
	}
	return list, nil
}

// numberAt is a whole number that is not negative, and whether it stands there;
// otherwise is what it is where it does not.
func numberAt(object map[string]any, field string, otherwise int64) (number int64, stands bool, err error) {
	found, exists := object[field]
	if !exists || found == nil {
		return otherwise, false, nil
	}
	switch value := found.(type) {
	case int64:
		number = value
	case float64:
		number = int64(value)
		if float64(number) != value {
			return 0, true, fmt.Errorf("read %s: %v is not a whole number", field, value)
		}
	default:
		return 0, true, fmt.Errorf("read %s: %v is not a number", field, found)
	}
	if number < 0 {
		return 0, true, fmt.Errorf("read %s: %d is below 0", field, number)
	}
	return number, true, nil
}
