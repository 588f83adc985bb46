package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func truncate() Rule {
	return Rule{
		ID: "truncate", Class: BreaksAtOnce, Title: "empties a table",
		Why:    "The old version still serves what stood there, and a rollback doesn't bring it back. TRUNCATE also keeps every reader out.",
		Remedy: "delete what is not needed any more in a later release, in parts",
		Source: "squawk ban-truncate-cascade; common to linters of migrations",
		Old:    "SELECT note FROM carts WHERE id = 1",
		Bad:    "TRUNCATE carts;",
		Good:   "DELETE FROM carts WHERE id < 0;",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.Truncate)
			if !is || s.fresh(action.Table) {
				return nil
			}
			also := ""
			if action.Cascade {
				also = ", and with it every table that refers to it"
			}
			return one(s.found("table %s is emptied%s", action.Table, also).
				breaks("the old version finds its rows gone at once, and a rollback does not bring them back"))
		},
	}
}
