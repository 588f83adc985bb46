package traffic

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// An expression that fails on an object would have the API server refuse every
// write to it, a rollback and its mending among them. So it says that the split is
// not clear, whatever somebody has put there.

func TestWeightsThatNoShareCanBeComputedOf(t *testing.T) {
	for _, weight := range []int64{heaviest, heaviest + 1, math.MaxInt64 / 200, math.MaxInt64} {
		want := "blue=50,green=50"
		if weight > heaviest {
			want = ""
		}
		services := []any{map[string]any{"name": "svc-blue", "weight": weight}, map[string]any{"name": "svc-green", "weight": weight}}
		weighted := object("spec", map[string]any{"weighted": map[string]any{"services": services}})
		if got := evaluate(t, traefikServiceSplit("object", shopServices()), weighted); got != want {
			t.Errorf("weight %d of a TraefikService: %q, want %q", weight, got, want)
		}
		split, err := shopServices().splitOf(pool{backends: []backend{{service: "svc-blue", weight: weight}, {service: "svc-green", weight: weight}}})
		if split.String() != want || (err != nil) != (want == "") {
			t.Errorf("weight %d: the driver reads %q, %v, want %q", weight, split, err, want)
		}
	}
	ingress := func(weights string) map[string]any {
		path := func(name string) any {
			return map[string]any{"path": "/", "backend": map[string]any{"service": map[string]any{"name": name}}}
		}
		found := object("spec", map[string]any{"rules": []any{map[string]any{"http": map[string]any{"paths": []any{path("svc-blue"), path("svc-green")}}}}})
		found["metadata"].(map[string]any)["annotations"] = map[string]any{weightsAnnotation: weights}
		return found
	}
	text := fmt.Sprintf(`{"svc-blue": %s, "svc-green": 1}`, strings.Repeat("9", 18))
	if got := evaluate(t, skipperIngressSplit("object", shopServices()), ingress(text)); got != "" {
		t.Errorf("%s of an Ingress: %q, want no clear split", text, got)
	}
}

// Whatever stands where a Release says that there are weights, and on the way
// there: no schema that is known keeps anything out.
func TestCustomDescriptionReadsAnything(t *testing.T) {
	weights := map[string][]string{"blue": {"/spec/lanes/0/share", "/spec/a~1b"}, "green": {"/spec/lanes/1/share", "/spec/in"}}
	program := compiled(t, customSplit(weights)("object", colorServices{"blue": "blue", "green": "green"}))
	colors := colorServices{"blue": "blue", "green": "green"}
	rapid.Check(t, func(t *rapid.T) {
		var anything func(depth int) any
		anything = func(depth int) any {
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0:
				return nil
			case 1:
				return rapid.SampledFrom([]any{1.5, 4.0, -1.0, 1e300, float64(heaviest), 2.0 * heaviest}).Draw(t, "number")
			case 2:
				return rapid.SampledFrom([]any{"", "x", "50", "-1", strings.Repeat("9", 18), strings.Repeat("9", 40)}).Draw(t, "text")
			case 3:
				return rapid.Bool().Draw(t, "truth")
			case 4:
				return rapid.SampledFrom([]int64{0, 50, -1, heaviest + 1, math.MaxInt64, math.MinInt64}).Draw(t, "whole")
			case 5, 6:
				if depth > 2 {
					return []any{}
				}
				return []any{anything(depth + 1), anything(depth + 1)}
			}
			if depth > 2 {
				return map[string]any{}
			}
			return map[string]any{"lanes": anything(depth + 1), "0": anything(depth + 1), "share": anything(depth + 1), "a/b": anything(depth + 1), "in": anything(depth + 1)}
		}
		route, want := object("spec", anything(0)), ""
		if found, err := customPools(route, weights); err == nil {
			if split, err := colors.split(found); err == nil {
				want = split.String()
			}
		}
		if got, _ := run(t, program, route); got != want {
			t.Fatalf("%v: %q, want %q", route, got, want)
		}
	})
}
