package watcher

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
)

// Route is what production requests are sent by.
type Route struct {
	// object names it for people.
	object string
	// receivers are the Services that get requests in a state; why says that
	// there are none.
	receivers func(state) (names []string, why string)
	// lists and kind are of the object, where it is none that is watched
	// anyway.
	lists *cache.ListWatch
	kind  string
}

// Service is a route whose requests all go to one Service.
func Service(name string) Route {
	return Route{object: "service/" + name, receivers: func(state) ([]string, string) { return []string{name}, "" }}
}

// Weighted is an object that shares requests among Services, and receivers are
// those that get any as it stands.
func Weighted(objects dynamic.ResourceInterface, resource, name string, receivers func(*unstructured.Unstructured) ([]string, error)) Route {
	return Route{
		object: resource + "/" + name,
		kind:   resource,
		lists:  listsOf(objects, name),
		receivers: func(now state) ([]string, string) {
			for _, object := range now {
				if route, is := object.(*unstructured.Unstructured); is {
					return someOf(receivers(route))
				}
			}
			return nil, "the route is gone"
		},
	}
}

// someOf says why receivers are none.
func someOf(names []string, err error) ([]string, string) {
	switch {
	case err != nil:
		return nil, fmt.Sprintf("the route can't be read: %v", err)
	case len(names) == 0:
		return nil, "the route gives nothing to anybody"
	}
	return names, ""
}

// listsOf lists and watches one object of a kind without a Go type.
func listsOf(objects dynamic.ResourceInterface, name string) *cache.ListWatch {
	named := func(options metav1.ListOptions) metav1.ListOptions {
		options.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
		return options
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return objects.List(ctx, named(options))
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return objects.Watch(ctx, named(options))
		},
	}
}
