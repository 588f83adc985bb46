package preflight

import (
	"maps"
	"slices"
	"strings"
)

func fieldOwners() Check {
	return Check{
		ID: "BG-NET-04", Title: "nothing else writes the route's selector or weights", Area: AreaRouting,
		Stages: []Stage{StageDeploy},
		Why:    "A GitOps controller that owns the selector, or the weights, undoes the switch minutes after it, silently.",
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
			var beside []Finding
			if workers(facts) {
				beside = writtenBeside(facts)
			}
			if len(controllers) > 0 {
				return append(beside, warn(subject, "%s owns its %s and may undo a switch", strings.Join(controllers, ", "), written(facts)).
					with("fields", strings.Join(slices.Sorted(maps.Keys(owners)), ", ")).fix("%s", ignoring(controllers)))
			}
			return append(beside, pass(subject, "no controller owns its %s", written(facts)))
		},
	}
}

// written is what a switch writes of the production route, for people; of a set of
// both kinds it is the one or the other.
func written(facts *Facts) string {
	services := len(facts.Release.Spec.Traffic.Services()) > 0
	switch {
	case workers(facts):
		return "replicas"
	case weighted(facts) && services:
		return "selector or weights"
	case weighted(facts):
		return "weights"
	}
	return "selector"
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
