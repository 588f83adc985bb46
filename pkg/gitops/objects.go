package gitops

import (
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Object is one object that a run writes to, and where.
type Object struct {
	// Group and Kind are those of the object; the kind is "" where only the
	// document of the release says what it is.
	Group, Kind     string
	Namespace, Name string
	// Pointers are JSON pointers (RFC 6901) to the fields; Beginnings are those
	// to fields of which only the beginning is known.
	Pointers, Beginnings []string
	// About says what it is and why it is written.
	About string
}

// Objects are all objects that runs of a release write to, but for records of
// their own and what they apply of the colours' manifests. autoscalers are the
// names of those that scale the workloads.
func Objects(rel *release.Release, autoscalers []string) ([]Object, error) {
	routes, err := traffic.Describe(rel)
	if err != nil {
		return nil, err
	}
	namespace := rel.Metadata.Namespace
	var objects []Object
	for _, route := range routes {
		objects = append(objects, routeObject(route, namespace))
	}
	for _, name := range rel.Spec.ColorNames() {
		for _, ref := range rel.Spec.Colors[name].Workloads {
			if rel.Spec.Traffic.Workers != nil {
				continue // they are the route
			}
			objects = append(objects, Object{Group: "apps", Kind: workloadKind(ref), Namespace: namespace, Name: ref.Name,
				Pointers: []string{cluster.Replicas(0).Path}, About: "the replicas of " + name + ": a side that ends is scaled down, and up again when it is wanted"})
		}
	}
	for _, name := range autoscalers {
		objects = append(objects, Object{Group: "autoscaling", Kind: "HorizontalPodAutoscaler", Namespace: namespace, Name: name,
			Pointers: []string{cluster.MinReplicas(0).Path}, About: "its floor is held while a shift is watched, and then given back"})
	}
	return objects, nil
}

func routeObject(route traffic.Description, namespace string) Object {
	object := Object{Group: route.Resource.Group, Kind: route.Kind, Namespace: namespace, Name: route.Name, About: "the production route, " + route.Object}
	for _, field := range route.Fields {
		known := &object.Pointers
		if field.Begins {
			known = &object.Beginnings
		}
		if pointer := wholeList(field); !slices.Contains(*known, pointer) {
			*known = append(*known, pointer)
		}
	}
	slices.Sort(object.Pointers)
	return object
}

// wholeList is the pointer to a field, or to the list that it is in.
func wholeList(field traffic.Field) string {
	if at := slices.IndexFunc(field.Path, isIndex); at > 0 {
		field.Path = field.Path[:at]
	}
	return field.Pointer()
}

func isIndex(name string) bool { return name != "" && strings.Trim(name, "0123456789") == "" }

func workloadKind(ref release.Workload) string {
	if ref.Kind == "statefulset" {
		return "StatefulSet"
	}
	return "Deployment"
}
