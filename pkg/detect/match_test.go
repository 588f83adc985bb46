package detect

import "testing"

func TestMatchesInCommon(t *testing.T) {
	exact := match{kind: exactPath, path: "/api/v1"}
	like := match{kind: expressionPath, path: "/api/v[0-9]+"}
	canary := condition{on: "header x-canary", is: "always", exact: true}
	never := condition{on: "header x-canary", is: "never", exact: true}
	tests := []struct {
		one, other match
		want       string // "" for nothing in common
	}{
		{match{}, under("/api"), "/api and below"},
		{under("/"), under("/api/"), "/api and below"},
		{under("/api"), under("/api/v1"), "/api/v1 and below"},
		{under("/api"), under("/apis"), ""},
		{beginning("/api"), under("/apis"), "/apis and below"},
		{under("/api"), exact, "exactly /api/v1"},
		{under("/cart"), exact, ""},
		{exact, exact, "exactly /api/v1"},
		{like, exact, "exactly /api/v1"},
		{match{kind: expressionPath, path: "/cart"}, exact, ""},
		{like, under("/cart"), "/cart and below"}, // what an expression excludes is not worked out
		{under("/api").with(canary), under("/api/v1"), "/api/v1 and below, header x-canary always"},
		{match{}.with(canary), match{}.with(canary), "every path, header x-canary always"},
		{match{}.with(canary), match{}.with(never), ""},
	}
	for _, test := range tests {
		for _, order := range [][2]match{{test.one, test.other}, {test.other, test.one}} {
			got, shared := order[0].both(order[1])
			said := ""
			if shared {
				said = got.String()
			}
			if said != test.want {
				t.Errorf("%s with %s: %q, want %q", order[0], order[1], said, test.want)
			}
		}
	}
}
