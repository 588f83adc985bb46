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
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Where a VirtualService tells the colours apart by subsets, it is the labels in
// a DestinationRule that say which pods get a colour's requests.

// DestinationRule is what one of Istio says of a host.
type DestinationRule struct {
	Name, Host string
	// Subsets are the labels of each, by its name.
	Subsets map[string]map[string]string
}

// subsetRoute is a production route that tells the colours apart by subsets.
type subsetRoute struct {
	// Object is its kind and name, Host the Service whose Subsets they are, by colour.
	Object, Host string
	Subsets      map[string]string
}

// subsetRoutes are those of a release, in the order in which they are moved.
func subsetRoutes(rel *release.Release) []subsetRoute {
	var routes []subsetRoute
	for _, one := range rel.Spec.Traffic.Set() {
		if route := one.VirtualService; route != nil && len(route.Subsets) > 0 {
			routes = append(routes, subsetRoute{Object: "virtualservice/" + route.Name, Host: route.Host, Subsets: route.Subsets})
		}
	}
	return routes
}

// destinationRules reads those of the release's namespace, where a route of it has
// subsets.
func destinationRules(ctx context.Context, in Inputs) Fact[[]DestinationRule] {
	if len(subsetRoutes(in.Release)) == 0 {
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

// hostsOfRoute are those that a live VirtualService leads to, each as
// service.namespace and once; no other route has any.
func hostsOfRoute(route traffic.Route, namespace string) []string {
	var hosts []string
	for _, host := range hostsIn(route.Live) {
		if host = fullHost(host, namespace); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// hostsIn are the hosts in a VirtualService, as they are written and each once.
func hostsIn(live any) []string {
	object, read := live.(*unstructured.Unstructured)
	if !read {
		return nil
	}
	var hosts []string
	for _, protocol := range []string{"http", "tls", "tcp"} {
		for _, rule := range entriesAt(object.Object, "spec", protocol) {
			for _, weighted := range entriesAt(rule, "route") {
				if host, _, _ := unstructured.NestedString(weighted, "destination", "host"); !slices.Contains(hosts, host) {
					hosts = append(hosts, host)
				}
			}
		}
	}
	return hosts
}

// subsetsApart holds the subset of each colour against the pods of both, for every
// route that has some.
func subsetsApart(facts *Facts) []Finding {
	routes := subsetRoutes(facts.Release)
	if len(routes) == 0 {
		return nil
	}
	if !facts.DestinationRules.Known {
		return facts.DestinationRules.unknown("destinationrules")
	}
	var findings []Finding
	for _, route := range routes {
		for _, color := range facts.colors() {
			subject := "subset " + route.Subsets[color.Name]
			if len(facts.Release.Spec.Traffic.Also) > 0 {
				subject += " of " + route.Object
			}
			findings = append(findings, subsetOf(facts, color, subject, route.Subsets[color.Name], fullHost(route.Host, facts.Namespace)))
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
			fix("see that some DestinationRule for host %s has subset %s, with the labels of %s", host, subset, color.Name)
	}
	return fail(subject, "%s is for host %s and has no such subset, so requests for %s would be answered by nobody", ruled, host, color.Name).
		fix("add subset %s with the labels %s to %s", subset, labels.Set(color.Declared.Selector), ruled)
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
