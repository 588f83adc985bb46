package traffic

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// How a route is written is the same for every kind of it: by a patch, to one
// object, under our name.

// sender sends a patch to a route's object and returns that as it is then.
type sender[Object any] func(ctx context.Context, kind types.PatchType, body []byte, options metav1.PatchOptions) (Object, error)

// fenced is a patch with changes to a route, as it was read, under a fence.
func fenced(route Route, object metav1.Object, to Split, fence cluster.Fence, changes ...cluster.Operation) (Patch, error) {
	body, err := cluster.RestampingPatch(object, fence, changes...)
	if err != nil {
		return Patch{}, err
	}
	return Patch{Object: route.Object, Namespace: route.Namespace, Type: types.JSONPatchType, Body: body, From: route.Split, To: to, Preview: route.Preview, before: route.Preview, Fence: fence}, nil
}

// write sends a planned patch to the route that it was planned for.
func write[Object any](ctx context.Context, name, namespace string, patch Patch, dryRun bool, send sender[Object]) (written Object, err error) {
	if patch.Object != name || patch.Namespace != namespace {
		return written, fmt.Errorf("write %s in %s: the patch is for %s in %s", name, namespace, patch.Object, patch.Namespace)
	}
	options := metav1.PatchOptions{FieldManager: cluster.FieldManager}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	if written, err = send(ctx, patch.Type, patch.Body, options); err != nil {
		return written, fmt.Errorf("write %s to %s in %s: %w", patch.Told(), name, namespace, cluster.AsFenced(err))
	}
	return written, nil
}

// annotateStop asks for a stop.
func annotateStop[Object any](ctx context.Context, name, namespace, reason string, send sender[Object]) error {
	if reason == "" {
		reason = noReason
	}
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{cluster.AnnotationStop: reason},
	}})
	if err == nil {
		_, err = send(ctx, types.MergePatchType, body, metav1.PatchOptions{FieldManager: cluster.FieldManager})
	}
	if err != nil {
		return fmt.Errorf("annotate %s in %s: %w", name, namespace, err)
	}
	return nil
}
