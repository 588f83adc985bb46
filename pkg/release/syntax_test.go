package release

import (
	"strings"
	"testing"
)

// A mistake is told at the line at which a person finds it.
func TestSyntaxLine(t *testing.T) {
	const head = "a:\n  b: 1\n  c:\n    d: 2\n"
	for name, test := range map[string]struct {
		text string
		want int
	}{
		"none":                              {head, 0},
		"a brace that stays open":           {head + "  e: {f: 1, g: 2\n  h: 3\ni: 4\n", 5},
		"a bracket that stays open":         {head + "  e: [f, g\nh: 3\n", 5},
		"a bracket that stays open at last": {head + "  e: [\n", 5},
		"an indentation that is none":       {head + "   e: 5\nf: 6\n", 5},
		"the same in the first block":       {"a: 1\nb: 2\n c: 3\n", 3},
		"a list that goes on too far left":  {head + "  e:\n    - f\n   - g\n", 7},
		"a value that begins a mapping":     {head + "  e: f: g\n", 5},
		"a quote that stays open":           {head + "  e: \"f\n", 5},
	} {
		t.Run(name, func(t *testing.T) {
			if got := SyntaxLine([]byte(test.text)); got != test.want {
				t.Errorf("told at line %d, want %d of:\n%s", got, test.want, strings.TrimSpace(test.text))
			}
		})
	}
}
