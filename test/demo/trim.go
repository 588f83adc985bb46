package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// withoutPassed leaves out the lines of checks that passed or had nothing to
// look at: in a story only the others matter.
func withoutPassed(line string) bool {
	mark, rest, _ := strings.Cut(line, " ")
	passed := mark == "√" || mark == "+" || mark == "-"
	return line != "" && !(passed && strings.HasPrefix(rest, "BG-")) && strings.Trim(line, "─-") != ""
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
