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
		Remedy: "have the controller leave these fields alone: kubectl bluegreen generate gitops writes the rules for Argo CD, and with --for flux those for Flux. Who owns the fields stays the same, so this finding stays too: suppress it with that as the reason",
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
			what := "its selector"
			var beside []Finding
			if workers(facts) {
				what = "its replicas"
				beside = writtenBeside(facts)
			}
			if len(controllers) > 0 {
				return append(beside, warn(subject, "%s owns %s and may put it back", strings.Join(controllers, ", "), what).
					with("fields", strings.Join(slices.Sorted(maps.Keys(owners)), ", ")).fix("%s", ignoring(controllers)))
			}
			return append(beside, pass(subject, "no controller owns %s", what))
		},
	}
}

// ignoring is the remedy for controllers of one kind for which rules can be
// written; "" is that for all.
func ignoring(controllers []string) string {
	for name, line := range map[string]string{"argocd": "generate gitops --for argocd", "kustomize-controller": "generate gitops --for flux"} {
		other := func(controller string) bool { return !strings.Contains(strings.ToLower(controller), name) }
		if !slices.ContainsFunc(controllers, other) {
			return "have it leave these fields alone: kubectl bluegreen " + line + "; once it does, suppress this finding with that as the reason"
		}
	}
	return ""
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
