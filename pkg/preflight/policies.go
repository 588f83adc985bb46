package preflight

import (
	"encoding/json"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// policyEffect is what a NetworkPolicy does to the pods of a colour.
type policyEffect struct {
	policy string
	// does says it, such as "it selects the pods of".
	does string
	// rule is all of it but which pods it picks out: two policies with the same
	// rule, one for each colour, treat them alike.
	rule string
}

type policyEffects []policyEffect

// without are those of which others have no like.
func (e policyEffects) without(others policyEffects) policyEffects {
	return slices.DeleteFunc(slices.Clone(e), func(effect policyEffect) bool {
		return slices.ContainsFunc(others, func(other policyEffect) bool { return other.does == effect.does && other.rule == effect.rule })
	})
}

// effectsOn are those of policies on the pods that a colour's workloads make.
func effectsOn(policies []networkingv1.NetworkPolicy, color Color) policyEffects {
	var effects policyEffects
	for _, policy := range policies {
		spec := policy.Spec
		if picks(&spec.PodSelector, color) {
			effects = append(effects, policyEffect{policy.Name, "it selects the pods of", asText(spec.PolicyTypes, spec.Ingress, spec.Egress)})
		}
		for _, rule := range spec.Ingress {
			if admits(rule.From, color) {
				effects = append(effects, policyEffect{policy.Name, "it lets in", asText(spec.PodSelector, rule.Ports)})
			}
		}
		for _, rule := range spec.Egress {
			if admits(rule.To, color) {
				effects = append(effects, policyEffect{policy.Name, "it lets pods out to", asText(spec.PodSelector, rule.Ports)})
			}
		}
	}
	return effects
}

// admits reports whether peers pick out the pods of a colour by their labels. An
// empty list and blocks of addresses are for both colours alike.
func admits(peers []networkingv1.NetworkPolicyPeer, color Color) bool {
	return slices.ContainsFunc(peers, func(peer networkingv1.NetworkPolicyPeer) bool {
		return peer.PodSelector != nil && picks(peer.PodSelector, color)
	})
}

// picks reports whether a selector matches what a workload of a colour makes.
func picks(selector *metav1.LabelSelector, color Color) bool {
	matcher, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && slices.ContainsFunc(color.Workloads.Value, func(workload cluster.Workload) bool {
		return matcher.Matches(labels.Set(workload.Template.Labels))
	})
}

// asText is the same for the same values.
func asText(values ...any) string {
	text, err := json.Marshal(values)
	if err != nil { // plain API types, which are JSON
		return err.Error()
	}
	return string(text)
}
