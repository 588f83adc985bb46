package preflight

import (
	"maps"
	"slices"
	"strings"
)

func fieldOwners() Check {
	return Check{
		ID: "BG-NET-04", Title: "nothing else writes the route's selector", Area: AreaRouting,
		Stages: []Stage{StageDeploy},
		Why:    "A GitOps controller that owns the selector puts it back minutes after the switch, silently.",
		Remedy: "tell the controller to ignore the selector: ignoreDifferences with managedFieldsManagers [bluegreen] in Argo CD, or a kustomize.toolkit.fluxcd.io/ssa: Merge annotation and no selector in Flux",
		Source: "second runbook, Pre-Deployment Checklist (svc-production selector can be patched atomically)",
		Evaluate: func(facts *Facts) []Finding {
			subject := routeName(facts)
			if !facts.Route.Known {
				return facts.Route.unknown(subject)
			}
			if facts.Route.Value.Ambiguous != "" {
				return []Finding{skip(subject, "no colour can be read out of it (BG-COL-05)")}
			}
			var controllers []string
			owners := facts.Route.Value.State.Owners
			for _, field := range slices.Sorted(maps.Keys(owners)) {
				for _, owner := range owners[field] {
					if isController(owner) && !slices.Contains(controllers, owner) {
						controllers = append(controllers, owner)
					}
				}
			}
			if len(controllers) > 0 {
				return []Finding{warn(subject, "%s owns its selector and may put it back", strings.Join(controllers, ", ")).
					with("fields", strings.Join(slices.Sorted(maps.Keys(owners)), ", "))}
			}
			return []Finding{pass(subject, "no controller owns its selector")}
		},
	}
}

// isController reports whether a field manager writes again by itself. What
// kubectl wrote once stays as it is until somebody types again.
func isController(manager string) bool {
	for _, name := range []string{"argocd", "kustomize-controller", "helm-controller", "helm", "flux", "rancher", "fleet", "config-sync", "configsync", "sveltos", "kapp"} {
		if strings.Contains(strings.ToLower(manager), name) {
			return true
		}
	}
	return false
}
