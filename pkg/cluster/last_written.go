package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Written is when what an object holds was last written, and by which field manager.
type Written struct {
	Time    time.Time
	Manager string
}

// LastWritten is when what a ConfigMap or a Secret holds was last written by another
// manager than ours, whose own writes Apply follows up; the zero value where that is
// nobody. The API server keeps the time of a manager's last change, to the second, in
// metadata.managedFields.
func (c *Client) LastWritten(ctx context.Context, namespace string, given Given) (Written, error) {
	var fields []metav1.ManagedFieldsEntry
	if given.Kind == KindSecret {
		found, err := c.Kubernetes.CoreV1().Secrets(namespace).Get(ctx, given.Name, metav1.GetOptions{})
		if err != nil {
			return Written{}, fmt.Errorf("read %s: %w", given, err)
		}
		fields = found.ManagedFields
	} else {
		found, err := c.Kubernetes.CoreV1().ConfigMaps(namespace).Get(ctx, given.Name, metav1.GetOptions{})
		if err != nil {
			return Written{}, fmt.Errorf("read %s: %w", given, err)
		}
		fields = found.ManagedFields
	}
	return lastOf(fields), nil
}

func lastOf(fields []metav1.ManagedFieldsEntry) Written {
	var last Written
	for _, entry := range fields {
		if entry.Manager == FieldManager || entry.Time == nil || !holdsValues(entry.FieldsV1) || !entry.Time.After(last.Time) {
			continue
		}
		last = Written{Time: entry.Time.Time, Manager: entry.Manager}
	}
	return last
}

// holdsValues reports whether a manager has a value of a ConfigMap or a Secret, and not
// its labels alone.
func holdsValues(fields *metav1.FieldsV1) bool {
	if fields == nil {
		return false
	}
	var held map[string]json.RawMessage
	if json.Unmarshal(fields.GetRawBytes(), &held) != nil {
		return false
	}
	for _, field := range []string{"f:data", "f:binaryData", "f:stringData"} {
		if _, found := held[field]; found {
			return true
		}
	}
	return false
}
