package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Applied is one object that was applied, as the server holds it now, and
// what became of it. Operation is created, configured or unchanged.
type Applied struct {
	Object    *unstructured.Unstructured
	Operation string
}

// The operations of Applied.
const (
	Created    = "created"
	Configured = "configured"
	Unchanged  = "unchanged"
)

// ApplyOptions say under which right objects are applied.
type ApplyOptions struct {
	// Fence is the run's.
	Fence Fence
	// DryRun ends before the first write.
	DryRun bool
	// CheckStamp is asked before each write, and ends the rest by an error,
	// such as one that wraps ErrFenced; nil asks nothing.
	CheckStamp func(ctx context.Context) error
}

// Apply sends objects by server-side apply under our field manager, what
// others stand on first: namespaces, accounts and rights, configuration,
// storage, Services, workloads, the rest. It never takes a field from another
// manager: that is a *FieldConflictError. Before the first write everything
// is sent as a dry run, so that a refusal of one object leaves none of them
// half applied.
//
// Every object is stamped with the fence, and one that carries a newer stamp
// is left alone: that is an error that wraps ErrFenced. So whoever takes over
// stamps, by StampObject, what was being applied. An object that does not exist
// carries none. CheckStamp stands for it, and what a process sends that falls
// asleep between the two may still create it, as long as nobody else has: an
// object of the target, which no route selects for that.
//
// Pods are made anew where a ConfigMap or a Secret that they are given has
// changed: see AnnotationConfiguration.
//
// Objects without a namespace go to namespace; one that names another
// namespace is refused.
func (c *Client) Apply(ctx context.Context, namespace string, objects []*unstructured.Unstructured, options ApplyOptions) ([]Applied, error) {
	objects, err := c.WithConfiguration(ctx, namespace, objects)
	if err != nil {
		return nil, fmt.Errorf("apply: %w", err)
	}
	requests := make([]applyRequest, 0, len(objects))
	for _, object := range applyOrder(objects) {
		request, err := c.applyRequest(namespace, object)
		if err != nil {
			return nil, err
		}
		options.Fence.stamp(request.object)
		requests = append(requests, request)
	}
	applied := make([]Applied, 0, len(requests))
	for _, request := range requests {
		trial, err := request.send(ctx, options.Fence, true)
		if err != nil {
			return nil, err
		}
		applied = append(applied, trial)
	}
	if options.DryRun {
		return applied, nil
	}
	for index, request := range requests {
		if options.CheckStamp != nil {
			if err := options.CheckStamp(ctx); err != nil {
				return applied[:index], fmt.Errorf("apply %s: %w", request.name, err)
			}
		}
		var err error
		if applied[index], err = request.send(ctx, options.Fence, false); err != nil {
			return applied[:index], err
		}
	}
	return applied, nil
}

// applyRequest is one object and where it is sent.
type applyRequest struct {
	object *unstructured.Unstructured
	to     dynamic.ResourceInterface
	name   string // kind/name, for people
}

func (c *Client) applyRequest(namespace string, object *unstructured.Unstructured) (applyRequest, error) {
	name := strings.ToLower(object.GetKind()) + "/" + object.GetName()
	kind := object.GroupVersionKind()
	mapping, err := c.Mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return applyRequest{}, fmt.Errorf("apply %s: %w", name, err)
	}
	object = object.DeepCopy()
	// What a server wrote into an exported manifest can't be applied.
	object.SetManagedFields(nil)
	object.SetResourceVersion("")
	resource := c.Dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return applyRequest{object: object, to: resource, name: name}, nil
	}
	if found := object.GetNamespace(); found != "" && found != namespace {
		return applyRequest{}, release.WithHint(
			fmt.Errorf("apply %s: it names namespace %s, and the release lives in %s", name, found, namespace),
			"leave metadata.namespace out of the manifest, or set metadata.namespace of the release")
	}
	object.SetNamespace(namespace)
	return applyRequest{object: object, to: resource.Namespace(namespace), name: name}, nil
}

// send applies the object and compares it with what was there. An object that
// its controller wrote between the read and the write is read again: what the
// fence permitted must be what is written over.
func (r applyRequest) send(ctx context.Context, fence Fence, dryRun bool) (Applied, error) {
	var err error
	for range writeAttempts {
		var before, after *unstructured.Unstructured
		if before, err = r.read(ctx); err != nil {
			break
		}
		if before != nil {
			if err = fence.permits(before); err != nil {
				break
			}
		}
		if after, err = r.write(ctx, before, dryRun); err == nil {
			return Applied{Object: after, Operation: operationOf(before, after)}, nil
		}
		if !apierrors.IsConflict(err) || fieldConflict(r.name, err) != nil || ctx.Err() != nil {
			break
		}
		err = AsFenced(err)
	}
	if conflict := fieldConflict(r.name, err); conflict != nil {
		return Applied{}, conflict
	}
	return Applied{}, fmt.Errorf("apply %s: %w", r.name, unvalued(err))
}

