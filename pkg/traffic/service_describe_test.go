package traffic

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// TestServiceDescriptionReadsAsTheDriver: whatever stands in a selector, the
// expression and the driver see the same colour, or both see none.
func TestServiceDescriptionReadsAsTheDriver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		colors := drawColors(t)
		if err := colors.validate(); err != nil {
			t.Fatal(err)
		}
		rel := &release.Release{Spec: release.Spec{Colors: map[string]release.Color{}, Traffic: release.Traffic{Service: &release.ServiceRoute{Name: "svc"}}}}
		for name, selector := range colors {
			rel.Spec.Colors[name] = release.Color{Selector: selector}
		}
		description, err := describeService(rel)
		if err != nil {
			t.Fatal(err)
		}
		spec := map[string]any{}
		selector := rapid.MapOfN(rapid.SampledFrom([]string{"version", "track", `odd"key`, "app"}), rapid.SampledFrom([]string{"a", "b", `odd'"\value`}), 0, 4).Draw(t, "selector")
		if len(selector) > 0 {
			spec["selector"] = selector
		}
		want := ""
		if color, err := colors.selected(selector); err == nil {
			want = Whole(color).String()
		}
		if got := evaluate(t, description.Split("object"), map[string]any{"spec": spec}); got != want {
			t.Fatalf("selector %v of %v: %q, want %q by\n%s", selector, colors, got, want, description.Split("object"))
		}
	})
}

// drawColors draws the selectors of two colours that a route can tell apart: one
// label has two values, whatever else they hold.
func drawColors(t *rapid.T) colorSelectors {
	keys, values := []string{"version", "track", `odd"key`}, []string{"a", "b", `odd'"\value`}
	labels := rapid.MapOfN(rapid.SampledFrom(keys), rapid.SampledFrom(values), 0, len(keys))
	colors := colorSelectors{"blue": labels.Draw(t, "blue"), "green": labels.Draw(t, "green")}
	key, apart := rapid.SampledFrom(keys).Draw(t, "key"), rapid.Permutation(values).Draw(t, "apart")
	colors["blue"][key], colors["green"][key] = apart[0], apart[1]
	return colors
}
