package preflight

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

// Policies that do the same to both colours are no fault, however they are
// written.
func TestPoliciesThatTreatColoursAlikePass(t *testing.T) {
	both := func(selector string) []networkingv1.NetworkPolicy {
		var policies []networkingv1.NetworkPolicy
		for _, color := range []string{"blue", "green"} {
			own := policyFor("own-"+color, map[string]string{"version": color}, map[string]string{"app": "gateway"})
			letsIn := policyFor("database-"+color, map[string]string{"app": selector}, map[string]string{"version": color})
			policies = append(policies, own, letsIn)
		}
		return policies
	}
	for name, policies := range map[string][]networkingv1.NetworkPolicy{
		"none":                     {},
		"the same for each colour": both("postgres"),
		"for neither":              {policyFor("other", map[string]string{"app": "other"}, map[string]string{"app": "gateway"})},
		"from addresses": {{Spec: networkingv1.NetworkPolicySpec{Ingress: []networkingv1.NetworkPolicyIngressRule{
			{From: []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "10.0.0.0/8"}}}}, {}}}}},
	} {
		facts := healthy()
		facts.NetworkPolicies = known(policies)
		findings := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), "BG-NET-06")
		if len(findings) != 1 || findings[0].Outcome != Pass {
			t.Errorf("%s: %+v, want a pass", name, findings)
		}
	}
}
