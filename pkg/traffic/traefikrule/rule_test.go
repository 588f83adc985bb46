package traefikrule

import (
	"strings"
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

// A rule is not worth the time that as many alternatives take as its parts may make;
// whether something holds on all of them is told all the same.
func TestAlternativesAreBounded(t *testing.T) {
	rule := strings.Repeat("(Host(`a`) || Host(`b`)) && ", 30) + "Header(`x`, `y`)"
	if got, err := Alternatives(rule); err == nil || !strings.Contains(err.Error(), "more than 1000 alternatives") {
		t.Errorf("%d alternatives, %v", len(got), err)
	}
	if got, err := Alternatives("!(" + strings.Repeat("(Host(`a`) && Host(`b`)) || ", 30) + "Host(`c`))"); err == nil {
		t.Errorf("%d alternatives of a negated one", len(got))
	}
	if !Always(rule, func(matcher Matcher) bool { return matcher.Name == "Header" }) {
		t.Error("the header is not found on every alternative")
	}
	if got, err := Alternatives(strings.Repeat("(Host(`a`) || Host(`b`)) && ", 8) + "Header(`x`, `y`)"); err != nil || len(got) != 256 {
		t.Errorf("%d alternatives, %v", len(got), err)
	}
}
