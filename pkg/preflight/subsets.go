package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Where a VirtualService tells the colours apart by subsets, it is the labels in
// a DestinationRule that say which pods get a colour's requests.

// DestinationRule is what one of Istio says of a host.
type DestinationRule struct {
	Name, Host string
	// Subsets are the labels of each, by its name.
	Subsets map[string]map[string]string
}

// subsetsOf are the subsets by colour that a release declares, nil for none.
func subsetsOf(rel *release.Release) map[string]string {
	if route := rel.Spec.Traffic.VirtualService; route != nil {
		return route.Subsets
	}
	return nil
}

// destinationRules reads those of the release's namespace, where its route has
// subsets.
func destinationRules(ctx context.Context, in Inputs) Fact[[]DestinationRule] {
	if len(subsetsOf(in.Release)) == 0 {
		return Fact[[]DestinationRule]{}
	}
	resource := schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1beta1", Resource: "destinationrules"}
	list, err := in.Client.Dynamic.Resource(resource).Namespace(in.namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return notKnown[[]DestinationRule](fmt.Errorf("list destinationrules in %s: %w", in.namespace(), err))
	}
	var rules []DestinationRule
	for _, object := range list.Items {
		rule := DestinationRule{Name: object.GetName(), Subsets: map[string]map[string]string{}}
		host, _, _ := unstructured.NestedString(object.Object, "spec", "host")
		rule.Host = fullHost(host, in.namespace())
		for _, subset := range entriesAt(object.Object, "spec", "subsets") {
			name, _, _ := unstructured.NestedString(subset, "name")
			rule.Subsets[name], _, _ = unstructured.NestedStringMap(subset, "labels")
		}
		rules = append(rules, rule)
	}
	return known(rules)
}

// fullHost is a host as service.namespace, whichever way it is written; one that
// is no Service stays as it is.
func fullHost(host, namespace string) string {
	parts := strings.Split(host, ".")
	switch {
	case len(parts) == 1:
		return host + "." + namespace
	case len(parts) > 2 && parts[2] == "svc":
		return parts[0] + "." + parts[1]
	default:
		return host
	}
}

// entriesAt are the objects of a list.
func entriesAt(object map[string]any, path ...string) []map[string]any {
	list, _, _ := unstructured.NestedSlice(object, path...)
	var entries []map[string]any
	for _, entry := range list {
		if one, is := entry.(map[string]any); is {
			entries = append(entries, one)
		}
	}
	return entries
}

// hostsOfSubset are the hosts of which the route leads to a subset, each once.
func hostsOfSubset(facts *Facts, subset string) []string {
	object, read := facts.Route.Value.State.Live.(*unstructured.Unstructured)
	if !read {
		return nil
	}
	var hosts []string
	for _, protocol := range []string{"http", "tls", "tcp"} {
		for _, route := range entriesAt(object.Object, "spec", protocol) {
			for _, weighted := range entriesAt(route, "route") {
				named, _, _ := unstructured.NestedString(weighted, "destination", "subset")
				host, _, _ := unstructured.NestedString(weighted, "destination", "host")
				if host = fullHost(host, facts.Namespace); named == subset && !slices.Contains(hosts, host) {
					hosts = append(hosts, host)
				}
			}
		}
	}
	return hosts
}

// subsetsApart holds the subset of each colour against the pods of both.
func subsetsApart(facts *Facts) []Finding {
	subsets := subsetsOf(facts.Release)
	if len(subsets) == 0 {
		return nil
	}
	if !facts.DestinationRules.Known {
		return facts.DestinationRules.unknown("destinationrules")
	}
	var findings []Finding
	for _, color := range facts.colors() {
		subject := "subset " + subsets[color.Name]
		hosts := hostsOfSubset(facts, subsets[color.Name])
		if len(hosts) == 0 {
			findings = append(findings, skip(subject, "the route can't be seen to lead to it (BG-COL-05)"))
		}
		for _, host := range hosts {
			findings = append(findings, subsetOf(facts, color, subject, subsets[color.Name], host))
		}
	}
	return findings
}

// subsetOf judges the subset of a colour for a host. Istio takes the rules for a
// host together, and looks for them in other namespaces too.
func subsetOf(facts *Facts, color Color, subject, subset, host string) Finding {
	ruled := ""
	for _, rule := range facts.DestinationRules.Value {
		if rule.Host != host {
			continue
		}
		ruled = "destinationrule/" + rule.Name
		if selects, found := rule.Subsets[subset]; found {
			return subsetLabels(facts, color, subject, ruled, selects)
		}
	}
	if ruled == "" {
		return warn(subject, "no DestinationRule in namespace %s is for host %s; what one in another namespace says is not looked at", facts.Namespace, host).
			fix("see that some DestinationRule for host %s has %s, with the labels of %s", host, subject, color.Name)
	}
	return fail(subject, "%s is for host %s and has no such subset, so requests for %s would be answered by nobody", ruled, host, color.Name).
		fix("add %s with the labels %s to %s", subject, labels.Set(color.Declared.Selector), ruled)
}

// subsetLabels holds the labels of a subset against what the pods of both
// colours are made from.
func subsetLabels(facts *Facts, color Color, subject, ruled string, selects map[string]string) Finding {
	selector := labels.SelectorFromSet(selects)
	remedy := fmt.Sprintf("make the labels of %s in %s those of %s: %s", subject, ruled, color.Name, labels.Set(color.Declared.Selector))
	for _, each := range facts.colors() {
		if !each.Workloads.Known {
			return each.Workloads.unknown(subject)[0]
		}
		for _, workload := range each.Workloads.Value {
			matches, own := selector.Matches(labels.Set(workload.Template.Labels)), each.Name == color.Name
			switch {
			case own && !matches:
				return fail(subject, "%s selects %q by it, and the pods of %s are not those", ruled, labels.Set(selects), workload.Ref).fix("%s", remedy)
			case !own && matches:
				return fail(subject, "%s selects %q by it, and the pods of %s, which is %s, are among those", ruled, labels.Set(selects), workload.Ref, each.Name).fix("%s", remedy)
			}
		}
	}
	return pass(subject, "%s selects the pods of %s by it and no others", ruled, color.Name)
}
