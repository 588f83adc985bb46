package traffic

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// driver is one kind of route: whether a Release declares it, how its Router
// is made, how it is described to an admission policy, and how its objects are
// read without a cluster.
type driver struct {
	declared func(traffic release.Traffic) bool
	router   func(client *cluster.Client, rel *release.Release, clock clock.Clock) (Router, error)
	describe func(rel *release.Release) ([]Description, error)
	// split reads the Split out of an object of the kind.
	split func(rel *release.Release, object *unstructured.Unstructured) (Split, error)
	// kind is where an object has its weights; nil for a kind without any.
	kind func(traffic release.Traffic) (weightedKind, error)
}

// drivers are all kinds of route, a line each.
func drivers() []driver {
	return []driver{
		serviceDriver(),
		httpRouteDriver(),
		grpcRouteDriver(),
		tcpRouteDriver(),
		tlsRouteDriver(),
		virtualServiceDriver(),
		traefikServiceDriver(),
		ingressRouteDriver(),
		routeGroupDriver(),
		skipperIngressDriver(),
		httpProxyDriver(),
		albIngressDriver(),
		nginxIngressDriver(),
		customDriver(),
		workersDriver(),
	}
}

// namespaceOf is the namespace that a release's route is in.
func namespaceOf(client *cluster.Client, rel *release.Release) string {
	if rel.Metadata.Namespace != "" {
		return rel.Metadata.Namespace
	}
	return client.Namespace
}

// NewRouter returns the Router of the route that a Release declares in
// spec.traffic, or of the set of them. It reads nothing from the cluster.
func NewRouter(client *cluster.Client, rel *release.Release, clock clock.Clock) (Router, error) {
	routes := eachOf(rel)
	if len(routes) == 1 {
		return newRouter(client, rel, clock)
	}
	return newSet(client, routes, clock)
}

// newRouter returns the Router of a route that is alone.
func newRouter(client *cluster.Client, rel *release.Release, clock clock.Clock) (Router, error) {
	for _, driver := range drivers() {
		if driver.declared(rel.Spec.Traffic) {
			return driver.router(client, rel, clock)
		}
	}
	return nil, errNoRoute()
}

// eachOf are the routes of a Release, each as a Release that declares it alone.
func eachOf(rel *release.Release) []*release.Release {
	var each []*release.Release
	for _, alone := range rel.Spec.Traffic.Set() {
		one := *rel
		one.Spec.Traffic = alone
		each = append(each, &one)
	}
	return each
}
