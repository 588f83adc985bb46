package detect

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Traefik's own kinds
// (https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/ingressroute/).
// A route's priority is the length of its rule unless it names one.

func traefikVersions() []string {
	return []string{"traefik.io/v1alpha1", "traefik.containo.us/v1alpha1"}
}

func traefikOrder() order {
	return order{promised: "the higher priority wins, which is the length of the rule unless the route names one", compare: higherPriority}
}

func ingressRoute() kind {
	return kind{
		name: "ingressroute", resource: "ingressroutes", versions: traefikVersions(), order: traefikOrder(),
		read: func(object *unstructured.Unstructured) (reading, error) {
			return readIngressRoute(object, release.Traffic{IngressRoute: &release.NamedRoute{Name: object.GetName()}})
		},
	}
}

func ingressRouteTCP() kind {
	return kind{
		name: "ingressroutetcp", resource: "ingressroutetcps", versions: traefikVersions(), order: traefikOrder(),
		read: func(object *unstructured.Unstructured) (reading, error) {
			return readIngressRoute(object, customRoute(object, "ingressroutetcps"))
		},
	}
}

func traefikService() kind {
	return kind{name: "traefikservice", resource: "traefikservices", versions: traefikVersions(), order: traefikOrder(), read: readTraefikService}
}

func readIngressRoute(object *unstructured.Unstructured, declares release.Traffic) (reading, error) {
	lists, err := listsOf(release.Traffic{IngressRoute: &release.NamedRoute{Name: object.GetName()}}, object)
	if err != nil {
		return reading{}, err
	}
	found := reading{declares: declares, lists: lists}
	for i, route := range objectsAt(object.Object, "spec", "routes") {
		services := objectsAt(route, "services")
		leads := leadsOf(lists[i], object.GetNamespace(), func(at int) target { return gatewayTarget(services[at], object.GetNamespace()) })
		rule := textAt(route, "match")
		priority, stands := numberAt(route, "priority")
		if !stands || priority == 0 {
			priority = int64(len(rule))
		}
		for _, way := range traefikRule(rule) {
			found.claims = append(found.claims, claim{place: lists[i].Name, hosts: way.hosts, match: way.match, priority: priority, leads: leads})
		}
	}
	return found, nil
}

// readTraefikService reads what an IngressRoute or another TraefikService leads
// to: a list with weights, or a service and its mirrors.
func readTraefikService(object *unstructured.Unstructured) (reading, error) {
	found := reading{inner: true, declares: release.Traffic{TraefikService: &release.NamedRoute{Name: object.GetName()}}}
	own := object.GetNamespace()
	if mirroring := objectAt(object.Object, "spec", "mirroring"); mirroring != nil {
		found.claims = []claim{{place: "spec.mirroring", leads: []lead{{to: gatewayTarget(mirroring, own), weight: 1}}}}
		found.unfit = obstructed("move the service that it mirrors", "it mirrors one service and shares nothing by weights")
		return found, nil
	}
	lists, err := listsOf(found.declares, object)
	if err != nil {
		return reading{}, err
	}
	services := objectsAt(object.Object, "spec", "weighted", "services")
	found.lists = lists
	found.claims = []claim{{place: lists[0].Name, leads: leadsOf(lists[0], own, func(at int) target { return gatewayTarget(services[at], own) })}}
	return found, nil
}
