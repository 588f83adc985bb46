package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func changeDefault() Rule {
	return Rule{
		ID: "change-default", Class: BreaksAtOnce, Title: "changes or drops a default, or what generates a column",
		Why: "The default fills what the old version leaves out, and so does an identity. Without it those inserts fail or write null; with another one the old version writes what it does not mean. " +
			"GENERATED ALWAYS refuses what the old version writes itself.",
		Remedy: "let the new version write the value itself, and change the default in a later release",
		Source: "common to linters of migrations; online_migrations; identities were tried on PostgreSQL",
		Old:    "INSERT INTO orders (id) VALUES (9001)",
		Bad:    "ALTER TABLE orders ALTER COLUMN total DROP DEFAULT;",
		Good:   "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN points integer;\nALTER TABLE orders ALTER COLUMN points SET DEFAULT 1;",
		Examine: func(s *scene) []Finding {
			if action, is := s.change.Action.(statement.AlterGenerated); is {
				return s.regenerated(action)
			}
			action, is := s.change.Action.(statement.SetDefault)
			if !is || s.fresh(action.Table) {
				return nil
			}
			column := s.schema.table(action.Table).column(action.Column)
			switch {
			case action.Default == nil && (!column.fresh || column.notNull):
				return one(s.found("column %s of %s loses its default", action.Column, action.Table).
					breaks("an insert of the old version that leaves it out writes null, or fails at once (23502), and so does one after a rollback"))
			case action.Default != nil && !column.fresh && (column.filled || !column.known):
				return one(s.found("the default of column %s of %s becomes %s", action.Column, action.Table, action.Default).
					breaks("the old version's inserts that leave it out write the new value at once, and go on to do so after a rollback"))
			}
			return nil
		},
	}
}

const ruleNewDefault = "new-default"

func newDefault() Rule {
	return Rule{
		ID: ruleNewDefault, Class: NeedsReview, Title: "gives a default to a column of the old version that had none",
		Why: "The old version's inserts that leave the column out wrote null, and write the default from then on. That is what one wants before the column becomes NOT NULL; " +
			"where null says something, such as that an order has not been sent, the old version says what it does not mean.",
		Remedy: "see that null says nothing there to the old version; otherwise let the new version write the value itself, and set the default in a later release",
		Source: "what an insert writes then was tried on PostgreSQL",
		Old:    "INSERT INTO orders (id) VALUES (9001) RETURNING quantity",
		Bad:    "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN quantity SET DEFAULT 1;",
		Good:   "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN points integer;\nALTER TABLE orders ALTER COLUMN points SET DEFAULT 1;",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.SetDefault)
			if !is || s.freshColumn(action.Table, action.Column) {
				return nil
			}
			before := s.schema.table(action.Table).column(action.Column)
			after := before.defaulting(action.Default)
			if !before.known || before.filled || before.notNull || !after.filled { // what is NOT NULL is left out by nobody
				return nil
			}
			return one(s.found("column %s of %s had no default, and gets %s", action.Column, action.Table, action.Default).
				breaks("the old version's inserts that leave it out write that and not null, at once and after a rollback"))
		},
	}
}

// regenerated judges a change of what generates a column.
func (s *scene) regenerated(action statement.AlterGenerated) []Finding {
	switch {
	case s.freshColumn(action.Table, action.Column):
		return nil
	case action.Drops:
		return one(s.found("column %s of %s is not filled by itself any more: %s", action.Column, action.Table, action.What).
			breaks("an insert of the old version that leaves it out writes null, or fails at once (23502), and so does one after a rollback"))
	case action.Always:
		return one(s.found("column %s of %s becomes GENERATED ALWAYS", action.Column, action.Table).
			breaks("an insert of the old version that writes it itself fails at once (428C9), and so does one after a rollback"))
	}
	return nil
}
