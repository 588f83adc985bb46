package traffic_test

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic/routertest"
)

func toy() routertest.Kind {
	ways := routertest.Listed{
		Holder: func(object map[string]any) map[string]any { return routertest.Within(object, "spec") },
		Field:  "ways",
		Weight: "parts",
		Make: func(service string, weight int64) map[string]any {
			return map[string]any{"to": service, "parts": weight}
		},
		Service: func(way map[string]any) string { to, _ := way["to"].(string); return to },
	}
	const head = `
apiVersion: toys.example/v1
kind: Toyset
metadata: {name: shop, namespace: shop}
status: {ready: true}
spec:
  ways:
  - {to: svc-blue}
`
	return routertest.Kind{
		Resource: schema.GroupVersionResource{Group: "toys.example", Version: "v1", Resource: "toysets"},
		Declare:  func(traffic *release.Traffic) { traffic.Custom = &release.CustomRoute{Name: "shop"} },
		Open:     traffic.NewToyRouter,
		Fresh:    strings.Replace(head, "{to: svc-blue}", "{to: svc-blue, parts: 1}", 1) + "  - {to: svc-green, parts: 0}\n", None: head,
		Backends: ways.Backends, Set: ways.Set, Insert: ways.Insert,
	}
}

// TestToy: what a new driver is made of is enough for the whole suite.
func TestToy(t *testing.T) { runWeighted(t, toy()) }

// TestToyIsProvenByItsStatus: what a kind's proxy says against a route counts.
func TestToyIsProvenByItsStatus(t *testing.T) {
	for text, want := range map[string]bool{toy().Fresh: true, strings.Replace(toy().Fresh, "ready: true", "ready: false", 1): false} {
		proof, err := openWeighted(t, toy(), text).router.Prove(context.Background(), traffic.Whole("blue"))
		if err != nil || proof.Proven != want || !want && !strings.Contains(proof.Message, "status.ready") {
			t.Errorf("proof %+v, %v, want proven: %v", proof, err, want)
		}
	}
}
