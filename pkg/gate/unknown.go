package gate

import (
	"fmt"
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
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
	for _, rule := range slices.Concat(templates, rules) {
		for _, known := range []string{rule.ID, rule.Key()} {
			if !slices.Contains(unknown.Known, known) {
				unknown.Known = append(unknown.Known, known)
			}
		}
	}
	slices.Sort(unknown.Known)
	unknown.Nearest = release.Closest(id, unknown.Known)
	return unknown
}
