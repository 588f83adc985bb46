package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// checkColors checks each colour by itself, then the two against each other.
func (c *checker) checkColors() {
	names := c.document.Spec.ColorNames()
	if len(names) != 2 && c.written("spec.colors") {
		c.report("spec.colors", fmt.Sprintf("a release has exactly two colours, not %d (%s)", len(names), strings.Join(shownAll(names), ", ")),
			"name the slot that is live and the one that is idle, such as blue and green")
	}
	for _, name := range names {
		c.checkColor(join("spec.colors", name), name, c.document.Spec.Colors[name])
	}
	if len(names) == 2 {
		c.checkApart(names[0], names[1])
	}
}

func (c *checker) checkColor(field, name string, color Color) {
	if faults := validation.IsDNS1123Label(name); len(faults) > 0 {
		c.report(field, shown(name)+" is not a valid name of a colour", brief(faults))
	}
	if len(color.Workloads) == 0 {
		c.report(join(field, "workloads"), "is required", "write workloads: [deployment/NAME]")
	}
	for i, workload := range color.Workloads {
		c.subdomain(fmt.Sprintf("%s.workloads[%d]", field, i), workload.Name)
	}
	if len(color.Selector) == 0 {
		c.report(join(field, "selector"), "is required: by it the route tells the colours apart", "write selector: {version: "+name+"}")
	}
	for key, value := range sortedPairs(color.Selector) {
		at := join(join(field, "selector"), key)
		if faults := validation.IsQualifiedName(key); len(faults) > 0 {
			c.report(at, shown(key)+" is not a label's key", brief(faults))
		}
		if faults := validation.IsValidLabelValue(value); len(faults) > 0 {
			c.report(at, shown(value)+" is not a label's value", brief(faults))
		} else if value == "" {
			c.report(at, "must not be empty", "a missing label would match it; give each colour a value")
		}
	}
	c.label(join(field, "service"), color.Service)
	if color.Service == "" && c.document.Spec.Traffic.NamesServices() {
		c.report(join(field, "service"), fmt.Sprintf("is required: %s shares requests between the colours' Services", c.firstWeighted()),
			"write service: NAME, a Service that selects this colour's pods alone")
	}
	for i, path := range color.Manifests {
		if strings.TrimSpace(path) == "" {
			c.report(fmt.Sprintf("%s.manifests[%d]", field, i), "must not be empty", "")
		}
	}
}

// firstWeighted is where the first route with weights is declared.
func (c *checker) firstWeighted() string {
	for i, one := range c.document.Spec.Traffic.Set() {
		switch {
		case !one.shares():
		case i == 0:
			return one.Routes()[0].Field
		default:
			return join(placeOf(i), one.Routes()[0].Field)
		}
	}
	return ""
}

// checkApart checks that nothing belongs to both colours.
func (c *checker) checkApart(first, second string) {
	one, other := c.document.Spec.Colors[first], c.document.Spec.Colors[second]
	at := join("spec.colors", second)
	for i, workload := range other.Workloads {
		if workload.Name != "" && slices.Contains(one.Workloads, workload) {
			c.report(fmt.Sprintf("%s.workloads[%d]", at, i), fmt.Sprintf("%s is a workload of %s too", workload, first),
				"each colour has workloads of its own")
		}
	}
	if other.Service != "" && other.Service == one.Service {
		c.report(join(at, "service"), fmt.Sprintf("%s reaches %s too", shown(other.Service), first), "a colour's Service selects its pods alone")
	}
	c.checkSelectors(first, second, one.Selector, other.Selector)
	routes := c.document.Spec.Traffic.Services()
	for name, color := range sortedPairs(c.document.Spec.Colors) {
		if color.Service != "" && slices.Contains(routes, color.Service) {
			called := "the"
			if len(routes) > 1 {
				called = "a"
			}
			c.report(join(join("spec.colors", name), "service"), fmt.Sprintf("%s is %s production Service", shown(color.Service), called),
				"a colour's Service reaches it past the production route; leave it out if there is none")
		}
	}
}

// checkSelectors checks that no pod can match both selectors, and that a
// switch replaces every key, so that no key of the old colour stays behind.
func (c *checker) checkSelectors(first, second string, one, other map[string]string) {
	if len(one) == 0 || len(other) == 0 {
		return
	}
	at := join(join("spec.colors", second), "selector")
	keys, otherKeys := slices.Sorted(maps.Keys(one)), slices.Sorted(maps.Keys(other))
	if !slices.Equal(keys, otherKeys) {
		c.report(at, fmt.Sprintf("has the keys %s, that of %s has %s", strings.Join(shownAll(otherKeys), ", "), first, strings.Join(shownAll(keys), ", ")),
			"use the same keys in both, with values of their own")
		return
	}
	if maps.Equal(one, other) {
		c.report(at, "is the same as that of "+first+", so every pod would belong to both colours", "give each colour a value of its own")
	}
}

// sortedPairs goes through a map in the order of its keys.
func sortedPairs[V any](of map[string]V) func(func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(of)) {
			if !yield(key, of[key]) {
				return
			}
		}
	}
}

func shownAll(values []string) []string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = shown(value)
	}
	return quoted
}
