package cluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// AnnotationFloor keeps the minReplicas that an autoscaler had before its floor
// was raised, so that whoever goes on, or goes back, can put it back.
const AnnotationFloor = "bluegreen.dev/floor"

// floorUnset stands in AnnotationFloor for a minReplicas that was not set.
const floorUnset = "unset"

// Autoscales reports whether an autoscaler scales a workload.
func Autoscales(autoscaler autoscalingv2.HorizontalPodAutoscaler, ref release.Workload) bool {
	target := autoscaler.Spec.ScaleTargetRef
	return strings.EqualFold(target.Kind, ref.Kind) && target.Name == ref.Name
}

// Autoscalers lists the autoscalers of a workload.
func (c *Client) Autoscalers(ctx context.Context, namespace string, ref release.Workload) ([]autoscalingv2.HorizontalPodAutoscaler, error) {
	list, err := c.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list horizontalpodautoscalers in %s: %w", namespace, err)
	}
	return slices.DeleteFunc(list.Items, func(found autoscalingv2.HorizontalPodAutoscaler) bool { return !Autoscales(found, ref) }), nil
}

// FloorChange is a change of an autoscaler's minReplicas that was not sent yet.
type FloorChange struct {
	// From and To are minReplicas before and after.
	From int32 `json:"from"`
	To   int32 `json:"minReplicas"`

	operations []Operation
}

// RaisedFloor is the change that keeps an autoscaler from going below a number
// of pods, as far as its maxReplicas goes, and that records what was there
// before; nil when it can't go below that as it is.
func RaisedFloor(autoscaler autoscalingv2.HorizontalPodAutoscaler, pods int32) *FloorChange {
	before, floor := ptr.Deref(autoscaler.Spec.MinReplicas, 1), min(pods, autoscaler.Spec.MaxReplicas)
	if before >= floor {
		return nil
	}
	change := &FloorChange{From: before, To: floor, operations: []Operation{minReplicas(floor)}}
	if _, recorded := autoscaler.Annotations[AnnotationFloor]; recorded {
		return change // raised before, by this run or by one that was cut off
	}
	text := floorUnset
	if autoscaler.Spec.MinReplicas != nil {
		text = strconv.Itoa(int(before))
	}
	change.operations = append(change.operations, Annotate(AnnotationFloor, text))
	return change
}

// RecordedFloor is the change that puts back what RaisedFloor recorded; nil
// when nothing is recorded.
func RecordedFloor(autoscaler autoscalingv2.HorizontalPodAutoscaler) (*FloorChange, error) {
	recorded, found := autoscaler.Annotations[AnnotationFloor]
	if !found {
		return nil, nil
	}
	forget := Operation{Op: "remove", Path: "/metadata/annotations/" + EscapePointer(AnnotationFloor)}
	before := ptr.Deref(autoscaler.Spec.MinReplicas, 1)
	if recorded == floorUnset {
		return &FloorChange{From: before, To: 1, operations: []Operation{minReplicas(1), forget}}, nil
	}
	floor, err := strconv.ParseInt(recorded, 10, 32)
	if err != nil || floor < 0 {
		return nil, release.WithHint(
			fmt.Errorf("read annotation %s of horizontalpodautoscaler/%s: %q is no number of pods", AnnotationFloor, autoscaler.Name, recorded),
			fmt.Sprintf("set spec.minReplicas by hand, then: kubectl -n %s annotate hpa %s %s-", autoscaler.Namespace, autoscaler.Name, AnnotationFloor))
	}
	return &FloorChange{From: before, To: int32(floor), operations: []Operation{minReplicas(int32(floor)), forget}}, nil
}

func minReplicas(count int32) Operation {
	return Operation{Op: "add", Path: "/spec/minReplicas", Value: count}
}

// ChangeFloor sends a change of an autoscaler as it was read, under a fence. It
// returns an error that wraps ErrFenced when somebody, such as its controller,
// has written to it since.
func (c *Client) ChangeFloor(ctx context.Context, autoscaler autoscalingv2.HorizontalPodAutoscaler, change FloorChange, fence Fence) error {
	patch, err := FencedPatch(&autoscaler, fence, change.operations...)
	if err != nil {
		return err
	}
	_, err = c.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(autoscaler.Namespace).
		Patch(ctx, autoscaler.Name, types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	if err != nil {
		return fmt.Errorf("set minReplicas of horizontalpodautoscaler/%s in %s to %d: %w", autoscaler.Name, autoscaler.Namespace, change.To, AsFenced(err))
	}
	return nil
}
