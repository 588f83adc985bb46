package crash

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Every kind of route that has been seen to move live traffic can be killed on,
// under a name and in a lab of its own.
func TestDrivers(t *testing.T) {
	want := map[shop.Route]string{
		shop.ServiceRoute: "service", shop.HTTPRoute: "httproute", shop.GRPCRoute: "grpcroute", shop.TraefikService: "traefikservice",
		shop.IngressRoute: "ingressroute", shop.Custom: "custom", shop.RouteGroup: "routegroup", shop.SkipperIngress: "skipperingress",
		shop.VirtualService: "virtualservice", shop.VirtualServiceSubsets: "virtualservicesubsets",
	}
	got := map[shop.Route]string{}
	for _, driver := range Drivers() {
		got[driver.Route] = driver.Name
		if driver.Parts != (driver.Route != shop.ServiceRoute) {
			t.Errorf("%s: parts %t", driver.Name, driver.Parts)
		}
		if driver.Addon != "" && !slices.Contains(lab.Addons(), driver.Addon) {
			t.Errorf("%s: there is no addon %q", driver.Name, driver.Addon)
		}
		if calls := driver.Calls; calls && driver.Fresh(5) != 2 || !calls && driver.Fresh(5) != 5 {
			t.Errorf("%s: %d clients of 5 connect for every request", driver.Name, driver.Fresh(5))
		}
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}

// A shift says what its kind of route wants said, and nothing else does.
func TestArguments(t *testing.T) {
	for _, driver := range Drivers() {
		suite := &Suite{driver: driver, proxy: &interpose.Proxy{}}
		const flag = "--accept-unproven-router"
		for _, command := range []string{shift, rollback, resume} {
			if has := slices.Contains(suite.arguments(command), flag); has != (driver.Route == shop.Custom && command == shift) {
				t.Errorf("%s of a %s: %v", command, driver.Name, suite.arguments(command))
			}
		}
	}
}

// A write to the object of each kind is announced by the intent that names it as
// its driver does.
func TestEveryKindIsAnnounced(t *testing.T) {
	for kind, resource := range map[string]string{
		"service": "services", "httproute": "httproutes", "grpcroute": "grpcroutes", "traefikservice": "traefikservices",
		"ingressroute": "ingressroutes", "traefikservices": "traefikservices", "routegroup": "routegroups", "ingress": "ingresses",
		"virtualservice": "virtualservices",
	} {
		intent := journal.Entry{Kind: journal.Intent, Action: "switch", Object: kind + "/production"}
		if exchange := request("patch", "", resource, "production", nil); !announces(intent, exchange) {
			t.Errorf("an intent for %s announces no write to %s", intent.Object, resource)
		}
		if exchange := request("patch", "", "deployments", "production", nil); announces(intent, exchange) {
			t.Errorf("an intent for %s announces a write to a Deployment", intent.Object)
		}
	}
}
