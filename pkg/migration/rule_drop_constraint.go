package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func dropConstraint() Rule {
	return Rule{
		ID: "drop-constraint", Class: BreaksLater, Title: "demands less of what is written to a table",
		Why:    "The old version relies on what the constraint kept out, and ON CONFLICT on the index behind a key. Once the new version has written something else, the constraint can't come back.",
		Remedy: "drop it in a later release, when no version that may come back relies on it",
		Source: "common to linters of migrations; atlas CD101",
		Old:    "SELECT quantity FROM orders WHERE id = 1",
		Bad:    "SET lock_timeout = '2s';\nALTER TABLE orders DROP CONSTRAINT orders_quantity;",
		Good:   "COMMENT ON CONSTRAINT orders_quantity ON orders IS 'the next release drops it';",
		Examine: func(s *scene) []Finding {
			what := ""
			switch action := s.change.Action.(type) {
			case statement.DropConstraint:
				if proof := s.schema.table(action.Table).proofs[action.Constraint]; !s.fresh(action.Table) && !spent(s, action, proof) {
					what = "constraint " + action.Constraint + " of " + action.Table.String()
				}
			case statement.AlterDomain:
				if action.Relaxes {
					what = "a constraint of domain " + action.Domain.String()
				}
			case statement.Drop:
				if known := s.schema.indexes[s.schema.key(action.Name)]; action.Kind == "index" && known != nil && known.unique && !known.fresh {
					what = "unique index " + action.Name.String()
				}
			}
			if what == "" {
				return nil
			}
			return one(s.found("%s is dropped", what).
				breaks("the old version may fail on what the new one writes from then on, above all after a rollback; ON CONFLICT needs the index of a key (42P10)"))
		},
	}
}

// spent reports whether a CHECK is one that proved no null and isn't needed any
// more, because the column itself forbids it.
func spent(s *scene, action statement.DropConstraint, known *proof) bool {
	return known != nil && (known.fresh || s.schema.table(action.Table).column(known.column).notNull)
}
