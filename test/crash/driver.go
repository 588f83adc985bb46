package crash

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/e2e/watcher"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Driver is one kind of route that runs are killed on.
type Driver struct {
	// Name is the driver's, in lower case.
	Name string
	// Release makes the Release of a shop one of this kind; nil leaves the
	// production Service.
	Release func(*release.Release)
	// Serves returns an error unless production gives everything to a
	// colour, as the cluster's own objects prove.
	Serves func(ctx context.Context, opened *shop.Shop, color string) error
	// Watch begins to assert, at every event, that the production route
	// selects somebody.
	Watch func(ctx context.Context, client *cluster.Client, opened *shop.Shop) (Watch, error)
}

// Quick is the Release of a shop whose runs are killed many times: a driver's,
// with one step, and a watch just long enough for the gate to see something.
func Quick(driver Driver, drain release.Drain) func(*release.Release) {
	return func(document *release.Release) {
		document.Spec.Traffic.Steps = []release.Step{{Weight: 100, Hold: release.Duration(2 * time.Second)}}
		document.Spec.Traffic.Watch = release.Duration(3 * time.Second)
		document.Spec.Traffic.Drain = drain
		if driver.Release != nil {
			driver.Release(document)
		}
	}
}

// Watch asserts something from its beginning on.
type Watch interface {
	// Check returns what has been seen that must not be.
	Check(ctx context.Context) error
	Stop()
}

// Drivers are all kinds of routes that there are.
func Drivers() []Driver {
	return []Driver{
		{Name: "service", Serves: servedByEndpoints, Watch: watchService},
	}
}

// watchService watches the production Service.
func watchService(ctx context.Context, client *cluster.Client, opened *shop.Shop) (Watch, error) {
	return watcher.Start(ctx, client.Kubernetes, opened.Namespace, shop.Service)
}

// servedByEndpoints wants the production Service to select a colour, and its
// EndpointSlices to hold that colour's pods and nothing else.
func servedByEndpoints(ctx context.Context, opened *shop.Shop, color string) error {
	live, err := opened.Live(ctx)
	if err != nil {
		return err
	}
	if live != color {
		return fmt.Errorf("production selects %s, want %s", live, color)
	}
	endpoints, err := opened.Endpoints(ctx, shop.Service)
	if err != nil {
		return err
	}
	pods, err := opened.PodNames(ctx, color)
	if err != nil {
		return err
	}
	if len(pods) == 0 || !slices.Equal(pods, endpoints) {
		return fmt.Errorf("the EndpointSlices of production hold %v, want the pods of %s: %v", endpoints, color, pods)
	}
	return nil
}
