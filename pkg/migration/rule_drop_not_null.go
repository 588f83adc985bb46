package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func dropNotNull() Rule {
	return Rule{
		ID: "drop-not-null", Class: BreaksLater, Title: "allows null in a column",
		Why:    "The old version has never met a null there. Once the new one has written one, a rollback reads it.",
		Remedy: "let the new version write null only when no version that may come back stumbles over it",
		Source: "squawk ban-drop-not-null",
		Old:    "SELECT total FROM orders WHERE id = 1",
		Bad:    "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN total DROP NOT NULL;",
		Good:   "COMMENT ON COLUMN orders.total IS 'never null';",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.DropNotNull)
			if !is || s.freshColumn(action.Table, action.Column) {
				return nil
			}
			return one(s.found("column %s of %s may be null", action.Column, action.Table).
				breaks("the old version may fail on a null that the new one has written, above all after a rollback"))
		},
	}
}
