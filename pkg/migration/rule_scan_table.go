package migration

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func scanTable() Rule {
	return Rule{
		ID: "scan-table", Class: MakesWait, Title: "checks every row of a table while others wait",
		Why:    "The lock is held for as long as the check takes. Added NOT VALID, a constraint holds for new rows at once, and VALIDATE checks the others under a lock that hinders nobody.",
		Remedy: "add it NOT VALID, and validate it in a transaction of its own",
		Source: "squawk constraint-missing-not-valid, adding-foreign-key-constraint; eugene E1, E2, E4; that a valid CHECK spares SET NOT NULL the check was tried on PostgreSQL 12 to 18",
		Bad:    "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN weight integer;\nALTER TABLE orders ADD CONSTRAINT orders_weight CHECK (weight > 0);",
		Good: `SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN weight integer;
ALTER TABLE orders ADD CONSTRAINT orders_weight CHECK (weight > 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_weight;`,
		Examine: func(s *scene) []Finding {
			done, table, why := s.work()
			if done != scans {
				return nil
			}
			return one(s.found("%s: %s", table, why).
				breaks("queries of both versions on it wait until all its rows are checked").safe(s.validated()...))
		},
	}
}

// validated is the same constraint in two steps.
func (s *scene) validated() []string {
	switch action := s.change.Action.(type) {
	case statement.AddConstraint:
		if action.Constraint.UsingIndex != "" {
			return nil
		}
		name := action.Constraint.Name
		if name == "" {
			name = action.Table.Name + "_new"
		}
		return []string{
			fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID;", action.Table.Quote(), statement.Quote(name), definition(action.Constraint)),
			"-- committed; then, in a transaction of its own",
			fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s;", action.Table.Quote(), statement.Quote(name)),
		}
	case statement.SetNotNull:
		table, column, name := action.Table.Quote(), statement.Quote(action.Column), statement.Quote(action.Column+"_filled")
		return []string{
			fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;", table, name, column),
			"-- committed; then, each in a transaction of its own",
			fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s;", table, name),
			fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL; -- the valid CHECK spares it the check", table, column),
			fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s;", table, name),
		}
	case statement.AttachPartition:
		return []string{
			fmt.Sprintf("-- first prove the bounds: ALTER TABLE %s ADD CONSTRAINT … CHECK (…) NOT VALID, and VALIDATE it", action.Partition.Quote()),
			s.text(),
		}
	}
	return nil
}

func definition(constraint statement.Constraint) string {
	if constraint.Kind == statement.Check {
		return "CHECK (" + constraint.Check.SQL() + ")"
	}
	columns := ""
	for i, column := range constraint.Columns {
		if i > 0 {
			columns += ", "
		}
		columns += statement.Quote(column)
	}
	if constraint.Kind == statement.NotNull {
		return "NOT NULL " + columns
	}
	text := fmt.Sprintf("%s (%s)", constraint.Kind, columns)
	if constraint.Kind == statement.ForeignKey {
		text += " REFERENCES " + constraint.References.Quote() + " …"
	}
	return text
}