// read returns the object as the server holds it, nil when it holds none.
func (r applyRequest) read(ctx context.Context) (*unstructured.Unstructured, error) {
	found, err := r.to.Get(ctx, r.object.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // nothing is there, and that is no error
	}
	return found, err
}

// noVersion is a resourceVersion that no object ever has, for etcd counts from 1
// and its first write is the second. An apply with it creates an object, and is a
// conflict where there is one.
const noVersion = "1"

// write applies the object onto the one that was read and no other, and where
// none was, onto none.
func (r applyRequest) write(ctx context.Context, before *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	sent := r.object.DeepCopy()
	sent.SetResourceVersion(noVersion)
	if before != nil {
		sent.SetResourceVersion(before.GetResourceVersion())
	}
	options := metav1.ApplyOptions{FieldManager: FieldManager}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	after, err := r.to.Apply(ctx, sent.GetName(), sent, options)
	if conflict := fieldConflict(r.name, err); conflict != nil && conflict.onlyWith(FieldManager) {
		// A field that we set by a patch, such as the replicas of Scale,
		// stands under our name as an update, and conflicts with our apply.
		options.Force = true
		after, err = r.to.Apply(ctx, sent.GetName(), sent, options)
	}
	return after, err
}

// operationOf compares what a person can set; the server's own bookkeeping
// and our stamp change with every write.
func operationOf(before, after *unstructured.Unstructured) string {
	switch {
	case before == nil:
		return Created
	case reflect.DeepEqual(settable(before), settable(after)):
		return Unchanged
	}
	return Configured
}

func settable(object *unstructured.Unstructured) map[string]any {
	copied := object.DeepCopy()
	copied.SetManagedFields(nil)
	copied.SetResourceVersion("")
	copied.SetGeneration(0)
	annotations := copied.GetAnnotations()
	delete(annotations, AnnotationEpoch)
	delete(annotations, AnnotationHolder)
	copied.SetAnnotations(annotations)
	delete(copied.Object, "status")
	return maps.Clone(copied.Object)
}

// applyKinds is the order in which kinds are applied; others come last.
var applyKinds = []string{
	"Namespace", "CustomResourceDefinition", "PriorityClass", "StorageClass",
	"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding",
	"ResourceQuota", "LimitRange", "NetworkPolicy", "Secret", "ConfigMap",
	"PersistentVolume", "PersistentVolumeClaim", "Service",
	"DaemonSet", "StatefulSet", "Deployment", "Job", "CronJob",
}

// applyOrder sorts objects by kind and keeps their order otherwise.
func applyOrder(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	rank := func(object *unstructured.Unstructured) int {
		if at := slices.Index(applyKinds, object.GetKind()); at >= 0 {
			return at
		}
		return len(applyKinds)
	}
	return slices.SortedStableFunc(slices.Values(objects), func(a, b *unstructured.Unstructured) int { return rank(a) - rank(b) })
}

// FieldConflictError says that fields of an object belong to other managers.
type FieldConflictError struct {
	// Object is kind/name.
	Object string
	// Conflicts are the fields, each with its owner.
	Conflicts []FieldConflict
	cause     error
}

// FieldConflict is one field that another manager owns.
type FieldConflict struct {
	Field, Manager string
}

// Error names every field and its owner.
func (e *FieldConflictError) Error() string {
	parts := make([]string, 0, len(e.Conflicts))
	for _, conflict := range e.Conflicts {
		parts = append(parts, fmt.Sprintf("%s belongs to %s", conflict.Field, conflict.Manager))
	}
	return fmt.Sprintf("apply %s: %s", e.Object, strings.Join(parts, ", "))
}

// Unwrap returns the API server's answer.
func (e *FieldConflictError) Unwrap() error { return e.cause }

// clientSideApply is who owns what kubectl apply writes without --server-side.
const clientSideApply = "kubectl-client-side-apply"

// Hint says how the owner's consent is given once.
func (e *FieldConflictError) Hint() string {
	hand := "kubectl apply --server-side --force-conflicts --field-manager=" + FieldManager + " -f FILE"
	if e.onlyWith(clientSideApply) {
		return "they were applied by hand without --server-side, which keeps the fields; to hand them over once: " + hand +
			"; without --force-conflicts it is how to apply them by hand ever after"
	}
	return "to hand the fields over once: " + hand + "; or take them out of the manifest"
}

// onlyWith reports whether every field belongs to one manager.
func (e *FieldConflictError) onlyWith(manager string) bool {
	return !slices.ContainsFunc(e.Conflicts, func(conflict FieldConflict) bool { return conflict.Manager != manager })
}

// fieldConflict reads a server-side apply conflict, nil when err is not one.
func fieldConflict(name string, err error) *FieldConflictError {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	conflict := &FieldConflictError{Object: name, cause: err}
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		manager := cause.Message
		if _, quoted, found := strings.Cut(manager, `conflict with "`); found {
			manager, _, _ = strings.Cut(quoted, `"`)
		}
		conflict.Conflicts = append(conflict.Conflicts, FieldConflict{Field: cause.Field, Manager: manager})
	}
	if len(conflict.Conflicts) == 0 {
		return nil
	}
	return conflict
}
