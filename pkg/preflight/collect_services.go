package preflight

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// entrances are the Services of the namespace.
func entrances(ctx context.Context, in Inputs) Fact[[]traffic.Entrance] {
	list, err := in.Client.Kubernetes.CoreV1().Services(in.namespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return notKnown[[]traffic.Entrance](fmt.Errorf("list services in %s: %w", in.namespace(), err))
	}
	var found []traffic.Entrance
	for index := range list.Items {
		found = append(found, traffic.EntranceOf(&list.Items[index]))
	}
	return known(found)
}
