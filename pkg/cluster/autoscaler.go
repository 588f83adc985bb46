package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// AnnotationFloor keeps the minReplicas that an autoscaler had before its floor
// was raised, so that whoever goes on, or goes back, can put it back.
const AnnotationFloor = "bluegreen.dev/floor"

// AnnotationFloorHeld keeps the minReplicas that a raised floor was given. An
// autoscaler with another one was changed by somebody else since.
const AnnotationFloorHeld = "bluegreen.dev/floor-held"

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
	// SetBy is who set minReplicas after it was raised, "" when nobody did. It
	// is then left as it is, and only what was recorded is taken away.
	SetBy string `json:"setBy,omitempty"`

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
	change := &FloorChange{From: before, To: floor, operations: []Operation{MinReplicas(floor), Annotate(AnnotationFloorHeld, strconv.Itoa(int(floor)))}}
	if _, recorded := autoscaler.Annotations[AnnotationFloor]; recorded && !setSince(autoscaler) {
		return change // raised before, by this run or by one that was cut off
	}
	text := floorUnset
	if autoscaler.Spec.MinReplicas != nil {
		text = strconv.Itoa(int(before))
	}
	change.operations = append(change.operations, Annotate(AnnotationFloor, text))
	return change
}

// setSince reports whether somebody set minReplicas after the floor was raised,
// be it to the same number: raising it changed the value, which took the field
// from everybody who owned it, so whoever owns it beside us came later. Floors
// that an older version raised don't tell.
func setSince(autoscaler autoscalingv2.HorizontalPodAutoscaler) bool {
	held, found := autoscaler.Annotations[AnnotationFloorHeld]
	return found && (held != strconv.Itoa(int(ptr.Deref(autoscaler.Spec.MinReplicas, 1))) ||
		len(FieldOwners(&autoscaler, "spec", "minReplicas")) > 0)
}

// RecordedFloor is the change that puts back what RaisedFloor recorded, or that
// only forgets it where somebody set another minReplicas since; nil when
// nothing is recorded.
func RecordedFloor(autoscaler autoscalingv2.HorizontalPodAutoscaler) (*FloorChange, error) {
	recorded, found := autoscaler.Annotations[AnnotationFloor]
	if !found {
		return nil, nil
	}
	if setSince(autoscaler) {
		left, by := ptr.Deref(autoscaler.Spec.MinReplicas, 1), LastWriter(FieldOwners(&autoscaler, "spec", "minReplicas"))
		return &FloorChange{From: left, To: left, SetBy: by, operations: forgetFloor(autoscaler)}, nil
	}
	if recorded == floorUnset {
		return givenBack(autoscaler, 1), nil
	}
	floor, err := strconv.ParseInt(recorded, 10, 32)
	if err != nil || floor < 0 {
		return nil, release.WithHint(
			fmt.Errorf("read annotation %s of horizontalpodautoscaler/%s: %q is no number of pods", AnnotationFloor, autoscaler.Name, recorded),
			fmt.Sprintf("set spec.minReplicas by hand, then: kubectl -n %s annotate hpa %s %s-", autoscaler.Namespace, autoscaler.Name, AnnotationFloor))
	}
	return givenBack(autoscaler, int32(floor)), nil
}

// givenBack is the change to the floor that an autoscaler had.
func givenBack(autoscaler autoscalingv2.HorizontalPodAutoscaler, floor int32) *FloorChange {
	return &FloorChange{From: ptr.Deref(autoscaler.Spec.MinReplicas, 1), To: floor,
		operations: append([]Operation{MinReplicas(floor)}, forgetFloor(autoscaler)...)}
}

// forgetFloor takes away what RaisedFloor recorded.
func forgetFloor(autoscaler autoscalingv2.HorizontalPodAutoscaler) []Operation {
	var operations []Operation
	for _, key := range []string{AnnotationFloor, AnnotationFloorHeld} {
		if _, found := autoscaler.Annotations[key]; found {
			operations = append(operations, Operation{Op: "remove", Path: "/metadata/annotations/" + EscapePointer(key)})
		}
	}
	return operations
}

// MinReplicas is the operation that sets the least number of pods of an autoscaler.
func MinReplicas(count int32) Operation {
	return Operation{Op: "add", Path: "/spec/minReplicas", Value: count}
}

// StampAutoscaler puts a fence on an autoscaler, as it is now, and changes
// nothing else: what a former holder sends on top of an older version of it is
// refused. One that is gone needs none.
func (c *Client) StampAutoscaler(ctx context.Context, namespace, name string, fence Fence) error {
	var err error
	for range writeAttempts {
		var autoscaler *autoscalingv2.HorizontalPodAutoscaler
		autoscaler, err = c.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err == nil {
			err = c.ChangeFloor(ctx, *autoscaler, FloorChange{}, fence)
		}
		if !errors.Is(err, ErrFenced) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("stamp horizontalpodautoscaler/%s in %s: %w", name, namespace, err)
	}
	return nil
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
