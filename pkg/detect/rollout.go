package detect

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A Rollout of Argo Rollouts
// (https://argo-rollouts.readthedocs.io/en/stable/features/specification/) moves
// Services by their selectors and routes by their weights.

func argoRollout() kind {
	return kind{name: "rollout", resource: "rollouts", versions: []string{"argoproj.io/v1alpha1"}, read: readRollout, order: order{compare: moreExact}}
}

func readRollout(object *unstructured.Unstructured) (reading, error) {
	found := reading{inner: true, controller: "Argo Rollouts"}
	add := func(kind, name string) {
		if name != "" {
			found.moves = append(found.moves, target{kind: kind, namespace: object.GetNamespace(), name: name})
		}
	}
	strategy := objectAt(object.Object, "spec", "strategy")
	for _, path := range [][]string{
		{"blueGreen", "activeService"}, {"blueGreen", "previewService"}, {"canary", "stableService"}, {"canary", "canaryService"},
		{"canary", "pingPong", "pingService"}, {"canary", "pingPong", "pongService"},
	} {
		add(kindService, textAt(strategy, path...))
	}
	routing := objectAt(strategy, "canary", "trafficRouting")
	add("ingress", textAt(routing, "nginx", "stableIngress"))
	add("ingress", textAt(routing, "alb", "ingress"))
	for _, field := range []string{"nginx", "alb"} {
		for _, name := range append(textsAt(routing, field, "stableIngresses"), textsAt(routing, field, "ingresses")...) {
			add("ingress", name)
		}
	}
	add("virtualservice", textAt(routing, "istio", "virtualService", "name"))
	for _, one := range objectsAt(routing, "istio", "virtualServices") {
		add("virtualservice", textAt(one, "name"))
	}
	add("traefikservice", textAt(routing, "traefik", "weightedTraefikServiceName"))
	add("trafficsplit", textAt(routing, "smi", "trafficSplitName"))
	gateway := objectAt(routing, "plugins", "argoproj-labs/gatewayAPI")
	for _, kind := range []string{"http", "grpc", "tcp", "tls"} {
		add(kind+"route", textAt(gateway, kind+"Route"))
		for _, one := range objectsAt(gateway, kind+"Routes") {
			add(kind+"route", textAt(one, "name"))
		}
	}
	return found, nil
}
