package preflight

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

func selectorsApart() Check {
	return Check{
		ID: "BG-COL-03", Title: "each colour's selector matches its own pods and no others", Area: AreaColors,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:      "Switching by selector is reliable only if labels and selectors are right: one that matches nothing is an outage, one that matches both colours mixes versions. Behind a VirtualService with subsets it is the labels of those, in a DestinationRule, that select.",
		Remedy:   "make spec.colors.<colour>.selector, the labels of its subset where the route has subsets, and the labels of the workload's pod template agree",
		Source:   "second runbook, Key Takeaways, 1",
		Evaluate: evaluateSelectors,
	}
}

func evaluateSelectors(facts *Facts) []Finding {
	var findings []Finding
	for _, color := range facts.colors() {
		findings = append(findings, selectorOf(facts, color)...)
	}
	return append(findings, subsetsApart(facts)...)
}

func selectorOf(facts *Facts, color Color) []Finding {
	subject := "colour " + color.Name
	if len(color.Declared.Selector) == 0 {
		return []Finding{fail(subject, "it has no selector").fix("set spec.colors.%s.selector", color.Name)}
	}
	if !color.Workloads.Known {
		return color.Workloads.unknown(subject)
	}
	selector := labels.SelectorFromSet(color.Declared.Selector)
	for _, workload := range color.Workloads.Value {
		if !selector.Matches(labels.Set(workload.Template.Labels)) {
			return []Finding{fail(subject, "selector %s does not match the pods of %s", selector, workload.Ref).
				with("podLabels", labels.Set(workload.Template.Labels)).
				fix("add %s to spec.template.metadata.labels of %s, or change spec.colors.%s.selector", selector, workload.Ref, color.Name)}
		}
	}
	other := facts.Colors[facts.Release.Spec.Other(color.Name)]
	if !other.Workloads.Known {
		return other.Workloads.unknown("colour " + other.Name)
	}
	for _, workload := range other.Workloads.Value {
		if selector.Matches(labels.Set(workload.Template.Labels)) {
			return []Finding{fail(subject, "selector %s matches the pods of %s, which is %s", selector, workload.Ref, other.Name)}
		}
	}
	if workers(facts) { // which are told by their Deployments, and selected by nobody
		return []Finding{pass(subject, "selector %s matches its own pods", selector)}
	}
	return []Finding{strangers(facts, color, subject, selector)}
}

// strangers looks for pods that a route would select and that belong to no
// workload of the colour; they are told, since the route's own labels may
// exclude them.
func strangers(facts *Facts, color Color, subject string, selector labels.Selector) Finding {
	if !color.Pods.Known || !color.Owned.Known {
		return color.Pods.unknown(subject)[0]
	}
	var found []string
	routes := routeSelectors(facts, color)
	for _, pod := range color.Pods.Value {
		selected := func(route map[string]string) bool {
			return labels.SelectorFromSet(withoutColor(facts, route)).Matches(labels.Set(pod.Labels))
		}
		if !color.owns(pod) && slices.ContainsFunc(routes, selected) {
			found = append(found, pod.Name)
		}
	}
	if len(found) > 0 {
		return fail(subject, "selector %s also matches pods of no workload of this colour: %s", selector, strings.Join(found, ", ")).
			fix("relabel these pods, or make spec.colors.%s.selector narrower", color.Name)
	}
	return pass(subject, "selector %s matches its own pods only", selector)
}

// owns reports whether a pod is one of the colour's workloads, by its labels.
func (c Color) owns(pod corev1.Pod) bool {
	return slices.ContainsFunc(c.Workloads.Value, func(w cluster.Workload) bool { return w.Selector.Matches(labels.Set(pod.Labels)) })
}

// routeSelectors are the selectors by which the routes would find a colour's pods:
// those of the production Services, and that of its own where a route leads to it
// by that. One that is not known excludes no pod.
func routeSelectors(facts *Facts, color Color) []map[string]string {
	var selectors []map[string]string
	for _, service := range facts.Route.Value.services() {
		selectors = append(selectors, service.Spec.Selector)
	}
	switch {
	case weighted(facts) && color.Service.Known && color.Service.Value != nil:
		return append(selectors, color.Service.Value.Spec.Selector)
	case weighted(facts) || len(selectors) == 0:
		return append(selectors, nil)
	}
	return selectors
}

// withoutColor is a route's selector without the labels that tell colours.
func withoutColor(facts *Facts, selector map[string]string) map[string]string {
	rest := map[string]string{}
	for key, value := range selector {
		if !slices.ContainsFunc(facts.colors(), func(c Color) bool { _, tells := c.Declared.Selector[key]; return tells }) {
			rest[key] = value
		}
	}
	return rest
}
