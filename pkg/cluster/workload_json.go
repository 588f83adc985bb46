package cluster

import (
	"bytes"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
)

// MarshalJSON writes a workload with its selector as text: an interface could be
// read back by nobody.
func (w Workload) MarshalJSON() ([]byte, error) {
	type fields Workload
	saved := struct {
		fields
		Selector *string
	}{fields: fields(w)}
	if w.Selector != nil {
		text := w.Selector.String()
		saved.Selector = &text
	}
	return json.Marshal(saved)
}

// UnmarshalJSON reads what MarshalJSON wrote, and refuses anything beside it.
func (w *Workload) UnmarshalJSON(data []byte) error {
	type fields Workload
	var saved struct {
		fields
		Selector *string
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&saved); err != nil {
		return err
	}
	*w = Workload(saved.fields)
	if saved.Selector == nil {
		return nil
	}
	var err error
	if w.Selector, err = labels.Parse(*saved.Selector); err != nil {
		return fmt.Errorf("read selector of %s: %w", w.Ref, err)
	}
	return nil
}
