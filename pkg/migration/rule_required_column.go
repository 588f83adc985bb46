package migration

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func requiredColumn() Rule {
	return Rule{
		ID: "add-required-column", Class: BreaksAtOnce, Title: "adds a NOT NULL column without a default",
		Why:    "The old version doesn't know the column, so none of its inserts fills it. Where the table has rows, the migration itself fails.",
		Remedy: "give it a default, or let it be null until every version that may come back fills it",
		Source: "squawk adding-required-field; strong_migrations; atlas MF103",
		Old:    "INSERT INTO coupons (id, code) VALUES (1, 'X')",
		Bad:    "ALTER TABLE coupons ADD COLUMN percent integer NOT NULL;",
		Good:   "SET lock_timeout = '2s';\nALTER TABLE coupons ADD COLUMN percent integer NOT NULL DEFAULT 10;",
		Examine: func(s *scene) []Finding {
			add, is := s.change.Action.(statement.AddColumn)
			if !is || s.fresh(add.Table) || !required(add.Column) {
				return nil
			}
			table, column := add.Table.Quote(), statement.Quote(add.Column.Name)
			return one(s.found("column %s of %s must be filled, and has no default", add.Column.Name, add.Table).
				breaks("every insert of the old version fails at once (23502), and so does a rollback").
				safe(
					fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s; -- this release fills it", table, column, add.Column.Type),
					"-- a later release, when no version that may come back leaves it empty",
					fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;", table, statement.Quote(add.Column.Name+"_filled"), column),
					fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s;", table, statement.Quote(add.Column.Name+"_filled")),
					fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;", table, column)))
		},
	}
}

// required reports whether an insert that doesn't name the column fails.
func required(column statement.Column) bool {
	mandatory := column.NotNull
	for _, constraint := range column.Constraints {
		mandatory = mandatory || constraint.Kind == statement.PrimaryKey || constraint.Check.ProvesNotNull() == column.Name
	}
	empty := column.Default == nil || column.Default.IsNull()
	return mandatory && empty && !column.Identity && column.Generated == nil && !column.Type.IsSerial()
}
