package preflight

import (
	"context"
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func networkPolicies(ctx context.Context, in Inputs) Fact[[]networkingv1.NetworkPolicy] {
	list, err := in.Client.Kubernetes.NetworkingV1().NetworkPolicies(in.namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return notKnown[[]networkingv1.NetworkPolicy](fmt.Errorf("list networkpolicies in %s: %w", in.namespace(), err))
	}
	return known(list.Items)
}
