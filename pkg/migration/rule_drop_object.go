package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func dropObject() Rule {
	return Rule{
		ID: "drop-object", Class: BreaksAtOnce, Title: "drops a view, function, type, sequence or extension",
		Why:    "The old version may call it, or a query of its own may. With CASCADE more is dropped than is written down.",
		Remedy: "stop using it in this release, and drop it in a later one; to replace it, make the new one in the same transaction, or under another name",
		Source: "strong_migrations; common to linters of migrations",
		Old:    "SELECT id, total FROM open_orders",
		Bad:    "DROP VIEW open_orders;",
		Good:   "COMMENT ON VIEW open_orders IS 'unused since this release; the next one drops it';",
		Examine: func(s *scene) []Finding {
			drop, is := s.change.Action.(statement.Drop)
			if !is || s.freshNamed(drop.Named()) || s.remade(drop.Named()) && !drop.Cascade {
				return nil
			}
			switch drop.Kind {
			case "table", "foreign table", "schema", "database", "owned", "index", "trigger", "policy", "rule", "statistics", "publication", "user mapping":
				return nil
			}
			return one(s.found("%s %s is dropped", drop.Kind, drop.Name).
				breaks("whatever of the old version uses it fails at once, and so does a rollback"))
		},
	}
}
