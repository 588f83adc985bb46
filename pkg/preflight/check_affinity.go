package preflight

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func affinityOff() Check {
	return Check{
		ID: "BG-NET-01", Title: "session affinity is off", Area: AreaRouting,
		Stages: []Stage{StageDeploy}, Critical: true,
		Why:    "Sticky sessions keep users on the old version after a switch, and on the bad one after a rollback: a partial switch. Looked at are the production Services and their annotations for load balancers, the route, and in the release's namespace the Ingresses, HTTPRoutes and GRPCRoutes that lead to it, Contour's HTTPProxies, Istio's DestinationRules and the BackendConfigs of Google's load balancer that a Service names. What leads to one colour alone, such as a preview, ties nobody to a version and warns. What may not be read is not known, which blocks under require: production.",
		Remedy: "set spec.sessionAffinity of the production Service to None, or take the stickiness out of the route, and turn it off at the load balancer in front",
		Source: "second runbook, Common Pitfalls, Partial traffic switch",
		Evaluate: func(facts *Facts) []Finding {
			subject := routeName(facts)
			if !facts.Route.Known {
				return facts.Route.unknown(subject)
			}
			if workers(facts) {
				return []Finding{noRoute(facts)}
			}
			findings := eachService(facts, func(subject string, service *corev1.Service) Finding { return stickyService(facts, subject, service) })
			if weighted(facts) {
				findings = append(findings, stickyRoute(subject, facts.Route.Value.State.Affinity))
			}
			return append(findings, stickyLayers(facts)...)
		},
	}
}

// stickyService judges whether a production Service ties clients to a pod.
func stickyService(facts *Facts, subject string, service *corev1.Service) Finding {
	if affinity := service.Spec.SessionAffinity; affinity != "" && affinity != corev1.ServiceAffinityNone {
		return fail(subject, "spec.sessionAffinity is %s, so clients stay on the version they had", affinity).
			fix(`kubectl -n %s patch %s --type merge -p '{"spec":{"sessionAffinity":"None","sessionAffinityConfig":null}}'`, facts.Namespace, subject)
	}
	sticky, looked := facts.Route.Value.Sticky[service.Name]
	switch {
	case !looked:
		return unknown(subject, "spec.sessionAffinity is None; what its annotations ask of a load balancer was not looked at")
	case len(sticky) > 0:
		return fail(subject, "what stands in front of it ties clients, so they stay on the version they had: %s", strings.Join(sticky, ", ")).
			fix("take the annotation from metadata.annotations of %s, or turn it off", subject)
	}
	return pass(subject, "spec.sessionAffinity is None, and no annotation asks for sticky sessions")
}

// stickyRoute judges what a route with weights says itself of its clients.
func stickyRoute(subject, affinity string) Finding {
	if affinity != "" {
		return fail(subject, "it ties clients to a backend by %s, so they stay on the version they had", affinity)
	}
	return pass(subject, "it does not tie clients to a backend")
}

// stickyLayers judges what stands before and behind the route.
func stickyLayers(facts *Facts) []Finding {
	const subject = "what stands before and behind the route"
	if facts.Layers == nil {
		return []Finding{unknown(subject, "it was not looked at")}
	}
	var findings []Finding
	var quiet []string
	for _, resource := range slices.Sorted(maps.Keys(facts.Layers)) {
		layer := facts.Layers[resource]
		switch unread := layer.Ties.Unread(); {
		case unread != nil && layer.Forbidden:
			finding := unknown(resource, "whether one ties clients is not known: %s", unread.Problem)
			finding.Lesser = true
			findings = append(findings, finding.fix("grant the right to read %s in namespace %s, which kubectl bluegreen generate rbac has", resource, facts.Namespace))
		case unread != nil:
			findings = append(findings, layer.Ties.unknown(resource)...)
		case len(layer.Ties.Value) == 0:
			quiet = append(quiet, resource)
		}
		for _, tie := range layer.Ties.Value {
			if tie.Alone {
				findings = append(findings, warn(tie.Object, "it ties clients of one colour, within that colour: %s", tie.By).
					fix("see that no production client comes by %s, or take that out of it", tie.Object))
				continue
			}
			findings = append(findings, fail(tie.Object, "it ties clients, so they stay on the version they had: %s", tie.By).
				fix("take that out of %s in namespace %s for as long as both versions run", tie.Object, facts.Namespace))
		}
	}
	if len(quiet) > 0 {
		findings = append(findings, pass(subject, "of the %s of namespace %s none ties clients of it", strings.Join(quiet, ", "), facts.Namespace))
	}
	return findings
}
