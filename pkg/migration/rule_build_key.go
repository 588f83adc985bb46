package migration

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func buildKey() Rule {
	return Rule{
		ID: "build-key", Class: MakesWait, Title: "builds the index of a key, or those of a column, while nobody can read the table",
		Why:    "ACCESS EXCLUSIVE is held for as long as the index takes. Built CONCURRENTLY first, the index becomes the key in an instant.",
		Remedy: "build the unique index CONCURRENTLY, and make the key from it",
		Source: "squawk adding-serial-primary-key-field, disallowed-unique-constraint; eugene E7",
		Bad:    "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN code text;\nALTER TABLE orders ADD CONSTRAINT orders_code UNIQUE (code);",
		Good: `SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN code text;
CREATE UNIQUE INDEX CONCURRENTLY orders_code ON orders (code);
ALTER TABLE orders ADD CONSTRAINT orders_code UNIQUE USING INDEX orders_code;`,
		Examine: func(s *scene) []Finding {
			done, table, why := s.work()
			if done != builds {
				return nil
			}
			found := s.found("%s: %s", table, why).breaks("every query of both versions on it waits until the index is built")
			if change, is := s.change.Action.(statement.AlterType); is {
				found.Remedy = "add a column of the new collation, write both, fill it in parts, index it CONCURRENTLY, and read it"
				found.Breaks = "every query of both versions on it waits until the indexes of " + change.Column + " are built"
				return one(found)
			}
			add, is := s.change.Action.(statement.AddConstraint)
			if !is || add.Constraint.Kind == statement.Exclude {
				return one(found)
			}
			name := add.Constraint.Name
			if name == "" {
				name = add.Table.Name + "_key"
			}
			columns := definition(statement.Constraint{Kind: "", Columns: add.Constraint.Columns})
			return one(found.safe(
				fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY %s ON %s%s;", statement.Quote(name), add.Table.Quote(), columns),
				fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s;", add.Table.Quote(), statement.Quote(name), add.Constraint.Kind, statement.Quote(name))))
		},
	}
}
