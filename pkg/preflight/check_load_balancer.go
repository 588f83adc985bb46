package preflight

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func loadBalancerKnown() Check {
	return Check{
		ID: "BG-NET-03", Title: "what stands in front of the route is known", Area: AreaRouting,
		Stages: []Stage{StageDeploy},
		Why:    "A cloud load balancer that sends traffic to pods itself learns of a switch later than the cluster does, and may keep sessions of its own.",
		Remedy: "see that the load balancer follows endpoints quickly and has no stickiness; watch residual traffic after the switch",
		Source: "second runbook, Common Pitfalls, Partial traffic switch (sticky sessions at LB layer)",
		Evaluate: func(facts *Facts) []Finding {
			subject := routeName(facts)
			if !facts.Route.Known {
				return facts.Route.unknown(subject)
			}
			if workers(facts) {
				return []Finding{noRoute(facts)}
			}
			findings := eachService(facts, balanced)
			if weighted(facts) {
				findings = append(findings, pass(subject, "its proxy stands in front, and what the proxy does with the weights is proven after every switch"))
			}
			return findings
		},
	}
}

// balanced judges what stands in front of a production Service.
func balanced(subject string, service *corev1.Service) Finding {
	if service.Spec.Type != corev1.ServiceTypeLoadBalancer {
		kind := service.Spec.Type
		if kind == "" {
			kind = corev1.ServiceTypeClusterIP
		}
		return pass(subject, "it is of type %s: the cluster itself switches", kind)
	}
	return warn(subject, "it is of type LoadBalancer: the switch reaches clients when the load balancer has followed").
		with("loadBalancerClass", loadBalancerClass(service)).
		with("externalTrafficPolicy", service.Spec.ExternalTrafficPolicy).
		with("annotations", balancerAnnotations(service))
}

func loadBalancerClass(service *corev1.Service) string {
	if service.Spec.LoadBalancerClass == nil {
		return "the cluster's default"
	}
	return *service.Spec.LoadBalancerClass
}

// balancerAnnotations are the names of the annotations that configure a load
// balancer.
func balancerAnnotations(service *corev1.Service) string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(service.Annotations)), func(name string) bool {
		return !strings.Contains(name, "load-balancer") && !strings.Contains(name, "loadbalancer")
	})
	return strings.Join(names, ", ")
}
