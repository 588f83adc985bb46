package lab

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/manifests"
)

// fieldManager owns what a lab applies.
const fieldManager = "lab"

// Apply applies manifests server-side, each the text of one or more YAML
// documents, in the order given. Objects without a namespace go to "default".
func (l *Lab) Apply(ctx context.Context, texts ...string) error {
	applier, err := l.newApplier()
	if err != nil {
		return err
	}
	for _, text := range texts {
		objects, err := manifests.Objects(text)
		if err != nil {
			return err
		}
		for _, object := range objects {
			if err := applier.apply(ctx, object); err != nil {
				return err
			}
		}
	}
	return nil
}

// applier knows the API server's resources.
type applier struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

// newApplier connects to the lab's API server.
func (l *Lab) newApplier() (*applier, error) {
	client, err := dynamic.NewForConfig(l.config)
	if err != nil {
		return nil, fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	resources, err := discovery.NewDiscoveryClientForConfig(l.config)
	if err != nil {
		return nil, fmt.Errorf("connect to lab %s: %w", l.Name(), err)
	}
	return &applier{client, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(resources))}, nil
}

// apply applies one object.
func (a *applier) apply(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	mapping, err := a.mapping(ctx, object)
	if err != nil {
		return fmt.Errorf("apply %s %s: %w", kind.Kind, object.GetName(), err)
	}
	var resource dynamic.ResourceInterface = a.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		namespace := object.GetNamespace()
		if namespace == "" {
			namespace = metav1.NamespaceDefault
		}
		resource = a.client.Resource(mapping.Resource).Namespace(namespace)
	}
	options := metav1.ApplyOptions{FieldManager: fieldManager, Force: true}
	if _, err := resource.Apply(ctx, object.GetName(), object, options); err != nil {
		return fmt.Errorf("apply %s %s: %w", kind.Kind, object.GetName(), err)
	}
	return nil
}

// mapping finds an object's resource. A definition that was applied just
// before takes a moment to be served.
func (a *applier) mapping(ctx context.Context, object *unstructured.Unstructured) (*meta.RESTMapping, error) {
	kind := object.GroupVersionKind()
	var mapping *meta.RESTMapping
	err := await(ctx, 10*time.Second, "kind "+kind.Kind, func(context.Context) (bool, error) {
		var err error
		mapping, err = a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if meta.IsNoMatchError(err) {
			a.mapper.Reset()
			return false, nil
		}
		return err == nil, err
	})
	return mapping, err
}
