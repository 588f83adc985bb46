package detect

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTraefikRules(t *testing.T) {
	tests := map[string][]string{
		"Host(`shop.example.com`)":                                         {"shop.example.com: every path"},
		"Host(`a.com`, `b.com`) && PathPrefix(`/api`)":                     {"a.com b.com: paths that begin with /api"},
		"Host(`a.com`) && (PathPrefix(`/x`) || Path(`/y`))":                {"a.com: paths that begin with /x", "a.com: exactly /y"},
		"(Host(`a.com`) || Host(`b.com`)) && Header(`X-Canary`, `always`)": {"a.com: every path, header x-canary always", "b.com: every path, header x-canary always"},
		"Host(`a.com`) && !PathPrefix(`/internal`)":                        {"a.com: every path, rule not PathPrefix(/internal)"},
		"Host(`a.com`) && !(PathPrefix(`/x`) || Method(`GET`))":            {"a.com: every path, rule not Method(GET), rule not PathPrefix(/x)"},
		"HostRegexp(`[a-z]+\\.example\\.com`)":                             {`hosts like [a-z]+\.example\.com: every path`},
		"PathPrefix(`/`)":                                                  {": every path"},
		"Host(`a.com`) && ClientIP(`10.0.0.0/8`)":                          {"a.com: every path, ClientIP 10.0.0.0/8"},
		"Host(`a.com`) &&":                                                 {": every path, rule Host(`a.com`) &&"},
		"Host(`a.com`) && Path(`/x`) && Path(`/y`) || Host(`b.com`)":       {"b.com: every path"},
		"!(!Host(`a.com`))":                                                {"a.com: every path"},
		"HostSNI(`*`)":                                                     {"*: every path"},
	}
	for rule, want := range tests {
		var got []string
		for _, way := range traefikRule(rule) {
			var hosts []string
			for _, one := range way.hosts {
				hosts = append(hosts, one.String())
			}
			got = append(got, strings.Join(hosts, " ")+": "+way.match.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", rule, diff)
		}
	}
}
