package plugin

import (
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// What nobody could see is no 0.
func TestSessionsNow(t *testing.T) {
	seen, none := postgres.ColorDemand{Color: "blue", Sessions: 16}, postgres.ColorDemand{Color: "green"}
	for name, test := range map[string]struct {
		budget postgres.Budget
		color  postgres.ColorDemand
		want   string
	}{
		"seen":                      {postgres.Budget{}, seen, "16"},
		"seen that it holds none":   {postgres.Budget{}, none, "0"},
		"counted by an exporter":    {postgres.Budget{Counted: true}, none, "-"},
		"not all may be seen":       {postgres.Budget{Unseen: true}, seen, ">= 16"},
		"none of them may be seen ": {postgres.Budget{Unseen: true}, none, "-"},
	} {
		test.budget.Colors = []postgres.ColorDemand{test.color}
		if got := budgetRows(test.budget)[0][4]; got != test.want {
			t.Errorf("%s: %v, want %s", name, got, test.want)
		}
	}
}
