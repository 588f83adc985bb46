package release

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPreviewIsTaken: before weights, before everything at once, and of several
// routes that all can.
func TestPreviewIsTaken(t *testing.T) {
	match := Match{Header: &NamedValue{"X-Version", "next"}}
	for name, c := range map[string]struct {
		traffic string
		gates   string
		want    []Step
	}{
		"before weights":    {"{name: shop}\n    steps: [{match: {header: {name: X-Version, value: next}}, hold: 5m}, {weight: 50}, {weight: 100}]\n", "", []Step{{Match: &match, Hold: 5 * DefaultReroute}, {Weight: 50}, {Weight: 100}}},
		"before all":        {"{name: shop}\n    steps: [{match: {header: {name: X-Version, value: next}}, hold: 5m, requests: required}, {weight: 100}]\n", "  gates: {profile: atomic}\n", []Step{{Match: &match, Hold: 5 * DefaultReroute, Requests: RequestsRequired}, {Weight: 100}}},
		"of several routes": {"{name: shop}\n    also: [{grpcRoute: {name: shop}}, {virtualService: {name: shop}}]\n    steps: [{match: {header: {name: X-Version, value: next}}, hold: 5m}, {weight: 100}]\n", "", []Step{{Match: &match, Hold: 5 * DefaultReroute}, {Weight: 100}}},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(read(t, "weighted.yaml"), "{name: shop.example.com}\n", c.traffic, 1) + c.gates
			document, err := Parse("bluegreen.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, document.Release.Spec.Traffic.Steps); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	header := func(name, value string) Match { return Match{Header: &NamedValue{name, value}} }
	cookie := func(name, value string) Match { return Match{Cookie: &NamedValue{name, value}} }
	for name, test := range map[string]struct {
		one, other Match
		equal      bool
		text       string
	}{
		"the same header":                 {header("X-Version", "next"), header("X-Version", "next"), true, "header X-Version: next"},
		"the case of a header is nothing": {header("X-Version", "next"), header("x-version", "next"), true, "header X-Version: next"},
		"the case of its value is":        {header("X-Version", "next"), header("X-Version", "Next"), false, "header X-Version: next"},
		"the same cookie":                 {cookie("version", "next"), cookie("version", "next"), true, "cookie version=next"},
		"the case of a cookie is":         {cookie("version", "next"), cookie("Version", "next"), false, "cookie version=next"},
		"a header and a cookie":           {header("version", "next"), cookie("version", "next"), false, "header version: next"},
		"nothing":                         {Match{}, Match{}, true, "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.one.Equal(test.other); got != test.equal || test.other.Equal(test.one) != got {
				t.Errorf("equal: %v, want %v", got, test.equal)
			}
			if got := test.one.String(); got != test.text {
				t.Errorf("%q, want %q", got, test.text)
			}
		})
	}
}
