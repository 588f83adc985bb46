package traffic

import (
	"errors"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Description is what is known of a route without a cluster. It is in terms
// that an API server understands, for an admission policy, which can't ask a
// driver.
type Description struct {
	// Unproven: no route of this kind has been seen to move live traffic.
	Unproven bool
	// Object is the route's kind and name, such as service/svc-production.
	Object string
	// Kind is the kind as the object has it, "" where only Resource is known.
	Kind string
	// Resource and Name are where the API server has it.
	Resource schema.GroupVersionResource
	Name     string
	// Beside is the name of another object there, without which the route is
	// none; "" for none.
	Beside string
	// Split is an expression in CEL for the split of the object in a variable:
	// a string as Split.String writes it, "" where no colour is clear. It is
	// nil for a kind whose split CEL can't read.
	Split func(variable string) string
	// Fields are those that a switch writes, beside annotations of our own.
	Fields []Field
}

// Field is a place in an object that a switch writes, or a part of.
type Field struct {
	// Path is the names from the top: spec, selector, version.
	Path []string
	// Begins: the last name is how those of several fields begin. Which these are
	// stands in the object alone.
	Begins bool
}

// Pointer is the JSON pointer (RFC 6901) of the field.
func (f Field) Pointer() string {
	var text strings.Builder
	for _, name := range f.Path {
		text.WriteString("/" + cluster.EscapePointer(name))
	}
	return text.String()
}

// Describe returns the Description of each object by which the routes of a Release
// are moved, in the order in which they are. It asks no cluster.
func Describe(rel *release.Release) ([]Description, error) {
	var found []Description
	for _, one := range eachOf(rel) {
		descriptions, err := describe(one)
		if err != nil {
			return nil, err
		}
		found = append(found, descriptions...)
	}
	return found, nil
}

// describe are the Descriptions of the objects of a route that is alone.
func describe(rel *release.Release) ([]Description, error) {
	for _, driver := range drivers() {
		if driver.declared(rel.Spec.Traffic) {
			return driver.describe(rel)
		}
	}
	return nil, errNoRoute()
}

// single is a route that is one object.
func single(describe func(rel *release.Release) (Description, error)) func(rel *release.Release) ([]Description, error) {
	return func(rel *release.Release) ([]Description, error) {
		description, err := describe(rel)
		if err != nil {
			return nil, err
		}
		return []Description{description}, nil
	}
}

// errNoRoute is the error for a Release that declares no route.
func errNoRoute() error {
	return release.WithHint(errors.New("choose router: spec.traffic declares no route"), "set spec.traffic.service.name, or another kind of route")
}
