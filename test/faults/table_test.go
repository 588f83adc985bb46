package faults

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// The table that stands in the documentation can be read, and is whole.
func TestTheDocumentedTableIsWhole(t *testing.T) {
	rows, err := ReadTable(filepath.Join("..", "..", "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(rows); err != nil {
		t.Error(err)
	}
	matrix := Matrix(rows)
	if want := len(Known()) * len(all()); len(matrix) != want {
		t.Errorf("%d cases, want %d: every fault in every phase", len(matrix), want)
	}
	met := map[string]bool{}
	for _, found := range Once(rows) {
		met[found.Fault.String()], met[found.Name()] = true, true
	}
	for _, fault := range Known() {
		if !met[fault.String()] {
			t.Errorf("a single pass never makes %s", fault)
		}
	}
	for _, dependency := range []Dependency{Prometheus, PostgreSQL} {
		for _, phase := range []rollout.Phase{rollout.Baseline, rollout.Revert} {
			if name := fmt.Sprintf("%s cut, in phase %s", dependency, phase); !met[name] {
				t.Errorf("a single pass never makes %s", name)
			}
		}
	}
	grouped := len(Everybody(matrix))
	for _, group := range Groups(matrix) {
		grouped += len(group.Cases)
	}
	if grouped != len(matrix) {
		t.Errorf("%d cases are in groups, want %d", grouped, len(matrix))
	}
}

// A table with a hole, with one promise too many and with one that nothing
// tests is not whole, and each is told.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	rows, err := ReadTable(filepath.Join("..", "..", "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	unknown := rows[0]
	unknown.Fault = "haunted"
	for name, test := range map[string]struct {
		rows []Row
		want string
	}{
		"a row is missing":     {rows[1:], "0 rows are about " + string(rows[0].Dependency) + " " + rows[0].Fault},
		"a row is there twice": {append(slices.Clone(rows), rows[0]), "2 rows are about " + string(rows[0].Dependency) + " " + rows[0].Fault},
		"nothing makes it":     {append(slices.Clone(rows), unknown), `"haunted", and nothing makes it`},
	} {
		if err := Check(test.rows); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestParseTable(t *testing.T) {
	const head = "# Faults\n\n| Dependency | Fault | While | Exit | Run | Traffic | Says | Then | Exit | Run | Traffic |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
	rows, err := parseTable(head + "| PostgreSQL | cut | watch, drain | 4 | held | target | nobody answers | `resume` | 0 | done | target |\n\nProse.\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{{
		Dependency: PostgreSQL, Fault: "cut", Phases: []rollout.Phase{rollout.Watch, rollout.Drain},
		Ends: Ending{4, rollout.Held, Target}, Says: "nobody answers", Then: "resume", After: Ending{0, rollout.Done, Target},
	}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	for name, test := range map[string]struct{ text, want string }{
		"no table":       {"# Faults\n", "no table has the columns"},
		"a cell less":    {head + "| PostgreSQL | cut | watch | 4 | held | target | x | | | |\n", "line 5: 10 cells, want 11"},
		"no such phase":  {head + "| PostgreSQL | cut | noon | 4 | held | target | x | | | | |\n", `line 5: no phase and no stretch of a run is called "noon"`},
		"no number":      {head + "| PostgreSQL | cut | watch | four | held | target | x | | | | |\n", `line 5: read exit code "four"`},
		"no such end":    {head + "| PostgreSQL | cut | watch | 4 | watch | target | x | | | | |\n", `line 5: no run ends as "watch"`},
		"nobody's":       {head + "| PostgreSQL | cut | watch | 4 | held | nobody | x | | | | |\n", `line 5: who has the traffic is "nobody"`},
		"and then what?": {head + "| PostgreSQL | cut | watch | 4 | held | target | x | `resume` | | | |\n", `line 5: read exit code ""`},
	} {
		if _, err := parseTable(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
