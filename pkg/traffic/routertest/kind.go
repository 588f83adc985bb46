package routertest

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"
	"sigs.k8s.io/yaml"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Namespace is where the routes of the suite are; each is called [Name].
const (
	Namespace = "shop"
	Name      = "shop"
)

// Kind is one kind of route with weights: how one is written, looked at and
// disturbed, whatever holds it.
type Kind struct {
	Resource schema.GroupVersionResource
	Declare  func(*release.Traffic)
	// Fresh gives everything to blue, with weights of 1 and 0; None is the same
	// without green, "" where a route can't be without.
	Fresh, None string
	// Beside are other objects without which the route is none.
	Beside []string
	// Backends are the backends of the first part, by Service.
	Backends func(object map[string]any) []Backend
	// Set sets the weight of a backend.
	Set func(object map[string]any, service string, weight int64)
	// Further adds a part that leads to others alone, with weights; nil where a route
	// has one part.
	Further func(object map[string]any)
	// Tied: a Service has one weight in all parts, so those of a further part are
	// multiplied with the colours'.
	Tied bool
	// Insert adds a backend; nil where there can't be another one.
	Insert func(object map[string]any, service string, weight int64)
	// Open opens the router; nil is as a Release does.
	Open func(*cluster.Client, *release.Release, clock.Clock) (traffic.Router, error)
	// Missing is what the hint says of None; "" is to add the Service.
	Missing string
	// Previews are its rules; nil where it can't lead some requests to one colour.
	Previews *PreviewRules
}

// Release is a release of a blue and a green version, each with a Service of
// its own, that declares a route.
func Release(declare func(*release.Traffic)) *release.Release {
	rel := &release.Release{
		Metadata: release.Metadata{Name: "shop", Namespace: Namespace},
		Spec: release.Spec{Colors: map[string]release.Color{
			"blue":  {Selector: map[string]string{"version": "blue"}, Service: "svc-blue"},
			"green": {Selector: map[string]string{"version": "green"}, Service: "svc-green"},
		}},
	}
	declare(&rel.Spec.Traffic)
	return rel
}

// Router opens the router of a route of the kind.
func (k Kind) Router(client *cluster.Client) (traffic.Router, error) {
	open := k.Open
	if open == nil {
		open = traffic.NewRouter
	}
	return open(client, Release(k.Declare), clock.RealClock{})
}

// Fixture is the route as the suite takes it: moved by a router, and disturbed
// by somebody else, in a namespace of their objects.
func (k Kind) Fixture(router traffic.Router, objects dynamic.ResourceInterface, forbid func(t *testing.T)) Fixture {
	return Fixture{
		Router: router, Live: "blue", Idle: "green",
		Edit: func(t *testing.T) {
			Edit(t, objects, func(object map[string]any) {
				metadata, _ := object["metadata"].(map[string]any)
				metadata["labels"] = map[string]any{"team": "a"}
			})
		},
		CheckEdit: func(t *testing.T) {
			object := &unstructured.Unstructured{Object: look(t, objects)}
			if object.GetLabels()["team"] != "a" {
				t.Errorf("labels %v", object.GetLabels())
			}
		},
		Stamp: stamp(router),
		Break: func(t *testing.T) {
			Edit(t, objects, func(object map[string]any) {
				k.Set(object, "svc-blue", 0)
				k.Set(object, "svc-green", 0)
			})
		},
		Delete: func(t *testing.T) {
			if err := objects.Delete(context.Background(), Name, metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		},
		Forbid:   forbid,
		Weights:  k.weights(objects),
		Previews: k.previews(objects),
	}
}

// stamp puts a fence on a route that gives everything to blue, by its router.
func stamp(router traffic.Router) func(t *testing.T, fence cluster.Fence) {
	return func(t *testing.T, fence cluster.Fence) {
		patch, err := router.Plan(read(t, router), traffic.Whole("blue"), fence)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := router.Write(context.Background(), patch, false); err != nil {
			t.Fatal(err)
		}
	}
}

// Object is an object as it is written.
func Object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	written, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = object.UnmarshalJSON(written)
	}
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return object
}

// Edit changes the route as another person would.
func Edit(t *testing.T, objects dynamic.ResourceInterface, change func(object map[string]any)) {
	t.Helper()
	object := &unstructured.Unstructured{Object: look(t, objects)}
	change(object.Object)
	if _, err := objects.Update(context.Background(), object, metav1.UpdateOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
}

// look reads the route past its router.
func look(t *testing.T, objects dynamic.ResourceInterface) map[string]any {
	t.Helper()
	object, err := objects.Get(context.Background(), Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return object.Object
}

// rest is all of a route but the weights of the colours, the marks that a router leaves,
// and what an API server or a proxy writes.
func (k Kind) rest(object map[string]any) map[string]any {
	k.Set(object, "svc-blue", 0)
	k.Set(object, "svc-green", 0)
	delete(object, "status")
	metadata := Within(object, "metadata")
	for _, field := range []string{"resourceVersion", "generation", "managedFields"} {
		delete(metadata, field)
	}
	annotations, _ := metadata["annotations"].(map[string]any)
	for annotation := range annotations {
		if strings.HasPrefix(annotation, "bluegreen.dev/") {
			delete(annotations, annotation)
		}
	}
	if len(annotations) == 0 {
		delete(metadata, "annotations")
	}
	return object
}

// weights are the ways of the route to be disturbed that its weights add.
func (k Kind) weights(objects dynamic.ResourceInterface) *Weights {
	found := &Weights{
		Tied: k.Tied,
		Backends: func(t *testing.T) []Backend {
			var found []Backend
			for _, one := range k.Backends(look(t, objects)) {
				if one.Color = strings.TrimPrefix(one.Color, "svc-"); one.Color == "canary" {
					one.Color = ""
				}
				found = append(found, one)
			}
			return found
		},
		Rest: func(t *testing.T) map[string]any { return k.rest(look(t, objects)) },
	}
	if k.Further != nil {
		found.Further = func(t *testing.T) { Edit(t, objects, k.Further) }
	}
	if k.Insert == nil {
		return found
	}
	// A fifth of all beside weights of 1 and 0 can't be, so blue gets 4.
	found.Other = func(t *testing.T) {
		Edit(t, objects, func(object map[string]any) {
			k.Set(object, "svc-blue", 4)
			k.Insert(object, "canary", 1)
		})
	}
	found.Double = func(t *testing.T) {
		Edit(t, objects, func(object map[string]any) { k.Insert(object, "svc-blue", 1) })
	}
	return found
}
