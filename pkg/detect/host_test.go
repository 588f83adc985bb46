package detect

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestHostsOverlap(t *testing.T) {
	oneLabel := host{name: "*.example.com", oneLabel: true}
	tests := []struct {
		one, other host
		want       bool
	}{
		{named("shop.example.com"), named("SHOP.example.com."), true},
		{named("shop.example.com"), named("other.example.com"), false},
		{named("*.example.com"), named("shop.example.com"), true},
		{named("*.example.com"), named("a.b.example.com"), true},
		{oneLabel, named("a.b.example.com"), false},
		{oneLabel, named("a.example.com"), true},
		{named("*.example.com"), named("example.com"), false},
		{named("*.example.com"), named("badexample.com"), false},
		{named("*"), named("shop.example.com"), true},
		{named("*.b.example.com"), named("*.example.com"), true},
		{oneLabel, named("*.b.example.com"), false},
		{named("*.example.com"), named("*.example.org"), false},
		{oneLabel, named("*.example.com"), true},
		{expressed(`[a-z]+\.example\.com`), named("shop.example.com"), true},
		{expressed(`[a-z]+\.example\.com`), named("shop.example.com.evil.org"), false},
		{expressed(`[a-z]+`), named("*.example.com"), true},
		{expressed(`(`), named("shop.example.com"), true}, // what can't be read may fit
	}
	for _, test := range tests {
		if got := test.one.overlaps(test.other); got != test.want {
			t.Errorf("%v and %v: %v", test.one, test.other, got)
		}
		if got := test.other.overlaps(test.one); got != test.want {
			t.Errorf("%v and %v, the other way round: %v", test.other, test.one, got)
		}
	}
}

// TestWildcardsOverlapWhereANameIsOfBoth: two patterns overlap exactly where
// some name is of both.
func TestWildcardsOverlapWhereANameIsOfBoth(t *testing.T) {
	labels := rapid.SampledFrom([]string{"a", "b"})
	names := rapid.Custom(func(t *rapid.T) string {
		name := ""
		for i := range rapid.IntRange(1, 3).Draw(t, "labels") {
			if i > 0 {
				name += "."
			}
			name += labels.Draw(t, "label")
		}
		return name
	})
	patterns := rapid.Custom(func(t *rapid.T) host {
		one := named(names.Draw(t, "name"))
		if rapid.Bool().Draw(t, "star") {
			one.name, one.oneLabel = "*."+one.name, rapid.Bool().Draw(t, "one label")
		}
		return one
	})
	rapid.Check(t, func(t *rapid.T) {
		one, other, name := patterns.Draw(t, "one"), patterns.Draw(t, "other"), named(names.Draw(t, "of both"))
		if one.overlaps(name) && other.overlaps(name) && !one.overlaps(other) {
			t.Fatalf("%s is of %+v and of %+v, which are said to have nothing in common", name, one, other)
		}
		if one.overlaps(other) != other.overlaps(one) {
			t.Fatalf("%+v and %+v overlap one way only", one, other)
		}
	})
}

func TestParseHost(t *testing.T) {
	tests := []struct {
		text, want, hint string
	}{
		{text: "Shop.Example.com.", want: "shop.example.com"},
		{text: "*.example.com", want: "*.example.com"},
		{text: "localhost", want: "localhost"},
		{text: "https://shop.example.com/cart", hint: "write the host alone: shop.example.com"},
		{text: "shop.example.com:8443", hint: "write the host alone: shop.example.com"},
		{text: "shop.example.com/cart", hint: "write the host alone: shop.example.com"},
		{text: "a_b", hint: "write a host, such as shop.example.com or *.example.com, or a Service as svc/NAME"},
		{text: "", hint: "write a host, such as shop.example.com or *.example.com, or a Service as svc/NAME"},
		{text: "*", hint: "write a host, such as shop.example.com or *.example.com, or a Service as svc/NAME"},
	}
	for _, test := range tests {
		got, err := ParseHost(test.text)
		if got != test.want || release.HintOf(err) != test.hint || (err == nil) != (test.hint == "") {
			t.Errorf("%q: %q, %v, hint %q", test.text, got, err, release.HintOf(err))
		}
	}
}
