package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// filter chooses the lines of a command's output that the story shows.
type filter interface {
	// shows reports whether to show a line; it is asked for each in turn.
	shows(line string) bool
	// leftOut says what was not shown.
	leftOut() string
}

// exceptPassed leaves out the checks of a report that passed or had nothing to
// look at, and its headings: in a story only the others matter.
type exceptPassed struct {
	hidden int
	// hiding is the lines below a check that is left out.
	hiding bool
}

func (e *exceptPassed) shows(line string) bool {
	mark, rest, _ := strings.Cut(line, " ")
	switch {
	case strings.HasPrefix(rest, "BG-"):
		e.hiding = mark == "√" || mark == "+" || mark == "-"
		if e.hiding {
			e.hidden++
		}
		return !e.hiding
	case strings.HasPrefix(line, "    "):
		return !e.hiding
	}
	e.hiding = false
	// What is left are headings and the sentences at the start and the end.
	return strings.Contains(line, ":") || strings.Contains(line, "(")
}

func (e *exceptPassed) leftOut() string {
	return fmt.Sprintf("%d lines are left out here: checks that passed or had nothing to look at", e.hidden)
}

// answers says who answered how often.
func answers(seen timeline) string {
	counts := seen.versions()
	var parts []string
	for _, version := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", version, counts[version]))
	}
	return strings.Join(parts, ", ")
}
