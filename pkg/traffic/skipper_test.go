package traffic_test

import (
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

// TestSkipperWithoutWeights: all backends get the same then.
func TestSkipperWithoutWeights(t *testing.T) {
	group := strings.NewReplacer(", weight: 1", "", ", weight: 0", "").Replace(routertest.RouteGroup().Fresh)
	ingress := strings.Replace(routertest.SkipperIngress().Fresh, `  annotations: {zalando.org/backend-weights: '{"svc-blue": 1, "svc-green": 0}'}`, "  annotations: {}", 1)
	for _, shop := range []*weightedShop{openWeighted(t, routertest.RouteGroup(), group), openWeighted(t, routertest.SkipperIngress(), ingress)} {
		if got := mustRead(t, shop.router).Split.String(); got != "blue=50,green=50" {
			t.Errorf("%s: %s", shop.Resource.Resource, got)
		}
	}
}

// TestSkipperIngressDefaultMayNotLeadToOneColor: what no path takes would never
// move.
func TestSkipperIngressDefaultMayNotLeadToOneColor(t *testing.T) {
	text := strings.Replace(routertest.SkipperIngress().Fresh, "spec:\n", "spec:\n  defaultBackend: {service: {name: svc-blue, port: {number: 80}}}\n", 1)
	wantSplitOf(t, routertest.SkipperIngress(), text, "", "spec.defaultBackend has no backend for green")
}

func TestSkipperIngressRefusesWeightsThatItCannotKeep(t *testing.T) {
	for weights, says := range map[string]string{
		`{"svc-blue": 0.5, "svc-green": 0.5}`: "the weight of svc-blue is 0.5, expected a whole number",
		`{"svc-blue": 1, "svc-green": -1}`:    "the weight of svc-green is -1",
		`half`:                                "read annotation zalando.org/backend-weights: ",
	} {
		text := strings.Replace(routertest.SkipperIngress().Fresh, `{"svc-blue": 1, "svc-green": 0}`, weights, 1)
		_, err := openWeighted(t, routertest.SkipperIngress(), text).router.Read(t.Context())
		if err == nil || !strings.Contains(err.Error(), says) && !strings.Contains(err.Error(), "svc-green is 0.5") {
			t.Errorf("%s: err = %v, want %q", weights, err, says)
		}
	}
}
