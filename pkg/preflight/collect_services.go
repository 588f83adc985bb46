package preflight

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// services are those of the namespace, without what was written of them elsewhere.
func services(ctx context.Context, in Inputs) Fact[[]corev1.Service] {
	list, err := in.Client.Kubernetes.CoreV1().Services(in.namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return notKnown[[]corev1.Service](fmt.Errorf("list services in %s: %w", in.namespace(), err))
	}
	for index := range list.Items {
		delete(list.Items[index].Annotations, corev1.LastAppliedConfigAnnotation)
		list.Items[index].ManagedFields = nil
	}
	return known(list.Items)
}
