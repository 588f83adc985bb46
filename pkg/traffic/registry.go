package traffic

import (
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// driver is one kind of route: whether a Release declares it, how its Router
// is made, and how it is described to an admission policy.
type driver struct {
	declared func(traffic release.Traffic) bool
	router   func(client *cluster.Client, rel *release.Release, clock clock.Clock) (Router, error)
	describe func(rel *release.Release) (Description, error)
}

// drivers are all kinds of route, a line each.
func drivers() []driver {
	return []driver{
		serviceDriver(),
	}
}

// NewRouter returns the Router of the route that a Release declares in
// spec.traffic. It reads nothing from the cluster.
func NewRouter(client *cluster.Client, rel *release.Release, clock clock.Clock) (Router, error) {
	for _, driver := range drivers() {
		if driver.declared(rel.Spec.Traffic) {
			return driver.router(client, rel, clock)
		}
	}
	return nil, errNoRoute()
}
