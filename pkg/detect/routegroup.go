package detect

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// A RouteGroup of Skipper
// (https://opensource.zalando.com/skipper/kubernetes/routegroups/).

func routeGroup() kind {
	return kind{
		name: "routegroup", resource: "routegroups", versions: []string{"zalando.org/v1"}, read: readRouteGroup,
		order: order{promised: "the more exact path wins, then more predicates", compare: moreExact},
	}
}

func readRouteGroup(object *unstructured.Unstructured) (reading, error) {
	found := reading{declares: release.Traffic{RouteGroup: &release.NamedRoute{Name: object.GetName()}}}
	lists, err := listsOf(found.declares, object)
	if err != nil {
		return reading{}, err
	}
	found.lists = lists
	hosts := allNamed(textsAt(object.Object, "spec", "hosts"))
	byDefault := leadsOf(lists[0], object.GetNamespace(), nil)
	routes := objectsAt(object.Object, "spec", "routes")
	if len(routes) == 0 {
		found.claims = []claim{{place: lists[0].Name, hosts: hosts, leads: byDefault}}
	}
	for i, route := range routes {
		leads := leadsOf(lists[i+1], object.GetNamespace(), nil) // the default backends are the first list
		if len(leads) == 0 {
			leads = byDefault
		}
		found.claims = append(found.claims, claim{place: lists[i+1].Name, hosts: hosts, match: skipperMatch(route), leads: leads})
	}
	return found, nil
}

// skipperMatch is what a route of a RouteGroup takes.
func skipperMatch(route map[string]any) match {
	one := match{}
	switch {
	case textAt(route, "path") != "":
		one = match{kind: exactPath, path: textAt(route, "path")}
	case textAt(route, "pathSubtree") != "":
		one = under(textAt(route, "pathSubtree"))
	case textAt(route, "pathRegexp") != "":
		one = match{kind: expressionPath, path: textAt(route, "pathRegexp")}
	}
	if methods := textsAt(route, "methods"); len(methods) > 0 {
		one = one.with(condition{on: "method", is: strings.Join(methods, " or "), exact: len(methods) == 1})
	}
	for _, predicate := range textsAt(route, "predicates") {
		one = one.with(condition{on: "predicate", is: predicate})
	}
	return one
}
