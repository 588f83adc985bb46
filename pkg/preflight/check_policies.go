package preflight

import (
	"slices"
	"strings"
)

func policiesAlike() Check {
	return Check{
		ID: "BG-NET-06", Title: "network policies treat both colours alike", Area: AreaRouting,
		Stages: []Stage{StageDeploy},
		Why:    "A policy that selects one colour's pods alone, or lets only them in elsewhere, shows with the first request that the other colour sends or gets: its database refuses it, or nobody reaches it. Policies of other namespaces and of a network's own kinds are not looked at.",
		Remedy: "let the policy select what both colours have in common, or write the same one for the other colour",
		Source: "first runbook, Deployment Procedure, step 2 (confirm database connectivity)",
		Evaluate: func(facts *Facts) []Finding {
			colors := facts.colors()
			switch {
			case len(colors) != 2:
				return []Finding{skip("network policies", "there are not two colours to compare")}
			case !facts.NetworkPolicies.Known:
				return facts.NetworkPolicies.unknown("networkpolicies")
			}
			for _, color := range colors {
				if !color.Workloads.Known {
					return color.Workloads.unknown("colour " + color.Name)
				}
			}
			return policiesOf(facts, colors[0], colors[1])
		},
	}
}

// policiesOf holds what policies do to one colour against what they do to the
// other.
func policiesOf(facts *Facts, one, other Color) []Finding {
	all := overlaid(facts.NetworkPolicies.Value, append(slices.Clone(one.PoliciesPlanned), other.PoliciesPlanned...))
	var findings []Finding
	for _, pair := range [][2]Color{{one, other}, {other, one}} {
		alone := effectsOn(all, pair[0]).without(effectsOn(all, pair[1]))
		for _, effect := range alone {
			findings = append(findings, warn("networkpolicy/"+effect.policy, "%s %s, and nothing does the same for %s", effect.does, pair[0].Name, pair[1].Name))
		}
	}
	if len(findings) == 0 {
		return []Finding{pass("networkpolicies", "%d treat %s and %s alike", len(all), one.Name, other.Name)}
	}
	slices.SortFunc(findings, func(a, b Finding) int { return strings.Compare(a.Subject+a.Cause, b.Subject+b.Cause) })
	return slices.CompactFunc(findings, func(a, b Finding) bool { return a.Subject == b.Subject && a.Cause == b.Cause })
}
