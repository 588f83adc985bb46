package traffic

import (
	"testing"

	"github.com/google/cel-go/cel"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// TestServiceDescriptionReadsAsTheDriver: whatever stands in a selector, the
// expression and the driver see the same colour, or both see none.
func TestServiceDescriptionReadsAsTheDriver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.MapOfN(rapid.SampledFrom([]string{"version", "track", `odd"key`}), rapid.SampledFrom([]string{"a", "b", `odd'"\value`}), 1, 3)
		colors := colorSelectors{"blue": labels.Draw(t, "blue"), "green": labels.Draw(t, "green")}
		if colors.validate() != nil {
			t.Skip("no route can tell them apart")
		}
		rel := &release.Release{Spec: release.Spec{Colors: map[string]release.Color{}, Traffic: release.Traffic{Service: &release.ServiceRoute{Name: "svc"}}}}
		for name, selector := range colors {
			rel.Spec.Colors[name] = release.Color{Selector: selector}
		}
		description, err := Describe(rel)
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

// evaluate asks an expression about an object.
func evaluate(t *rapid.T, expression string, object map[string]any) any {
	environment, err := cel.NewEnv(cel.Variable("object", cel.DynType))
	if err != nil {
		t.Fatal(err)
	}
	checked, issues := environment.Compile(expression)
	if issues.Err() != nil {
		t.Fatalf("%s\n%v", expression, issues.Err())
	}
	program, err := environment.Program(checked)
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := program.Eval(map[string]any{"object": object})
	if err != nil {
		t.Fatalf("%s\n%v", expression, err)
	}
	return value.Value()
}
