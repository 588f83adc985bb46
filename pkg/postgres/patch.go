package postgres

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Setting is a field that holds a pool's size, and nothing secret, in an object
// of the cluster: a variable of a container, a key of a ConfigMap, an annotation
// of a pod template, or a parameter of a Pooler of CloudNativePG.
type Setting struct {
	// Namespace is "" for the release's.
	Namespace string `json:"namespace,omitempty"`
	// Workload is kind/name of the one whose pods have it.
	Workload string `json:"workload,omitempty"`
	// Container and Variable name a variable that stands in the pod template.
	Container string `json:"container,omitempty"`
	Variable  string `json:"variable,omitempty"`
	// ConfigMap and Key name what holds the variable's value otherwise.
	ConfigMap string `json:"configMap,omitempty"`
	Key       string `json:"key,omitempty"`
	// Annotation of the pod template.
	Annotation string `json:"annotation,omitempty"`
	// CloudNativePG is the name of a Pooler, whose parameter Variable is.
	CloudNativePG string `json:"cloudNativePG,omitempty"`
}

// setting is where a variable can be changed, nil where a Secret holds it.
func (v variable) setting(workload string) *Setting {
	setting := &Setting{Workload: workload, Container: v.container, Variable: v.name}
	if kind, name, found := strings.Cut(v.origin, "/"); found {
		if kind != "configmap" {
			return nil
		}
		setting.ConfigMap, setting.Key = name, v.key
	}
	return setting
}

// from is what a variable takes its value from, for people, "" where that stands in
// the pod template.
func (v variable) from() string {
	if v.origin == "" {
		return ""
	}
	return fmt.Sprintf(" (%s, key %s)", v.origin, v.key)
}

// Patch is one change of an object, or, without a Body, what a person has to do.
type Patch struct {
	// Resource is kind/name as kubectl takes it; Namespace is "" for the
	// release's.
	Resource, Namespace string
	// Type is kubectl's: strategic or merge.
	Type string
	Body string
	// Restart: its pods take it only when they are made anew.
	Restart string
	// Note says what no patch can do, or what it rests on.
	Note string
}

// Patches are what makes a budget that doesn't fit fit, none for one that does.
// No patch holds what a Secret does: where one holds the size, a Note says what
// to set.
func (b *Budget) Patches() []Patch {
	var patches []Patch
	for _, change := range b.Changes {
		patch := change.patch()
		if !slices.Contains(patches, patch) {
			patches = append(patches, patch)
		}
	}
	return patches
}

func (c Change) patch() Patch {
	value := strconv.Itoa(c.To)
	at := c.Setting
	switch {
	case c.InManifests:
		return Patch{Note: fmt.Sprintf("set %s to %d: a shift applies that over any patch in the cluster", c.Field, c.To)}
	case at == nil:
		return Patch{Note: fmt.Sprintf("set %s to %d: no patch is written of what may hold a secret, or of what the cluster doesn't hold", c.Field, c.To)}
	case at.CloudNativePG != "":
		return Patch{Resource: "pooler/" + at.CloudNativePG, Namespace: at.Namespace, Type: "merge",
			Body: document(map[string]any{at.Variable: value}, "spec", "pgbouncer", "parameters")}
	case at.Annotation != "":
		return Patch{Resource: at.Workload, Namespace: at.Namespace, Type: "merge",
			Body: document(map[string]any{at.Annotation: value}, "spec", "template", "metadata", "annotations"),
			Note: "the annotation states what the application's own setting must say: change that with it"}
	case at.ConfigMap != "":
		return Patch{Resource: "configmap/" + at.ConfigMap, Namespace: at.Namespace, Type: "merge",
			Body: document(map[string]any{at.Key: value}, "data"), Restart: at.Workload}
	default:
		container := map[string]any{"name": at.Container, "env": []any{map[string]any{"name": at.Variable, "value": value}}}
		return Patch{Resource: at.Workload, Namespace: at.Namespace, Type: "strategic",
			Body: document(map[string]any{"containers": []any{container}}, "spec", "template", "spec")}
	}
}

// document is JSON that holds a value at a path.
func document(value any, path ...string) string {
	for _, name := range slices.Backward(path) {
		value = map[string]any{name: value}
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "" // texts and maps of texts can't fail
	}
	return string(text)
}
