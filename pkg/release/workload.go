package release

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Workload names an object that owns pods, written kind/name: deployment/shop
// or statefulset/shop. Kind is held in lower case and in the singular.
type Workload struct {
	Kind string
	Name string
}

// String writes kind/name.
func (w Workload) String() string { return w.Kind + "/" + w.Name }

// MarshalJSON writes kind/name.
func (w Workload) MarshalJSON() ([]byte, error) { return json.Marshal(w.String()) }

// UnmarshalJSON reads kind/name.
func (w *Workload) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("read workload %s: expected kind/name, such as deployment/shop", data)
	}
	parsed, err := ParseWorkload(text)
	if err != nil {
		return err
	}
	*w = parsed
	return nil
}

// workloadKinds maps the spellings that kubectl takes to the singular.
var workloadKinds = map[string]string{
	"deployment": "deployment", "deployments": "deployment", "deploy": "deployment",
	"statefulset": "statefulset", "statefulsets": "statefulset", "sts": "statefulset",
}

// ParseWorkload reads kind/name; kind may be any spelling kubectl takes of
// deployment or statefulset.
func ParseWorkload(text string) (Workload, error) {
	kind, name, found := strings.Cut(text, "/")
	singular, known := workloadKinds[strings.ToLower(kind)]
	if !found || !known || name == "" || strings.Contains(name, "/") {
		return Workload{}, fmt.Errorf("read workload %q: expected deployment/NAME or statefulset/NAME", text)
	}
	return Workload{Kind: singular, Name: name}, nil
}
