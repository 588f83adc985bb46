package migration

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func setNotNull() Rule {
	return Rule{
		ID: "set-not-null", Class: BreaksAtOnce, Title: "forbids null in a column",
		Why: "The old version may still write null, or leave the column out. A release that only fills the column must come before, and its " +
			"CHECK must have been valid since then: then neither version notices.",
		Remedy: "fill the column in this release, and forbid null in a later one",
		Source: "squawk adding-not-nullable-field; strong_migrations, Setting NOT NULL on an existing column",
		Old:    "INSERT INTO orders (id) VALUES (9001)",
		Bad:    "ALTER TABLE orders ALTER COLUMN quantity SET NOT NULL;",
		Good:   "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN quantity SET DEFAULT 1;",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.SetNotNull)
			if !is || s.fresh(action.Table) {
				return nil
			}
			known := s.schema.table(action.Table)
			if proven := known.proven(action.Column); proven != nil || known.column(action.Column).notNull {
				return nil // the old version lives with it, or what proves it was told
			}
			if column := known.column(action.Column); column.fresh && column.filled {
				return nil
			}
			table, column, name := action.Table.Quote(), statement.Quote(action.Column), statement.Quote(action.Column+"_filled")
			return one(s.found("column %s of %s may not be null any more", action.Column, action.Table).
				breaks("an insert of the old version that leaves it out, or writes null, fails at once (23502), and so does a rollback").
				safe(
					"-- this release fills it; the next one:",
					fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;", table, name, column),
					fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s;", table, name),
					"-- the one after that:",
					fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;", table, column),
					fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s;", table, name)))
		},
	}
}
