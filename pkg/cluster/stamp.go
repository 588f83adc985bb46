package cluster

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Reference names an object of any kind. What has a namespace is in the release's.
type Reference struct {
	APIVersion string
	Kind       string
	Name       string
}

// MarshalText is apiVersion/kind/name, such as apps/v1/Deployment/shop: a record
// has room for many.
func (r Reference) MarshalText() ([]byte, error) {
	return []byte(r.APIVersion + "/" + r.Kind + "/" + r.Name), nil
}

// UnmarshalText reads what MarshalText wrote.
func (r *Reference) UnmarshalText(text []byte) error {
	parts := strings.Split(string(text), "/")
	if len(parts) < 3 || len(parts) > 4 {
		return fmt.Errorf("%.80q names no object as apiVersion/kind/name", text)
	}
	last := len(parts) - 1
	r.APIVersion, r.Kind, r.Name = strings.Join(parts[:last-1], "/"), parts[last-1], parts[last]
	return nil
}

// ReferenceOf names an object.
func ReferenceOf(object *unstructured.Unstructured) Reference {
	return Reference{APIVersion: object.GetAPIVersion(), Kind: object.GetKind(), Name: object.GetName()}
}

// String is kind/name as kubectl prints it.
func (r Reference) String() string { return strings.ToLower(r.Kind) + "/" + r.Name }

// object is one that has nothing but its name.
func (r Reference) object() *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(r.APIVersion)
	object.SetKind(r.Kind)
	object.SetName(r.Name)
	return object
}

// StampObject puts a fence on an object of any kind, as it is now, and changes
// nothing else: what a former holder sends on top of an older version of it is
// refused. One that does not exist needs none, and one that has this stamp is not
// written again. It returns an error that wraps ErrFenced where the object has a
// newer stamp.
func (c *Client) StampObject(ctx context.Context, namespace string, reference Reference, fence Fence) error {
	request, err := c.applyRequest(namespace, reference.object())
	if meta.IsNoMatchError(err) {
		return nil // a kind that is gone, and its objects with it
	}
	if err != nil {
		return fmt.Errorf("stamp %s: %w", reference, err)
	}
	if err := untilUnfenced(ctx, func() error { return request.stampOnly(ctx, fence) }); err != nil {
		return fmt.Errorf("stamp %s in %s: %w", reference, namespace, err)
	}
	return nil
}

// stampOnly reads the object and puts the fence on that version of it.
func (r applyRequest) stampOnly(ctx context.Context, fence Fence) error {
	found, err := r.read(ctx)
	if err != nil || found == nil {
		return err
	}
	if stamp, err := FenceOf(found); err == nil && stamp == fence {
		return nil
	}
	patch, err := FencedPatch(found, fence)
	if err != nil {
		return err
	}
	_, err = r.to.Patch(ctx, r.object.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: FieldManager})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return AsFenced(err)
}
