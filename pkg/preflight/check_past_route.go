package preflight

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

func noWayPastTheRoute() Check {
	return Check{
		ID: "BG-NET-07", Title: "no other Service leads to a colour past the production route", Area: AreaRouting,
		Stages: []Stage{StageDeploy},
		Why:    "Clients that come in by another Service stay where they are when traffic is shifted, and lose their pods when that colour is ended. It may be that the Release names the wrong Service: one that a shift has moved before, and that the Release does not name, blocks. Other Services are told where they lead to a port that the route leads to.",
		Remedy: "name the Service that clients come in by as the route, further ones under spec.traffic.also, and one that reaches a colour alone under spec.colors.<colour>.service; delete what nobody uses, or suppress the finding with the reason",
		Source: "second runbook, Pre-Deployment Checklist (svc-production selects v1); Common Pitfalls",
		Evaluate: func(facts *Facts) []Finding {
			switch {
			case workers(facts):
				return []Finding{skip("services", "it does not apply: workers have no route")}
			case !facts.Services.Known:
				return facts.Services.unknown("services")
			}
			var findings []Finding
			for _, service := range facts.Services.Value {
				findings = append(findings, pastRoute(facts, service)...)
			}
			if len(findings) == 0 {
				return []Finding{pass("services", "%d in the namespace, and none but those of the Release leads to a colour", len(facts.Services.Value))}
			}
			return findings
		},
	}
}

// pastRoute judges one Service of the namespace.
func pastRoute(facts *Facts, service traffic.Entrance) []Finding {
	var colors []string
	for _, color := range facts.colors() {
		if slices.ContainsFunc(color.Workloads.Value, func(workload cluster.Workload) bool {
			return service.PassesBy(facts.Release, workload.Template.Labels)
		}) {
			colors = append(colors, color.Name)
		}
	}
	subject := "service/" + service.Name
	switch {
	case len(colors) == 0:
		return nil
	case service.Moved:
		return []Finding{fail(subject, "it leads to %s, a shift has moved it before, and this Release does not name it", strings.Join(colors, " and "))}
	case !besides(facts, service):
		return nil
	}
	return []Finding{warn(subject, "it leads to %s, and no shift moves it", strings.Join(colors, " and "))}
}

// besides reports whether a Service leads to a port that a route leads to, or may:
// one for metrics alone does not.
func besides(facts *Facts, service traffic.Entrance) bool {
	routes := slices.Clone(facts.Route.Value.services())
	if weighted(facts) || len(routes) == 0 {
		for _, color := range facts.colors() {
			routes = append(routes, color.Service.Value)
		}
	}
	routes = slices.DeleteFunc(routes, func(route *corev1.Service) bool { return route == nil || len(route.Spec.Ports) == 0 })
	return len(routes) == 0 || slices.ContainsFunc(routes, func(route *corev1.Service) bool { return service.LeadsWhere(traffic.EntranceOf(route)) })
}
