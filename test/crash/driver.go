package crash

import (
	"context"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/e2e/watcher"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Driver is one kind of route that runs are killed on.
type Driver struct {
	// Name is the driver's, in lower case.
	Name string
	// Route is the kind of the shops.
	Route shop.Route
	// Parts: the route may give a colour a part, so that runs have a step on
	// their way.
	Parts bool
	// Addon is what the lab must have for somebody to answer, "" for nothing.
	Addon lab.Addon
	// Calls: clients make calls of gRPC. One that connects for every call costs
	// far more than one of HTTP.
	Calls bool
	// Flags go with every shift.
	Flags []string
}

// Drivers are all kinds of routes that a lab can serve.
func Drivers() []Driver {
	return append(EndToEnd(),
		Driver{Route: shop.GRPCRoute, Addon: lab.Gateway, Calls: true}.weighted(),
		Driver{Route: shop.TraefikService, Addon: lab.Gateway}.weighted(),
		Driver{Route: shop.IngressRoute, Addon: lab.Gateway}.weighted(),
		Driver{Route: shop.Custom, Addon: lab.Gateway, Flags: []string{"--accept-unproven-router"}}.weighted(),
		Driver{Route: shop.RouteGroup, Addon: lab.Skipper}.weighted(),
		Driver{Route: shop.SkipperIngress, Addon: lab.Skipper}.weighted(),
		Driver{Route: shop.VirtualService, Addon: lab.Mesh, Calls: true}.weighted(),
		Driver{Route: shop.VirtualServiceSubsets, Addon: lab.Mesh, Calls: true}.weighted(),
	)
}

// EndToEnd are those that end-to-end tests kill, one of each sort: a route that
// goes all at once, and one that shares. Every transition of all of them takes
// hours.
func EndToEnd() []Driver {
	return []Driver{
		{Name: "service", Route: shop.ServiceRoute},
		Driver{Route: shop.HTTPRoute, Addon: lab.Gateway}.weighted(),
	}
}

// weighted is one of a route with weights, which is called as its shops' is.
func (d Driver) weighted() Driver {
	d.Name, d.Parts = string(d.Route), true
	return d
}

// Fresh is how many of so many clients that connect for every request are
// bearable.
func (d Driver) Fresh(clients int) int {
	if d.Calls {
		return min(clients, 2)
	}
	return clients
}

// Quick is the Release of a shop whose runs are killed many times: with steps,
// and a watch, just long enough for the gate to see something.
func (d Driver) Quick(drain release.Drain) func(*release.Release) {
	steps := []release.Step{{Weight: 100, Hold: release.Duration(2 * time.Second)}}
	if d.Parts {
		steps = append([]release.Step{{Weight: 50, Hold: release.Duration(time.Second)}}, steps...)
	}
	return func(document *release.Release) {
		document.Spec.Traffic.Steps = steps
		document.Spec.Traffic.Watch = release.Duration(3 * time.Second)
		document.Spec.Traffic.Drain = drain
	}
}

// Watch begins to assert, at every event, that there is somebody wherever the
// production route sends requests.
func (d Driver) Watch(ctx context.Context, client *cluster.Client, opened *shop.Shop) (*watcher.Watcher, error) {
	route := watcher.Service(shop.Service)
	if d.Route != shop.ServiceRoute {
		resource, name := opened.Object()
		route = watcher.Weighted(opened.Objects(), resource.Resource, name, opened.Receivers)
	}
	return watcher.Start(ctx, client.Kubernetes, opened.Namespace, route)
}
