package detect

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// An HTTPProxy of Contour
// (https://projectcontour.io/docs/main/config/fundamentals/): one with a virtual
// host is a root, and takes in others with its includes.

func httpProxy() kind {
	return kind{
		name: "httpproxy", resource: "httpproxies", versions: []string{"projectcontour.io/v1"}, read: readHTTPProxy,
		order: order{promised: "one HTTPProxy owns a host; the exact path wins, then the longer one, then more headers", compare: moreExact},
	}
}

func readHTTPProxy(object *unstructured.Unstructured) (reading, error) {
	own := object.GetNamespace()
	found := reading{declares: release.Traffic{HTTPProxy: &release.NamedRoute{Name: object.GetName()}}}
	var err error
	if found.lists, err = listsOf(found.declares, object); err != nil {
		return reading{}, err
	}
	var hosts []host
	if name := textAt(object.Object, "spec", "virtualhost", "fqdn"); name != "" {
		hosts = []host{named(name)}
	}
	found.inner = len(hosts) == 0
	// The TCP proxy's list comes after those of the routes, and takes everything.
	routes := objectsAt(object.Object, "spec", "routes")
	for i, list := range found.lists {
		one := match{}
		if i < len(routes) {
			one = contourMatch(objectsAt(routes[i], "conditions"))
		}
		found.claims = append(found.claims, claim{place: list.Name, hosts: hosts, match: one, leads: leadsOf(list, own, nil)})
	}
	for i, include := range objectsAt(object.Object, "spec", "includes") {
		to := target{kind: "httpproxy", namespace: textAt(include, "namespace"), name: textAt(include, "name")}
		if to.namespace == "" {
			to.namespace = own
		}
		found.claims = append(found.claims, claim{place: indexed("spec.includes", i), hosts: hosts, match: contourMatch(objectsAt(include, "conditions")), leads: []lead{{to: to, weight: 1}}})
	}
	return found, nil
}

func contourMatch(conditions []map[string]any) match {
	one := match{}
	for _, entry := range conditions {
		switch {
		case textAt(entry, "exact") != "":
			one.kind, one.path = exactPath, textAt(entry, "exact")
		case textAt(entry, "regex") != "":
			one.kind, one.path = expressionPath, textAt(entry, "regex")
		case textAt(entry, "prefix") != "":
			prefix := under(textAt(entry, "prefix"))
			one.kind, one.path = prefix.kind, prefix.path
		}
		for _, part := range []struct{ field, word string }{{"header", "header"}, {"queryParameter", "parameter"}} {
			if wanted := objectAt(entry, part.field); wanted != nil {
				one = one.with(contourCondition(part.word, wanted))
			}
		}
	}
	return one
}

func contourCondition(word string, wanted map[string]any) condition {
	one := condition{on: word + " " + strings.ToLower(textAt(wanted, "name")), is: "is there"}
	if value := textAt(wanted, "exact"); value != "" {
		one.is, one.exact = value, true
		return one
	}
	for _, how := range []string{"contains", "notcontains", "notexact", "prefix", "suffix", "regex"} {
		if value := textAt(wanted, how); value != "" {
			one.is = how + " " + value
		}
	}
	return one
}
