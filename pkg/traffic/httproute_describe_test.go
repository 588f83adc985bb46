package traffic

import (
	"testing"

	"pgregory.net/rapid"
)

// TestGatewayDescriptionReadsAsTheDriver: whatever stands in a route, the
// expression and the driver see the same split, or both see none.
func TestGatewayDescriptionReadsAsTheDriver(t *testing.T) {
	readsAsTheDriver(t, gatewaySplit("object", shopServices()), shopServices(), gatewayPools, drawGatewayRoute)
}

// drawGatewayRoute draws a route: mostly with both colours in a rule, and with
// everything that may make that unclear.
func drawGatewayRoute(t *rapid.T) map[string]any {
	spec := map[string]any{}
	var rules []any
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		rules = append(rules, drawGatewayRule(t))
	}
	if len(rules) > 0 {
		spec["rules"] = rules
	}
	return map[string]any{"metadata": map[string]any{"namespace": "shop"}, "spec": spec}
}

func drawGatewayRule(t *rapid.T) map[string]any {
	rule, names := map[string]any{}, rapid.SampledFrom([][]string{
		{"svc-blue", "svc-green"}, {"svc-green", "svc-blue", "canary"}, {"svc-blue"}, {"canary"}, {"svc-blue", "svc-green", "svc-blue"}, nil,
	}).Draw(t, "names")
	var references []any
	for _, name := range names {
		reference := map[string]any{"name": name}
		if weight := rapid.SampledFrom([]int64{-1, 0, 1, 1, 3, 50, 1000000}).Draw(t, "weight"); weight >= 0 {
			reference["weight"] = weight
		}
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			key := rapid.SampledFrom([]string{"kind", "group", "namespace"}).Draw(t, "key")
			reference[key] = rapid.SampledFrom([]string{"", "Service", "shop", "other"}).Draw(t, "value")
		}
		references = append(references, reference)
	}
	if references != nil {
		rule["backendRefs"] = references
	}
	if rapid.Bool().Draw(t, "matches") {
		rule["matches"] = rapid.SampledFrom([][]any{
			{}, {map[string]any{"path": map[string]any{"value": "/a"}}}, {map[string]any{"headers": []any{map[string]any{"name": "x-color"}}}},
			{map[string]any{"queryParams": []any{map[string]any{"name": "color"}}}, map[string]any{"headers": []any{}}},
		}).Draw(t, "matching")
	}
	return rule
}
