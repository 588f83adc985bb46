// Package routers holds every driver of a route to the suite that all of them
// pass, against an API server that has the definitions which the projects of
// those kinds publish: what the drivers write is admitted, defaulted and pruned
// as it would be beside a real proxy. Nothing serves the routes here, so what
// moves is what is asked for, and no request.
package routers
