package traffic

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// gatewayRefused reads the status that the Gateways' controllers write: every
// parent that the route asks for must have accepted it and resolved its references,
// as it stands now and not as it stood before. What is said of parents that it does
// not ask for, such as those it had once, is nothing to it.
func gatewayRefused(object *unstructured.Unstructured) objection {
	parents, err := listAt(object.Object, "status", "parents")
	if err != nil || len(parents) == 0 {
		return objection{why: "no Gateway has taken it (status.parents is empty)", by: "a Gateway"}
	}
	references, err := listAt(object.Object, "spec", "parentRefs")
	if err != nil || len(references) == 0 {
		return objection{why: "it asks for no Gateway (spec.parentRefs is empty)", by: "a Gateway"}
	}
	var first objection
	var notes []string
	for _, reference := range references {
		asked := gatewayParentOf(reference, object.GetNamespace())
		one := asked.refused(object, parents)
		if one.note != "" {
			notes = append(notes, asked.String()+" "+one.note)
		}
		if one.why == "" || first.why != "" && !first.unresolved {
			continue // what is not about backends alone comes first
		}
		one.why, one.by = asked.String()+" "+one.why, asked.String()
		first = one
	}
	first.note = strings.Join(notes, "; ")
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
	if parent.group == "core" { // as Linkerd spells it
		parent.group = ""
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

// refused is what the controllers say against the route at a parent. Two may have an
// entry for the same one, of which the other may be gone for long: one that has taken
// it, at every listener that it names, is enough.
func (p gatewayParent) refused(object *unstructured.Unstructured, parents []map[string]any) objection {
	said := map[string]objection{}
	var controllers []string
	for _, parent := range parents {
		reference, _, _ := unstructured.NestedMap(parent, "parentRef")
		if !p.answeredBy(gatewayParentOf(reference, object.GetNamespace())) {
			continue
		}
		controller, _, _ := unstructured.NestedString(parent, "controllerName")
		if _, known := said[controller]; !known {
			controllers = append(controllers, controller)
		}
		if one := gatewayParentRefused(parent, object.GetGeneration()); said[controller].why == "" {
			said[controller] = one
		}
	}
	for _, controller := range controllers {
		if said[controller].why == "" {
			return said[controller]
		}
	}
	if len(controllers) == 0 {
		return objection{why: "has not taken it (status.parents has no entry for it)"}
	}
	return said[controllers[0]]
}

// answeredBy reports whether an entry is about what was asked for. A controller may
// leave out the listener and the port, or name each listener of a Gateway that was
// asked for as a whole.
func (p gatewayParent) answeredBy(entry gatewayParent) bool {
	if entry.section == "" || p.section == "" {
		entry.section = p.section
	}
	if entry.port == 0 || p.port == 0 {
		entry.port = p.port
	}
	return entry == p
}

// gatewayParentRefused is what a parent's conditions say against the route. Some
// controllers, such as Linkerd's, don't say which generation they saw.
func gatewayParentRefused(parent map[string]any, generation int64) objection {
	conditions, err := listAt(parent, "conditions")
	if err != nil {
		return objection{why: "says nothing that can be read"}
	}
	var found objection
	said := map[string]bool{}
	for _, condition := range conditions {
		kind, _, _ := unstructured.NestedString(condition, "type")
		status, _, _ := unstructured.NestedString(condition, "status")
		seen, told, _ := unstructured.NestedInt64(condition, "observedGeneration")
		message, _, _ := unstructured.NestedString(condition, "message")
		if kind != "Accepted" && kind != "ResolvedRefs" {
			continue
		}
		against := fmt.Sprintf("says %s=%s: %s", kind, status, message)
		switch {
		case told && seen < generation:
			return objection{why: fmt.Sprintf("has seen generation %d of it, not %d", seen, generation)}
		case kind == "ResolvedRefs" && status == "False":
			found.why, found.unresolved = against, true
		case status != "True":
			return objection{why: against}
		}
		if !told {
			found.note = "does not say which generation of the route it has taken"
		}
		said[kind] = true
	}
	for _, kind := range []string{"Accepted", "ResolvedRefs"} {
		if !said[kind] {
			return objection{why: "has not said " + kind}
		}
	}
	return found
}
