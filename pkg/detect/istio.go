package detect

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// A VirtualService of Istio
// (https://istio.io/latest/docs/reference/config/networking/virtual-service/).
// Several may name one host at a gateway; they are merged, and the order of
// their routes is not promised.

func virtualService() kind {
	return kind{
		name: "virtualservice", resource: "virtualservices",
		versions: []string{"networking.istio.io/v1beta1", "networking.istio.io/v1", "networking.istio.io/v1alpha3"},
		read:     readVirtualService,
		order:    order{promised: "the more exact host wins; between several VirtualServices for one host Istio promises no order", compare: moreExactHost},
	}
}

func readVirtualService(object *unstructured.Unstructured) (reading, error) {
	declared := &release.VirtualServiceRoute{Name: object.GetName()}
	found := reading{declares: release.Traffic{VirtualService: declared}}
	lists, err := listsOf(found.declares, object)
	if err != nil {
		return reading{}, err
	}
	found.lists = lists
	if sharesOneHost(lists) {
		// The names of the colours' subsets are for the Release to say; any
		// make the reader tell destinations apart by theirs.
		declared.Subsets = map[string]string{"": ""}
		if found.lists, err = listsOf(found.declares, object); err != nil {
			return reading{}, err
		}
	}
	hosts := istioHosts(object, &found)
	position := 0
	for _, protocol := range []string{"http", "tls", "tcp"} {
		for _, route := range objectsAt(object.Object, "spec", protocol) {
			list := lists[position]
			position++
			leads := istioLeads(list, route, object.GetNamespace())
			entries := objectsAt(route, "match")
			if len(entries) == 0 {
				entries = []map[string]any{nil}
			}
			for _, entry := range entries {
				own := hosts
				if names := textsAt(entry, "sniHosts"); len(names) > 0 {
					own = allNamed(names)
				}
				found.claims = append(found.claims, claim{place: list.Name, hosts: own, match: istioMatch(entry), leads: leads})
			}
		}
	}
	return found, nil
}

// sharesOneHost reports whether a list has one Service several times, which
// only subsets tell apart.
func sharesOneHost(lists []traffic.List) bool {
	for _, list := range lists {
		seen := map[string]bool{}
		for _, backend := range list.Backends {
			if backend.Service != "" && seen[backend.Service] {
				return true
			}
			seen[backend.Service] = true
		}
	}
	return false
}

// istioHosts are the hosts of a VirtualService. One without any is a delegate,
// and takes what another one leads to it.
func istioHosts(object *unstructured.Unstructured, found *reading) []host {
	names := textsAt(object.Object, "spec", "hosts")
	found.inner = len(names) == 0
	var hosts []host
	for _, name := range names {
		service := istioService(name, object.GetNamespace())
		if service == (target{}) {
			hosts = append(hosts, named(name))
			continue
		}
		found.instead = append(found.instead, service)
		hosts = append(hosts, hostsOfService(service)...)
	}
	return hosts
}

// istioService is the Service that a host means: by its short name, or by its
// full one; none for any other host.
func istioService(name, own string) target {
	labels := strings.Split(name, ".")
	switch {
	case name == "" || strings.HasPrefix(name, "*"):
		return target{}
	case len(labels) == 1:
		return serviceIn(own, name)
	case len(labels) > 2 && labels[2] == "svc":
		return serviceIn(labels[1], labels[0])
	case len(labels) == 2 && labels[1] == own:
		return serviceIn(own, labels[0])
	}
	return target{}
}

// istioLeads are the destinations of a route, or the VirtualService that it
// delegates to.
func istioLeads(list traffic.List, route map[string]any, own string) []lead {
	destinations := objectsAt(route, "route")
	leads := leadsOf(list, own, func(at int) target {
		return istioService(textAt(destinations[at], "destination", "host"), own)
	})
	for at := range leads {
		leads[at].subset = textAt(destinations[at], "destination", "subset")
	}
	if delegate := objectAt(route, "delegate"); delegate != nil {
		to := target{kind: "virtualservice", namespace: textAt(delegate, "namespace"), name: textAt(delegate, "name")}
		if to.namespace == "" {
			to.namespace = own
		}
		leads = append(leads, lead{to: to, weight: 1})
	}
	return leads
}

// istioMatch is an entry of a route's match.
func istioMatch(entry map[string]any) match {
	uri, one := objectAt(entry, "uri"), match{}
	switch {
	case textAt(uri, "exact") != "":
		one = match{kind: exactPath, path: textAt(uri, "exact")}
	case textAt(uri, "prefix") != "":
		one = beginning(textAt(uri, "prefix"))
	case textAt(uri, "regex") != "":
		one = match{kind: expressionPath, path: textAt(uri, "regex")}
	}
	for _, part := range []struct{ field, word string }{{"headers", "header"}, {"queryParams", "parameter"}} {
		wanted := objectAt(entry, part.field)
		for _, key := range keys(wanted) {
			one = one.with(istioCondition(part.word+" "+strings.ToLower(key), objectAt(wanted, key)))
		}
	}
	for _, field := range []string{"method", "authority", "scheme"} {
		if text := objectAt(entry, field); text != nil {
			one = one.with(istioCondition(field, text))
		}
	}
	for _, key := range keys(objectAt(entry, "withoutHeaders")) {
		one = one.with(condition{on: "header " + strings.ToLower(key), is: "not as written"})
	}
	return one
}

// istioCondition is a StringMatch.
func istioCondition(on string, text map[string]any) condition {
	switch {
	case textAt(text, "exact") != "":
		return condition{on: on, is: textAt(text, "exact"), exact: true}
	case textAt(text, "prefix") != "":
		return condition{on: on, is: "begins with " + textAt(text, "prefix")}
	case textAt(text, "regex") != "":
		return condition{on: on, is: "like " + textAt(text, "regex")}
	}
	return condition{on: on, is: "is there"}
}
