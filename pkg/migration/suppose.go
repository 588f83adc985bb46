package migration

import (
	"slices"
	"strings"
	"unicode"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// mention takes down the words of a statement, whatever they name there.
func (s *schema) mention(text string) {
	for _, word := range words(text) {
		s.mentioned[strings.ToLower(word)] = true
	}
}

func words(text string) []string {
	return strings.FieldsFunc(text, func(char rune) bool {
		return !unicode.IsLetter(char) && !unicode.IsDigit(char) && char != '_' && char != '$'
	})
}

// speaksOf reports whether what was read so far may speak of a name.
func (s *schema) speaksOf(name string) bool {
	return !slices.ContainsFunc(words(name), func(word string) bool { return !s.mentioned[strings.ToLower(word)] })
}

// furnishes reports whether a change is one that a new table gets. What changes
// its columns, or takes it away, is done to a table that was there.
func furnishes(action statement.Action) bool {
	switch action := action.(type) {
	case statement.CreateTable, statement.CreateIndex, statement.AddConstraint, statement.ValidateConstraint, statement.RowSecurity,
		statement.CreateTrigger, statement.AlterTable, statement.Alter, statement.Revoke, statement.Data:
		return true
	case statement.Policy:
		return !action.Alter
	}
	return false
}

// examine lets a rule look at a change. Where it finds something only because IF
// NOT EXISTS may have found a table that nothing before speaks of, that warns.
func (p *part) examine(rule Rule, strict *scene) []Finding {
	found := rule.Examine(strict)
	if len(found) == 0 || !p.schema.supposes || !furnishes(strict.change.Action) {
		return found
	}
	lenient := *strict
	lenient.supposing = true
	sure := rule.Examine(&lenient)
	if len(sure) == len(found) {
		return sure
	}
	for _, one := range found {
		if slices.ContainsFunc(sure, func(f Finding) bool { return f.Problem == one.Problem }) {
			continue
		}
		if one.Level == "" && rule.DefaultLevel() == Block {
			one.Level = Warn
		}
		one.Breaks += "; that is, if the table was there: only IF NOT EXISTS says that it may have been, and no migration that was read speaks of it before"
		sure = append(sure, one)
	}
	return sure
}
