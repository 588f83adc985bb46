package traffic

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// gatewayRefused reads the status that the Gateways' controllers write: every
// parent that the route asks for must have accepted it and resolved its references,
// as it stands now and not as it stood before.
func gatewayRefused(object *unstructured.Unstructured) objection {
	parents, err := listAt(object.Object, "status", "parents")
	if err != nil || len(parents) == 0 {
		return objection{why: "no Gateway has taken it (status.parents is empty)"}
	}
	if silent := gatewaySilent(object, parents); silent != "" {
		return objection{why: silent + " has not taken it (status.parents has no entry for it)"}
	}
	var first objection
	for _, parent := range parents {
		one := gatewayParentRefused(parent, object.GetGeneration())
		if one.why == "" || first.why != "" && !first.unresolved {
			continue // what is not about backends alone comes first
		}
		reference, _, _ := unstructured.NestedMap(parent, "parentRef")
		one.why = fmt.Sprintf("%s %s", gatewayParentOf(reference, object.GetNamespace()), one.why)
		first = one
	}
	return first
}

// gatewayParent is whom a parentRef means: in what a route asks for, and in what
// is said of it.
type gatewayParent struct {
	group, kind, namespace, name, section string
	port                                  int64
}

// gatewayParentOf is one with the defaults of the API. A group that is "" is no
// default: it is that of a Service, the parent of a route in a mesh.
func gatewayParentOf(reference map[string]any, own string) gatewayParent {
	text := func(field string) string { value, _, _ := unstructured.NestedString(reference, field); return value }
	parent := gatewayParent{
		group: text("group"), kind: cmp.Or(text("kind"), "Gateway"), namespace: cmp.Or(text("namespace"), own),
		name: text("name"), section: text("sectionName"),
	}
	if _, stands := reference["group"]; !stands {
		parent.group = "gateway.networking.k8s.io"
	}
	parent.port, _, _ = numberAt(reference, "port", 0)
	return parent
}

// String names it for people.
func (p gatewayParent) String() string {
	name := strings.ToLower(p.kind) + " " + p.name
	if p.section != "" {
		name += " section " + p.section
	}
	if p.port != 0 {
		name += fmt.Sprintf(" port %d", p.port)
	}
	return name
}

// gatewaySilent is a parent that the route asks for and that has said nothing of
// it, "" for none.
func gatewaySilent(object *unstructured.Unstructured, parents []map[string]any) string {
	answered := map[gatewayParent]bool{}
	for _, parent := range parents {
		reference, _, _ := unstructured.NestedMap(parent, "parentRef")
		answered[gatewayParentOf(reference, object.GetNamespace())] = true
	}
	references, _ := listAt(object.Object, "spec", "parentRefs")
	for _, reference := range references {
		if parent := gatewayParentOf(reference, object.GetNamespace()); !answered[parent] {
			return parent.String()
		}
	}
	return ""
}

// gatewayParentRefused is what a parent's conditions say against the route.
func gatewayParentRefused(parent map[string]any, generation int64) objection {
	conditions, err := listAt(parent, "conditions")
	if err != nil {
		return objection{why: "says nothing that can be read"}
	}
	var unresolved objection
	said := map[string]bool{}
	for _, condition := range conditions {
		kind, _, _ := unstructured.NestedString(condition, "type")
		status, _, _ := unstructured.NestedString(condition, "status")
		seen, _, _ := unstructured.NestedInt64(condition, "observedGeneration")
		message, _, _ := unstructured.NestedString(condition, "message")
		if kind != "Accepted" && kind != "ResolvedRefs" {
			continue
		}
		against := fmt.Sprintf("says %s=%s: %s", kind, status, message)
		switch {
		case seen < generation:
			return objection{why: fmt.Sprintf("has seen generation %d of it, not %d", seen, generation)}
		case kind == "ResolvedRefs" && status == "False":
			unresolved = objection{why: against, unresolved: true}
		case status != "True":
			return objection{why: against}
		}
		said[kind] = true
	}
	for _, kind := range []string{"Accepted", "ResolvedRefs"} {
		if !said[kind] {
			return objection{why: "has not said " + kind}
		}
	}
	return unresolved
}
