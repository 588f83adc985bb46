package shop

// probePath is the path of a request that is no production request, and by which
// production is seen to answer.
const probePath = "/live"

// called is the method of gRPC that is what a path of HTTP is.
func called(path string) string {
	if path == probePath {
		return "/grpc.health.v1.Health/Check"
	}
	return "/recommendation.Recommendations/Recommend"
}
