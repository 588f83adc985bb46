package lab

import "github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"

// Routes is the definitions of every kind of route that a driver moves, as
// their projects publish them: with it the API server admits what it would
// admit beside a real proxy, and nothing serves the routes. Of the Gateway API
// it is the experimental channel, which has all that the standard one has.
const Routes Addon = "routes"

// routeDefinitions is what it is made of. The definitions of Istio's kinds are those of
// its charts.
func routeDefinitions() parts {
	return parts{
		addon: Routes,
		sets: []programs.Set{{
			Folder: "routes",
			Files: []programs.Files{
				{Module: "sigs.k8s.io/gateway-api", Pattern: "config/crd/experimental/gateway.networking.k8s.io_*.yaml"},
				{Module: "istio.io/api", Pattern: "kubernetes/customresourcedefinitions.gen.yaml"},
				{Module: "github.com/projectcontour/contour", Pattern: "examples/contour/01-crds.yaml"},
				{Module: "github.com/traefik/traefik/v3", Pattern: "docs/content/reference/dynamic-configuration/traefik.io_*.yaml"},
				{Module: "github.com/zalando/skipper", Pattern: "dataclients/kubernetes/deploy/apply/routegroups_crd.yaml"},
			},
		}},
		definitions: "routes",
	}
}
