package detect

import (
	"slices"
	"strings"
	"testing"
)

// TestAPreviewIsTold: the rules of a preview are ways like all others, and a note
// says whose they are.
func TestAPreviewIsTold(t *testing.T) {
	route := `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
  annotations: {bluegreen.dev/preview: '{"color":"green","match":{"header":{"name":"X-Version","value":"next"}}}'}
spec:
  hostnames: [shop.example.com]
  rules:
  - matches: [{headers: [{type: Exact, name: X-Version, value: next}]}]
    backendRefs: [{name: svc-green, port: 80, weight: 1}]
  - backendRefs: [{name: svc-blue, port: 80, weight: 1}, {name: svc-green, port: 80, weight: 0}]
`
	note := "a run of kubectl bluegreen leads green to requests with header X-Version: next, by rules that go with its next step, or with its way back"
	finding := found(t, Evaluate(aboutHost(t, "shop.example.com", route)), "httproute/shop")
	if len(finding.Ways) != 2 || !slices.Contains(finding.Notes, note) {
		t.Errorf("ways %+v, notes %q", finding.Ways, finding.Notes)
	}
	plain := strings.Replace(route, "bluegreen.dev/preview", "other", 1)
	if finding := found(t, Evaluate(aboutHost(t, "shop.example.com", plain)), "httproute/shop"); slices.Contains(finding.Notes, note) {
		t.Errorf("notes %q", finding.Notes)
	}
}
