package faults

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// Row is one promise of the table.
type Row struct {
	Dependency Dependency
	Fault      string
	// Phases are those in which the fault begins.
	Phases []rollout.Phase
	// Ends is how the command ends that meets the fault: a shift, or a
	// rollback in a phase of the way back.
	Ends Ending
	// Says is what the command says, among other things; «target» and «old
	// side» stand for the names of colours.
	Says string
	// Then is the command that goes on from there once the fault is over, ""
	// where nothing is left to do, and After how that one ends.
	Then  string
	After Ending
}

// Ending is how a command ends.
type Ending struct {
	// Code is the exit code.
	Code int
	// Phase is the end that the run has reached.
	Phase rollout.Phase
	// Traffic is who has it: Target or Old.
	Traffic string
}

// Who has the traffic: the colour that the run gives it to, or the other one.
const (
	Target = "target"
	Old    = "old side"
)

// columns are the table's, in order.
var columns = []string{"Dependency", "Fault", "While", "Exit", "Run", "Traffic", "Says", "Then", "Exit", "Run", "Traffic"}

// stretch is a part of a run that the column While may name.
type stretch struct {
	name   string
	phases []rollout.Phase
}

// stretches are all parts of a run, in order. A hold is left out: a Service,
// which gives everything to one colour at once, has none.
var stretches = []stretch{
	{"before", []rollout.Phase{rollout.Preflight, rollout.Apply, rollout.WaitReady, rollout.CleanLogs, rollout.Health, rollout.Synthetic, rollout.Baseline}},
	{"switch", []rollout.Phase{rollout.HoldFloor, rollout.Switch, rollout.Prove}},
	{"watch", []rollout.Phase{rollout.Watch}},
	{"after", []rollout.Phase{rollout.Confirm, rollout.Drain, rollout.GiveBack}},
	{"back", []rollout.Phase{rollout.Revert, rollout.ProveRevert, rollout.Preserve, rollout.DrainReverse, rollout.End, rollout.Recover, rollout.Restore}},
}

// Stretches are the parts of a run that the table may name, in order.
func Stretches() []string {
	var names []string
	for _, stretch := range stretches {
		names = append(names, stretch.name)
	}
	return names
}

// StretchOf is the part of a run that a phase is in, "" for none.
func StretchOf(phase rollout.Phase) string {
	for _, stretch := range stretches {
		if slices.Contains(stretch.phases, phase) {
			return stretch.name
		}
	}
	return ""
}

// all are the phases of all stretches, in the order of a run.
func all() []rollout.Phase {
	var phases []rollout.Phase
	for _, stretch := range stretches {
		phases = append(phases, stretch.phases...)
	}
	return phases
}

// ReadTable reads the table of a document.
func ReadTable(path string) ([]Row, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read table of faults: %w", err)
	}
	rows, err := parseTable(string(text))
	if err != nil {
		return nil, fmt.Errorf("read table of faults in %s: %w", path, err)
	}
	return rows, nil
}

// parseTable finds the table by its columns, and reads its rows.
func parseTable(text string) ([]Row, error) {
	var rows []Row
	inside := false
	for number, line := range strings.Split(text, "\n") {
		cells := cellsOf(line)
		switch {
		case !inside:
			inside = slices.Equal(cells, columns)
			continue
		case cells == nil:
			return rows, nil
		case strings.HasPrefix(cells[0], "---"):
			continue
		case len(cells) != len(columns):
			return nil, fmt.Errorf("line %d: %d cells, want %d", number+1, len(cells), len(columns))
		}
		row, err := rowOf(cells)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no table has the columns %s", strings.Join(columns, ", "))
	}
	return rows, nil
}

// cellsOf splits a line of a table, nil for any other line.
func cellsOf(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") {
		return nil
	}
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for index, cell := range cells {
		cells[index] = strings.TrimSpace(cell)
	}
	return cells
}

// rowOf reads one row.
func rowOf(cells []string) (Row, error) {
	row := Row{Dependency: Dependency(cells[0]), Fault: cells[1], Says: cells[6], Then: strings.Trim(cells[7], "`")}
	var err error
	if row.Phases, err = phasesOf(cells[2]); err != nil {
		return row, err
	}
	if row.Ends, err = endingOf(cells[3:6]); err != nil {
		return row, err
	}
	if row.Then == "" {
		return row, nil
	}
	row.After, err = endingOf(cells[8:11])
	return row, err
}

// phasesOf reads a list of stretches and single phases.
func phasesOf(text string) ([]rollout.Phase, error) {
	var phases []rollout.Phase
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		at := slices.IndexFunc(stretches, func(known stretch) bool { return known.name == name })
		switch {
		case at >= 0:
			phases = append(phases, stretches[at].phases...)
		case slices.Contains(all(), rollout.Phase(name)):
			phases = append(phases, rollout.Phase(name))
		default:
			return nil, fmt.Errorf("no phase and no stretch of a run is called %q", name)
		}
	}
	return phases, nil
}

// endingOf reads an exit code, an end and who has the traffic.
func endingOf(cells []string) (Ending, error) {
	code, err := strconv.Atoi(cells[0])
	if err != nil {
		return Ending{}, fmt.Errorf("read exit code %q: it is no number", cells[0])
	}
	ending := Ending{Code: code, Phase: rollout.Phase(cells[1]), Traffic: cells[2]}
	if !ending.Phase.Terminal() {
		return ending, fmt.Errorf("no run ends as %q", cells[1])
	}
	if ending.Traffic != Target && ending.Traffic != Old {
		return ending, fmt.Errorf("who has the traffic is %q, want %q or %q", cells[2], Target, Old)
	}
	return ending, nil
}

// Check returns an error for every row about a fault that nobody knows, for
// every known fault and phase that no row is about, and for every one that
// several are.
func Check(rows []Row) error {
	var problems []error
	about := map[string]int{}
	key := func(fault Fault, phase rollout.Phase) string { return fault.String() + " in phase " + string(phase) }
	for _, row := range rows {
		fault, known := find(row.Dependency, row.Fault)
		if !known {
			problems = append(problems, fmt.Errorf("the table has %s %q, and nothing makes it", row.Dependency, row.Fault))
			continue
		}
		for _, phase := range row.Phases {
			about[key(fault, phase)]++
		}
	}
	for _, fault := range Known() {
		for _, phase := range all() {
			if found := about[key(fault, phase)]; found != 1 {
				problems = append(problems, fmt.Errorf("%d rows are about %s, want one", found, key(fault, phase)))
			}
		}
	}
	return errors.Join(problems...)
}
