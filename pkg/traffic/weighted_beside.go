package traffic

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// besideOf reads the object beside a route's, and holds it against that. Without
// one that agrees, the weights of the route say nothing of where requests go.
func (r *weightedRouter) besideOf(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	beside, err := r.objects().Get(ctx, r.kind.beside, metav1.GetOptions{})
	if err == nil {
		err = r.kind.agrees(object.Object, beside.Object, r.colors)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s/%s in %s, to which %s belongs: %w", r.kind.kind, r.kind.beside, r.namespace, r.object(), err)
	}
	return beside, nil
}
