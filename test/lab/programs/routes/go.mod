// Where the definitions of the kinds of route come from. Nothing is built.
module programs/routes

go 1.26.0

require (
	github.com/projectcontour/contour v1.33.0
	github.com/traefik/traefik/v3 v3.6.7
	github.com/zalando/skipper v0.21.0
	istio.io/api v1.31.1
	sigs.k8s.io/gateway-api v1.4.0
)
