package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func enumValue() Rule {
	return Rule{
		ID: "add-enum-value", Class: BreaksLater, Title: "adds a value to an enum",
		Why:    "The old version doesn't know the value. It meets it as soon as the new one has written it, and after a rollback; an enum never loses a value again.",
		Remedy: "let this release read the value, and a later one write it",
		Source: "common to linters of migrations; django-pg-zero-downtime-migrations",
		Old:    "SELECT state FROM orders WHERE id = 1",
		Bad:    "ALTER TYPE order_state ADD VALUE 'returned';",
		Good:   "CREATE TYPE return_state AS ENUM ('asked', 'done');",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.AddEnumValue)
			if !is || s.freshObject("type", action.Type) {
				return nil
			}
			return one(s.found("%s gets the value %q", action.Type, action.Value).
				breaks("the old version may fail on the value once the new one has written it, above all after a rollback"))
		},
	}
}

func enumInTransaction() Rule {
	return Rule{
		ID: "enum-in-transaction", Class: MakesWait, Title: "uses a new value of an enum in the transaction that adds it",
		Why:    "PostgreSQL refuses it (55P04): the migration fails where it stands.",
		Remedy: "add the value in a migration of its own, which is committed before the one that uses it",
		Source: "PostgreSQL's manual, ALTER TYPE, Notes",
		Bad:    "BEGIN;\nALTER TYPE order_state ADD VALUE 'returned';\nUPDATE orders SET state = 'returned' WHERE id = 1;\nCOMMIT;",
		Good:   "ALTER TYPE order_state ADD VALUE 'returned';\nUPDATE orders SET state = 'returned' WHERE id = 1;",
		Examine: func(s *scene) []Finding {
			if s.transaction == nil {
				return nil
			}
			var used statement.Expression
			switch action := s.change.Action.(type) {
			case statement.Data:
				used = action.Query
			case statement.SetDefault:
				used = action.Default
			case statement.AddColumn:
				used = action.Column.Default
			}
			for _, token := range used {
				if token.Kind == statement.Literal && s.transaction.enums[token.Value] {
					return one(s.found("the value %q is used before it is committed", token.Value).
						breaks("the migration fails here (55P04)"))
				}
			}
			return nil
		},
	}
}
