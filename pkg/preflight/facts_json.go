package preflight

import (
	"bytes"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What encoding/json can't do for facts by itself.

// MarshalJSON writes a colour with what is kept to this package.
func (c Color) MarshalJSON() ([]byte, error) {
	type fields Color
	return json.Marshal(struct {
		fields
		Absent bool
	}{fields(c), c.absent})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Color) UnmarshalJSON(data []byte) error {
	type fields Color
	var saved struct {
		fields
		Absent bool
	}
	if err := strictly(data, &saved); err != nil {
		return err
	}
	*c = Color(saved.fields)
	c.absent = saved.Absent
	return nil
}

// MarshalJSON writes a route without the live objects, of which it keeps the
// hosts that they lead to alone: those are all that a check looks at.
func (r Route) MarshalJSON() ([]byte, error) {
	type fields Route
	saved := fields(r)
	saved.State.Live = destinationsIn(r.State.Live)
	saved.State.Members = nil
	for _, member := range r.State.Members {
		member.Live = destinationsIn(member.Live)
		saved.State.Members = append(saved.State.Members, member)
	}
	return json.Marshal(saved)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Route) UnmarshalJSON(data []byte) error {
	type fields Route
	var saved fields
	if err := strictly(data, &saved); err != nil {
		return err
	}
	saved.State.Live = savedObject(saved.State.Live)
	for i := range saved.State.Members {
		saved.State.Members[i].Live = savedObject(saved.State.Members[i].Live)
	}
	*r = Route(saved)
	return nil
}

// savedObject is the object whose content was saved, nil where none was.
func savedObject(saved any) any {
	content, found := saved.(map[string]any)
	if !found {
		return nil
	}
	return &unstructured.Unstructured{Object: content}
}

// destinationsIn is a VirtualService that leads to the hosts that a live one leads
// to, nil for what was not read.
func destinationsIn(live any) any {
	if _, read := live.(*unstructured.Unstructured); !read {
		return nil
	}
	var destinations []any
	for _, host := range hostsIn(live) {
		destinations = append(destinations, map[string]any{"destination": map[string]any{"host": host}})
	}
	return map[string]any{"spec": map[string]any{"http": []any{map[string]any{"route": destinations}}}}
}

// strictly decodes JSON and refuses fields that are not known: a fact that is
// left out in silence would be another verdict.
func strictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}
