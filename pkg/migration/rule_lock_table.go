package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func lockTable() Rule {
	return Rule{
		ID: "lock-table", Class: MakesWait, Title: "locks a table by itself",
		Why:    "The lock keeps the old version's writers, or all of it, out until the transaction ends.",
		Remedy: "leave it out: what needs a lock takes it; where it is needed, take the weakest one, with NOWAIT",
		Source: "common to linters of migrations: squawk, eugene, atlas, strong_migrations, online_migrations",
		Bad:    "BEGIN;\nSET LOCAL lock_timeout = '2s';\nLOCK TABLE orders;\nCOMMIT;",
		Good:   "BEGIN;\nLOCK TABLE orders IN ROW SHARE MODE;\nCOMMIT;",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.Lock)
			if !is || s.fresh(action.Table) || action.Mode < statement.Share {
				return nil
			}
			return one(s.found("%s is locked IN %s MODE", action.Table, action.Mode).
				breaks("queries of both versions on it wait until the transaction ends"))
		},
	}
}
