package traffic

import (
	"errors"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Description is a kind of route in terms that an API server understands, for
// an admission policy, which can't ask a driver.
type Description struct {
	// Object is the route's kind and name, such as service/svc-production.
	Object string
	// Resource and Name are where the API server has it.
	Resource schema.GroupVersionResource
	Name     string
	// Split is an expression in CEL for the split of the object in a variable:
	// a string as Split.String writes it, "" where no colour is clear.
	Split func(variable string) string
}

// Describe returns the Description of the route that a Release declares. It
// asks no cluster.
func Describe(rel *release.Release) (Description, error) {
	for _, driver := range drivers() {
		if driver.declared(rel.Spec.Traffic) {
			return driver.describe(rel)
		}
	}
	return Description{}, errNoRoute()
}

// errNoRoute is the error for a Release that declares no route.
func errNoRoute() error {
	return release.WithHint(errors.New("choose router: spec.traffic declares no route"), "set spec.traffic.service.name")
}
