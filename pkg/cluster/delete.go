package cluster

import (
	"context"
	"errors"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// ErrReplaced is returned by a deletion whose object is another one of the same
// name than the one that was meant.
var ErrReplaced = errors.New("it is another object of that name by now")

// Deletion is one object that is to be deleted, as it was seen.
type Deletion struct {
	// Kind is deployment, statefulset, service, poddisruptionbudget or
	// horizontalpodautoscaler.
	Kind string
	Name string
	// UID is the object's that was seen.
	UID types.UID
}

// String is kind/name as kubectl prints it.
func (d Deletion) String() string { return d.Kind + "/" + d.Name }

// Right is the right that the deletion takes in a namespace.
func (d Deletion) Right(namespace string) authorizationv1.ResourceAttributes {
	groups := map[string]string{"deployment": "apps", "statefulset": "apps", "poddisruptionbudget": "policy", "horizontalpodautoscaler": "autoscaling"}
	return authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "delete", Group: groups[d.Kind], Resource: d.Kind + "s", Name: d.Name}
}

// deletable is what a deletion takes of a typed client.
type deletable struct {
	get    func(context.Context, string, metav1.GetOptions) (metav1.Object, error)
	remove func(context.Context, string, metav1.DeleteOptions) error
}

// Delete deletes one object under a fence: only the one that was seen, by its
// uid, and only as it was read again here, by its resourceVersion, with a stamp
// that the fence may replace. Its pods go with it, in the background. An object
// that is gone is no error.
func (c *Client) Delete(ctx context.Context, namespace string, deletion Deletion, fence Fence) error {
	client, err := c.deletable(namespace, deletion.Kind)
	if err != nil {
		return fmt.Errorf("delete %s in %s: %w", deletion, namespace, err)
	}
	if err := untilUnfenced(ctx, func() error { return client.delete(ctx, deletion, fence) }); err != nil {
		return fmt.Errorf("delete %s in %s: %w", deletion, namespace, err)
	}
	return nil
}

// delete reads and deletes once.
func (d deletable) delete(ctx context.Context, deletion Deletion, fence Fence) error {
	object, err := d.get(ctx, deletion.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return err
	case object.GetUID() != deletion.UID:
		return ErrReplaced
	}
	if err := fence.permits(object); err != nil {
		return err
	}
	err = d.remove(ctx, deletion.Name, metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: ptr.To(object.GetUID()), ResourceVersion: ptr.To(object.GetResourceVersion())},
		PropagationPolicy: ptr.To(metav1.DeletePropagationBackground),
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return AsFenced(err)
}

// deletable is the typed client of a kind.
func (c *Client) deletable(namespace, kind string) (deletable, error) {
	switch kind {
	case "deployment":
		objects := c.Kubernetes.AppsV1().Deployments(namespace)
		return deletable{getter(objects.Get), objects.Delete}, nil
	case "statefulset":
		objects := c.Kubernetes.AppsV1().StatefulSets(namespace)
		return deletable{getter(objects.Get), objects.Delete}, nil
	case "service":
		objects := c.Kubernetes.CoreV1().Services(namespace)
		return deletable{getter(objects.Get), objects.Delete}, nil
	case "poddisruptionbudget":
		objects := c.Kubernetes.PolicyV1().PodDisruptionBudgets(namespace)
		return deletable{getter(objects.Get), objects.Delete}, nil
	case "horizontalpodautoscaler":
		objects := c.Kubernetes.AutoscalingV2().HorizontalPodAutoscalers(namespace)
		return deletable{getter(objects.Get), objects.Delete}, nil
	}
	return deletable{}, fmt.Errorf("%s is no kind that is deleted", kind)
}

// getter forgets the type of what a typed client gets.
func getter[Object metav1.Object](get func(context.Context, string, metav1.GetOptions) (Object, error)) func(context.Context, string, metav1.GetOptions) (metav1.Object, error) {
	return func(ctx context.Context, name string, options metav1.GetOptions) (metav1.Object, error) {
		return get(ctx, name, options)
	}
}
