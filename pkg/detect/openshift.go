package detect

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// A Route of OpenShift leads to one Service and, by weights, to up to three
// others. A weight that is left out is 100.

const openShiftWeight = 100

func openShiftRoute() kind {
	return kind{
		name: "route", resource: "routes", versions: []string{"route.openshift.io/v1"}, read: readOpenShiftRoute,
		order: order{promised: "the longer path wins; the older route owns a host", compare: moreExact, oldest: true},
	}
}

func readOpenShiftRoute(object *unstructured.Unstructured) (reading, error) {
	list := traffic.List{Name: "spec.to"}
	add := func(entry map[string]any, pointer string) {
		service := ""
		if kind := textAt(entry, "kind"); kind == "" || kind == "Service" {
			service = textAt(entry, "name")
		}
		list.Backends = append(list.Backends, weighed(entry, service, pointer, openShiftWeight))
	}
	add(objectAt(object.Object, "spec", "to"), "/spec/to")
	for i, other := range objectsAt(object.Object, "spec", "alternateBackends") {
		add(other, fmt.Sprintf("/spec/alternateBackends/%d", i))
	}
	one := claim{place: list.Name, match: under(textAt(object.Object, "spec", "path")), leads: leadsOf(list, object.GetNamespace(), nil)}
	if name := textAt(object.Object, "spec", "host"); name != "" {
		one.hosts = []host{named(name)}
		if textAt(object.Object, "spec", "wildcardPolicy") == "Subdomain" {
			_, domain := cutLabel(name)
			one.hosts = append(one.hosts, host{name: "*." + domain, oneLabel: true})
		}
	}
	return reading{declares: customRoute(object, "routes"), lists: []traffic.List{list}, claims: []claim{one}}, nil
}
