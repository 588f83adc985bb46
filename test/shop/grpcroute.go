package shop

import (
	"net"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// GRPCRoute is a route of the Gateway API for calls of gRPC, on the Gateway of
// the lab's addon gateway.
const GRPCRoute Route = "grpcroute"

// grpcRouteKind is what it is made of.
func grpcRouteKind() kind {
	return weightedKind(kind{
		route:    GRPCRoute,
		resource: schema.GroupVersionResource{Group: "gateway.networking.k8s.io", Version: "v1", Resource: "grpcroutes"},
		manifest: gatewayRoute("GRPCRoute", 9090),
		// Its rules are as those of the other route.
		weights: httpRouteWeights,
		entry:   gateway,
		host:    host,
		url: func(_ *Shop, address, path string) string {
			return "grpc://" + net.JoinHostPort(address, "80") + called(path)
		},
	}, func(traffic *release.Traffic) { traffic.GRPCRoute = namedRoute() })
}
