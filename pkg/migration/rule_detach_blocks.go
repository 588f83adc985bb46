package migration

import "github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"

func detachBlocks() Rule {
	return Rule{
		ID: "detach-blocks", Class: MakesWait, Title: "detaches a partition without CONCURRENTLY",
		Why:    "ACCESS EXCLUSIVE of the whole partitioned table is taken: it waits for every query on any partition, and every later one waits behind it.",
		Remedy: "from PostgreSQL 14 on, say CONCURRENTLY, outside of a transaction; before that, set a short lock_timeout and try again until it gets the lock",
		Source: "PostgreSQL's manual, ALTER TABLE, DETACH PARTITION",
		Bad:    "SET lock_timeout = '2s';\nALTER TABLE events DETACH PARTITION events_2025;",
		Good:   "ALTER TABLE events DETACH PARTITION events_2025 CONCURRENTLY;",
		Examine: func(s *scene) []Finding {
			action, is := s.change.Action.(statement.DetachPartition)
			if !is || s.fresh(action.Table) || action.Finalize {
				return nil
			}
			if action.Concurrently {
				if s.version.Major != 0 && !s.version.certainly(14) {
					return one(s.found("PostgreSQL %s has no DETACH CONCURRENTLY", s.version).breaks("the migration fails here (42601)"))
				}
				return nil
			}
			found := s.found("partition %s leaves %s under ACCESS EXCLUSIVE", action.Partition, action.Table).
				breaks("every query of both versions on %s waits behind it", action.Table)
			if s.version.Major != 0 && !s.version.certainly(14) {
				return one(found)
			}
			return one(found.safe("ALTER TABLE " + action.Table.Quote() + " DETACH PARTITION " + action.Partition.Quote() + " CONCURRENTLY;"))
		},
	}
}
