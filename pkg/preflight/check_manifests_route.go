package preflight

import (
	"fmt"
	"slices"
)

func manifestsLeaveRoute() Check {
	return Check{
		ID: "BG-COL-15", Title: "no colour's manifests hold the production route", Area: AreaColors,
		Stages: []Stage{StagePR, StageDeploy}, Critical: true,
		Why:    "A colour's manifests are applied before its pods are ready. With the production route among them, that would move traffic without a gate, a proof or a way back; a shift refuses to apply them.",
		Remedy: "take the production route out of spec.colors.<name>.manifests, and apply it once by itself",
		Source: "second runbook, Pre-Deployment Checklist (traffic is routed through svc-production → version=blue)",
		Evaluate: func(facts *Facts) []Finding {
			var findings []Finding
			for _, color := range facts.colors() {
				objects, declared := facts.Manifests[color.Name]
				subject := "manifests of " + color.Name
				switch {
				case !declared:
				case !objects.Known:
					findings = append(findings, objects.unknown(subject)...)
				case workers(facts):
					findings = append(findings, pass(subject, "%d objects; their replicas are what the switch gives them", len(objects.Value)))
				case slices.ContainsFunc(routeNames(facts), func(route string) bool { return slices.Contains(objects.Value, route) }):
					findings = append(findings, holdsRoute(facts, subject, objects.Value))
				default:
					findings = append(findings, pass(subject, "%d objects, none of them %s", len(objects.Value), routeName(facts)))
				}
			}
			if len(findings) == 0 {
				return []Finding{undeclared("manifests").fix("name them in spec.colors.<name>.manifests")}
			}
			return findings
		},
	}
}

// holdsRoute is the finding about a production route among a colour's objects, at the
// manifest that holds it.
func holdsRoute(facts *Facts, subject string, objects []string) Finding {
	finding := fail(subject, "they hold %s, the production route", routeName(facts))
	for _, route := range routeNames(facts) {
		position, found := facts.Places.Manifests[route].Nearest("")
		if slices.Contains(objects, route) && found {
			finding.Position = &position
			finding.Cause += fmt.Sprintf(" (%s:%d)", position.File, position.Line)
			break
		}
	}
	return finding
}
