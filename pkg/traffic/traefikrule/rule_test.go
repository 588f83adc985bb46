package traefikrule

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAlternatives(t *testing.T) {
	host, other := Matcher{Name: "Host", Arguments: []string{"a"}}, Matcher{Name: "Host", Arguments: []string{"b"}}
	header := Matcher{Name: "Header", Arguments: []string{"x", "y"}}
	not := func(one Matcher) Matcher { one.Negated = true; return one }
	for rule, want := range map[string][][]Matcher{
		"Host(`a`)":                                    {{host}},
		"Host(`a`) && Header(`x`, `y`)":                {{host, header}},
		"Host(`a`) || Header(\"x\", \"y\")":            {{host}, {header}},
		"(Host(`a`) || Host(`b`)) && Header(`x`, `y`)": {{host, header}, {other, header}},
		"Host(`a`) && !Header(`x`, `y`)":               {{host, not(header)}},
		"!(Host(`a`) && Header(`x`, `y`))":             {{not(host)}, {not(header)}},
		"!(Host(`a`) || !Header(`x`, `y`))":            {{not(host), header}},
	} {
		got, err := Alternatives(rule)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", rule, err, diff)
		}
	}
	if _, err := Alternatives("Host(`a`) &&"); err == nil {
		t.Error("half a rule is read")
	}
}
