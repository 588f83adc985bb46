package cluster

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// writeAttempts bounds how often a fenced write to a workload is tried again
// after its controller wrote the status in between.
const writeAttempts = 8

// untilUnfenced carries out a write that reads first, and again where the object
// changed between the two.
func untilUnfenced(ctx context.Context, write func() error) error {
	var err error
	for range writeAttempts {
		if err = write(); !errors.Is(err, ErrFenced) || ctx.Err() != nil {
			break
		}
	}
	return err
}

// Replicas is the operation that sets a workload's wanted replicas.
func Replicas(count int32) Operation {
	return Operation{Op: "add", Path: "/spec/replicas", Value: count}
}

// Scale sets a workload's wanted replicas under a fence. changes go into the
// same patch, such as an annotation that keeps the number from before.
func (c *Client) Scale(ctx context.Context, namespace string, ref release.Workload, replicas int32, fence Fence, changes ...Operation) error {
	if err := c.patchWorkload(ctx, namespace, ref, fence, append([]Operation{Replicas(replicas)}, changes...)); err != nil {
		return fmt.Errorf("scale %s in %s to %d: %w", ref, namespace, replicas, err)
	}
	return nil
}

// Stamp puts a fence on a workload and changes nothing else.
func (c *Client) Stamp(ctx context.Context, namespace string, ref release.Workload, fence Fence) error {
	if err := c.patchWorkload(ctx, namespace, ref, fence, nil); err != nil {
		return fmt.Errorf("stamp %s in %s: %w", ref, namespace, err)
	}
	return nil
}

// patchWorkload reads, patches, and does both again when the object changed
// in between: its controller writes the status all the time. The stamp that
// is read each time decides whether the fence still holds.
func (c *Client) patchWorkload(ctx context.Context, namespace string, ref release.Workload, fence Fence, changes []Operation) error {
	var err error
	for range writeAttempts {
		if err = ctx.Err(); err != nil {
			return err
		}
		var workload *Workload
		if workload, err = c.Workload(ctx, namespace, ref); err != nil {
			return err
		}
		var patch []byte
		if patch, err = FencedPatch(workload.Object, fence, changes...); err != nil {
			return err
		}
		err = c.PatchWorkload(ctx, namespace, ref, patch, false)
		if !errors.Is(err, ErrFenced) {
			return err
		}
	}
	return err
}

// PatchWorkload sends a patch that FencedPatch made. It returns an error that
// wraps ErrFenced when the workload has changed since it was read. With dryRun
// the server checks the patch and persists nothing.
func (c *Client) PatchWorkload(ctx context.Context, namespace string, ref release.Workload, patch []byte, dryRun bool) error {
	options := metav1.PatchOptions{FieldManager: FieldManager}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	var err error
	switch ref.Kind {
	case "deployment":
		_, err = c.Kubernetes.AppsV1().Deployments(namespace).Patch(ctx, ref.Name, types.JSONPatchType, patch, options)
	case "statefulset":
		_, err = c.Kubernetes.AppsV1().StatefulSets(namespace).Patch(ctx, ref.Name, types.JSONPatchType, patch, options)
	default:
		return fmt.Errorf("%s is neither a deployment nor a statefulset", ref.Kind)
	}
	return AsFenced(err)
}

// AsFenced returns err as one that wraps ErrFenced when it is the API
// server's answer to a fenced patch whose tests failed: a 409, or a 422 that
// names no object. The API server answers 422 to a JSON patch that it can't
// apply, and also to an object that fails validation, but only the second
// says which object that is. Any other error is returned as it is.
func AsFenced(err error) error {
	if err == nil || !isFenced(err) {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrFenced, err)
}

func isFenced(err error) bool {
	if apierrors.IsConflict(err) {
		return true
	}
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	return details == nil || (details.Kind == "" && details.Name == "")
}
