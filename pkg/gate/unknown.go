package gate

import (
	"fmt"
	"slices"
)

// UnknownRuleError says that an override names a rule that the profile
// doesn't have.
type UnknownRuleError struct {
	ID string
	// Nearest is the id that was probably meant, "" when none is near.
	Nearest string
	// Known are all ids of the profile.
	Known []string
}

// Error names the id, and the one that was probably meant.
func (e *UnknownRuleError) Error() string {
	if e.Nearest == "" {
		return fmt.Sprintf("override rule %q: the profile has no such rule", e.ID)
	}
	return fmt.Sprintf("override rule %q: the profile has no such rule; did you mean %s?", e.ID, e.Nearest)
}

// Hint is the remedy.
func (e *UnknownRuleError) Hint() string {
	if e.Nearest != "" {
		return "write " + e.Nearest
	}
	return "docs/gates.md lists the rules"
}

// unknownRule builds the error for an id that no rule carries.
func unknownRule(id string, rules, templates []Rule) error {
	unknown := &UnknownRuleError{ID: id}
	best := len(id)/2 + 1
	for _, rule := range slices.Concat(templates, rules) {
		for _, known := range []string{rule.ID, rule.Key()} {
			if slices.Contains(unknown.Known, known) {
				continue
			}
			unknown.Known = append(unknown.Known, known)
			if distance := editDistance(id, known); distance < best {
				best, unknown.Nearest = distance, known
			}
		}
	}
	slices.Sort(unknown.Known)
	return unknown
}

// editDistance is Levenshtein's, by bytes: ids are ASCII.
func editDistance(a, b string) int {
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		current := make([]int, len(b)+1)
		current[0] = i + 1
		for j := range len(b) {
			substitution := previous[j]
			if a[i] != b[j] {
				substitution++
			}
			current[j+1] = min(substitution, previous[j+1]+1, current[j]+1)
		}
		previous = current
	}
	return previous[len(b)]
}
