package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func dropColumn() Rule {
	return Rule{
		ID: "drop-column", Class: BreaksAtOnce, Title: "drops a column",
		Why:    "The old version names the column in its queries, and its ORM does so even where nobody wrote it down. What stood in the column is lost for a rollback.",
		Remedy: "stop using it in this release, and drop it in a later one, when no version that may come back names it",
		Source: "squawk ban-drop-column; strong_migrations, Removing a column; atlas DS103",
		Old:    "SELECT note FROM orders WHERE id = 1",
		Bad:    "ALTER TABLE orders DROP COLUMN note;",
		Good:   "COMMENT ON COLUMN orders.note IS 'unused since this release; the next one drops it';",
		Examine: func(s *scene) []Finding {
			drop, is := s.change.Action.(statement.DropColumn)
			if !is || s.freshColumn(drop.Table, drop.Column) {
				return nil
			}
			return one(s.found("column %s of %s is dropped", drop.Column, drop.Table).
				breaks("every query of the old version that names it fails at once (42703), and so does a rollback; what stood in it is lost"))
		},
	}
}
