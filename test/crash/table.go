package crash

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// row is one point in one direction.
type row struct {
	direction string
	point     Point
}

// column is on which side of the point the program was killed, and how it went
// on from there.
type column struct {
	landing Landing
	way     string
}

// Table shows what came of every kill, as Markdown: a row for each point, in
// the order in which they were first killed, and a column for each side of it
// and each way to go on. A kill counts as converged when all that were made
// there did.
func Table(outcomes []Outcome) string {
	cells := map[row]map[column]string{}
	var rows []row
	used := map[column]bool{}
	for _, outcome := range outcomes {
		word := "converged"
		switch {
		case outcome.Missed:
			word = "missed"
		case outcome.Err != nil:
			word = "FAILED"
		}
		direction := ""
		for i, step := range outcome.Case.Steps {
			if step.Command != resume {
				direction = step.Command
			}
			if step.Kill == nil {
				continue
			}
			at := row{direction: direction, point: step.Kill.Point}
			under := column{landing: step.Kill.Landing, way: outcome.Case.Steps[i+1].Command}
			if cells[at] == nil {
				cells[at] = map[column]string{}
				rows = append(rows, at)
			}
			if cells[at][under] != "FAILED" {
				cells[at][under] = word
			}
			used[under] = true
		}
	}
	columns := slices.SortedFunc(maps.Keys(used), func(a, b column) int {
		return strings.Compare(string(b.landing)+a.way, string(a.landing)+b.way)
	})
	return render(rows, columns, cells)
}

func render(rows []row, columns []column, cells map[row]map[column]string) string {
	var text strings.Builder
	text.WriteString("| Run | Killed at |")
	for _, column := range columns {
		fmt.Fprintf(&text, " %s it lands, then %s |", column.landing, column.way)
	}
	text.WriteString("\n|---|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, row := range rows {
		fmt.Fprintf(&text, "| %s | %s |", row.direction, row.point)
		for _, column := range columns {
			word := cells[row][column]
			if word == "" {
				word = "–"
			}
			fmt.Fprintf(&text, " %s |", word)
		}
		text.WriteString("\n")
	}
	return text.String()
}
