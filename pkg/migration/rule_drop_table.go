package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func dropTable() Rule {
	return Rule{
		ID: "drop-table", Class: BreaksAtOnce, Title: "drops a table, a schema or a database",
		Why:    "The old version reads and writes the table until it is gone, and after a rollback it does so again. What stood in it is lost.",
		Remedy: "stop using it in this release, and drop it in a later one, when no version that may come back uses it",
		Source: "squawk ban-drop-table; strong_migrations; the second runbook, Key Takeaways (v1 must tolerate v2)",
		Old:    "SELECT note FROM carts",
		Bad:    "DROP TABLE carts;",
		Good:   "COMMENT ON TABLE carts IS 'unused since this release; the next one drops it';",
		Examine: func(s *scene) []Finding {
			drop, is := s.change.Action.(statement.Drop)
			if !is {
				return nil
			}
			switch drop.Kind {
			case "table", "foreign table":
				if s.fresh(drop.Name) {
					return nil
				}
			case "schema", "database", "owned":
				if s.freshObject(drop.Kind, drop.Name) {
					return nil
				}
			default:
				return nil
			}
			return one(s.found("%s %s is dropped", drop.Kind, drop.Name).
				breaks("the old version fails on it at once (42P01), and so does a rollback; its rows are lost"))
		},
	}
}
