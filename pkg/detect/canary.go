package detect

import (
	"cmp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A Canary of Flagger (https://docs.flagger.app/usage/how-it-works) makes three
// Services out of a name, and a route of the same name in whatever kind its
// provider has.

func flaggerCanary() kind {
	return kind{name: "canary", resource: "canaries", versions: []string{"flagger.app/v1beta1"}, read: readCanary, order: order{compare: moreExact}}
}

func readCanary(object *unstructured.Unstructured) (reading, error) {
	found := reading{inner: true, controller: "Flagger"}
	add := func(kind, name string) {
		if name != "" {
			found.moves = append(found.moves, target{kind: kind, namespace: object.GetNamespace(), name: name})
		}
	}
	name := cmp.Or(textAt(object.Object, "spec", "service", "name"), textAt(object.Object, "spec", "targetRef", "name"))
	for _, service := range []string{name, name + "-primary", name + "-canary"} {
		add(kindService, service)
	}
	for _, kind := range []string{"httproute", "virtualservice", "traefikservice", "httpproxy", "trafficsplit"} {
		add(kind, name)
	}
	if reference := textAt(object.Object, "spec", "ingressRef", "name"); reference != "" {
		add("ingress", reference)
		add("ingress", reference+"-canary")
	}
	add("routegroup", textAt(object.Object, "spec", "routeRef", "name"))
	return found, nil
}
