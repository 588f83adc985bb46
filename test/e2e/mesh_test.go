package e2e

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// freshCallers are how many clients connect for every call. In a mesh such a
// client connects to every pod.
const freshCallers = 2

// Routes of gRPC move live calls as the others move requests: a gateway's, and
// those of a mesh whose clients go to the pods themselves, by what its control
// plane tells them.
func TestGRPCRoute(t *testing.T)             { movesCalls(t, shop.GRPCRoute) }
func TestVirtualService(t *testing.T)        { movesCalls(t, shop.VirtualService) }
func TestVirtualServiceSubsets(t *testing.T) { movesCalls(t, shop.VirtualServiceSubsets) }

func movesCalls(t *testing.T, route shop.Route) {
	t.Helper()
	s := open(t, shop.Options{Route: route, Green: faulty()})
	s.movesOnceGood(s.production(keepAliveClients, freshCallers))
}
