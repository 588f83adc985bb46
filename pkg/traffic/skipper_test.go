package traffic_test

import (
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
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

// A Service has one weight at all paths: what is multiplied at one for a step is
// multiplied at all, and is as it was once that is over.
func TestSkipperIngressKeepsTheSharesOfOtherPaths(t *testing.T) {
	kind := routertest.SkipperIngress()
	const weights = `{"cart-a":1,"cart-b":2,"svc-blue":1,"svc-green":0}`
	path := func(path, service string) string {
		return "      - {path: " + path + ", pathType: Prefix, backend: {service: {name: " + service + ", port: {number: 80}}}}\n"
	}
	text := strings.Replace(kind.Fresh, `{"svc-blue": 1, "svc-green": 0}`, weights, 1) + path("/", "cart-a") + path("/cart", "cart-a") + path("/cart", "cart-b")
	shop := openWeighted(t, kind, text)
	for _, step := range []struct {
		green int
		want  string
	}{
		{50, `{"cart-a":2,"cart-b":4,"svc-blue":1,"svc-green":1}`},
		{20, `{"cart-a":5,"cart-b":10,"svc-blue":4,"svc-green":1}`},
		{0, weights},
	} {
		patch, err := shop.router.Plan(mustRead(t, shop.router), traffic.Between("green", "blue", step.green), cluster.Fence{Epoch: 1, Holder: "ann@laptop/12"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := shop.router.Write(t.Context(), patch, false); err != nil {
			t.Fatal(err)
		}
		shop.edit(t, func(object map[string]any) {
			if got := routertest.Within(object, "metadata", "annotations")["zalando.org/backend-weights"]; got != step.want {
				t.Errorf("at %d: %s, want %s", step.green, got, step.want)
			}
		})
	}
}
