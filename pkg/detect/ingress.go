package detect

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// An Ingress (https://kubernetes.io/docs/concepts/services-networking/ingress/)
// has no weights. Each controller that can share has put them into annotations
// of its own, and for each there is a driver.

const (
	skipperWeights = "zalando.org/backend-weights"
	albActions     = "alb.ingress.kubernetes.io/actions."
)

func ingress() kind {
	return kind{
		name: "ingress", resource: "ingresses", versions: []string{"networking.k8s.io/v1"}, read: readIngress,
		order: order{promised: "the more exact host wins, then the exact path and the longer one; the rest is the controller's", compare: moreExact},
	}
}

func readIngress(object *unstructured.Unstructured) (reading, error) {
	declares := ingressDriver(object)
	lists, err := listsOf(declares, object)
	if err != nil {
		return reading{}, err
	}
	found := reading{}
	seen := map[string]bool{}
	twice := false
	for _, rule := range objectsAt(object.Object, "spec", "rules") {
		for _, path := range objectsAt(rule, "http", "paths") {
			// Several entries of one path are one list, by this name.
			place := fmt.Sprintf("path %s%s", textAt(rule, "host"), textAt(path, "path"))
			if seen[place] {
				twice = true
				continue
			}
			seen[place] = true
			found.claims = append(found.claims, claim{
				place: place, hosts: ingressHosts(textAt(rule, "host")), match: ingressMatch(path),
				leads: ingressLeads(object, lists, place, objectAt(path, "backend")),
			})
		}
	}
	if backend := objectAt(object.Object, "spec", "defaultBackend"); backend != nil {
		const place = "spec.defaultBackend"
		found.claims = append(found.claims, claim{place: place, leads: ingressLeads(object, lists, place, backend)})
	}
	flavoured(object, &found, twice, declares, lists)
	return found, nil
}

// ingressDriver is the driver that reads an Ingress, by its annotations.
func ingressDriver(object *unstructured.Unstructured) release.Traffic {
	switch {
	case isCanary(object):
		return release.Traffic{NginxIngress: &release.NginxIngressRoute{Name: object.GetName()}}
	case hasAction(object.GetAnnotations()):
		return release.Traffic{ALBIngress: &release.NamedRoute{Name: object.GetName()}}
	default:
		return release.Traffic{SkipperIngress: &release.NamedRoute{Name: object.GetName()}}
	}
}

func listNamed(lists []traffic.List, name string) traffic.List {
	for _, list := range lists {
		if list.Name == name {
			return list
		}
	}
	return traffic.List{}
}

func ingressHosts(name string) []host {
	if name == "" {
		return nil
	}
	one := named(name)
	one.oneLabel = true // says the API of its wildcards
	return []host{one}
}

func ingressMatch(path map[string]any) match {
	if textAt(path, "pathType") == "Exact" {
		return match{kind: exactPath, path: textAt(path, "path")}
	}
	return under(textAt(path, "path"))
}

// ingressLeads are the Services of a path: one, several by Skipper's weights,
// or those of an action of the AWS load balancer. A canary has one list for all
// its paths.
func ingressLeads(object *unstructured.Unstructured, lists []traffic.List, place string, backend map[string]any) []lead {
	service := textAt(backend, "service", "name")
	if isCanary(object) {
		return []lead{{to: serviceIn(object.GetNamespace(), service), weight: 1}}
	}
	if textAt(backend, "service", "port", "name") == "use-annotation" {
		place = "action " + service
	}
	return leadsOf(listNamed(lists, place), object.GetNamespace(), func(int) target {
		return target{kind: "resource", namespace: object.GetNamespace(), name: textAt(backend, "resource", "name")}
	})
}

// flavoured says what an Ingress is by its annotations, and what that means for
// a driver.
func flavoured(object *unstructured.Unstructured, found *reading, twice bool, declares release.Traffic, lists []traffic.List) {
	annotations := object.GetAnnotations()
	_, weights := annotations[skipperWeights]
	switch {
	case isCanary(object):
		for i := range found.claims {
			found.claims[i].match = found.claims[i].match.with(nginxConditions(annotations)...)
		}
		found.declares, found.lists = declares, lists
	case declares.ALBIngress != nil || weights || twice:
		found.declares, found.lists = declares, lists
	default:
		found.unfit = obstructed("declare the Service that it leads to: spec.traffic.service; with Skipper, hold both colours at one path and weigh them with "+skipperWeights+"; with ingress-nginx, put a canary of the same hosts and paths beside it",
			"an Ingress has no weights, and no annotation gives it any")
	}
}

// hasAction reports whether an action of the AWS load balancer is there.
func hasAction(annotations map[string]string) bool {
	for name := range annotations {
		if strings.HasPrefix(name, albActions) {
			return true
		}
	}
	return false
}
