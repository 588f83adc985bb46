package migration

import (
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func lockHeld() Rule {
	return Rule{
		ID: "lock-held", Class: MakesWait, Title: "does long work while its transaction holds a lock",
		Why:    "A lock is held until the transaction ends. What was an instant, such as adding a column, lasts as long as the slowest statement behind it: a backfill, a check, VALIDATE.",
		Remedy: "commit first: one transaction for the change, another for the work",
		Source: "eugene E4; squawk transaction-nesting; strong_migrations, Backfilling data",
		Bad:    "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN remark text;\nUPDATE orders SET remark = note WHERE id > 0;\nCOMMIT;",
		Good:   "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN remark text;\nUPDATE orders SET remark = note WHERE id BETWEEN 1 AND 100;",
		Examine: func(s *scene) []Finding {
			held, hinders := s.strongest()
			if !hinders || !s.long() {
				return nil
			}
			works, level := "works", Level("")
			if data, is := s.change.Action.(statement.Data); is && s.seemsRow(data) {
				works, level = "may work", Warn
			}
			found := s.found("it %s on many rows while the transaction holds %s of %s", works, held.mode, spoken(held.table)).
				breaks("queries of both versions on %s wait until it is committed", spoken(held.table))
			found.Level = level
			return one(found)
		},
	}
}

// long reports whether a change takes as long as there are rows.
func (s *scene) long() bool {
	if done, _, _ := s.work(); done != noWork {
		return true
	}
	switch action := s.change.Action.(type) {
	case statement.ValidateConstraint:
		return !s.fresh(action.Table)
	case statement.CreateIndex:
		return !s.fresh(action.Table)
	case statement.RefreshView, statement.Reindex:
		return true
	case statement.Data:
		switch action.Verb {
		case "update", "delete", "merge", "copy":
			return !s.fresh(action.Table) && !isRecord(action)
		case "insert":
			return action.Query.Mentions("select")
		}
	case statement.CreateTable:
		return action.Query != nil
	}
	return false
}

// seemsRow reports whether a change of rows is most likely one of a row: of a column
// that tells rows apart, by an index that was read, or by its name. One that this
// release adds does not: all rows have its default.
func (s *scene) seemsRow(data statement.Data) bool {
	column := data.Equals
	if s.freshColumn(data.Table, column) {
		return false
	}
	for _, known := range s.schema.indexes {
		if known.unique && known.table == s.schema.key(data.Table) && slices.Equal(known.columns, []string{column}) {
			return true
		}
	}
	return slices.Contains([]string{"id", "uuid", "guid", "key", "code", "name", "slug"}, column)
}

// isRecord reports whether a change of rows is how a tool keeps which migrations
// were applied: in a table of its own, of a row each.
func isRecord(action statement.Data) bool {
	records := []string{"__diesel_schema_migrations", "__drizzle_migrations", "__efmigrationshistory", "_prisma_migrations", "_sqlx_migrations",
		"alembic_version", "ar_internal_metadata", "atlas_schema_revisions", "databasechangelog", "databasechangeloglock", "django_migrations",
		"doctrine_migration_versions", "flyway_schema_history", "goose_db_version", "gorp_migrations", "knex_migrations", "knex_migrations_lock",
		"mikro_orm_migrations", "pgmigrations", "phinxlog", "refinery_schema_history", "schema_migrations", "schema_version", "sequelizemeta"}
	return slices.Contains(records, strings.ToLower(action.Table.Name)) && !action.Query.Mentions("select")
}

func severalLocks() Rule {
	return Rule{
		ID: "several-locks", Class: MakesWait, Title: "locks one table while it holds the lock of another",
		Why:    "While it waits for the second, nobody can use the first; and with the old version, which takes the two in its own order, it may deadlock (40P01).",
		Remedy: "change one table a transaction",
		Source: "strong_migrations; django-pg-zero-downtime-migrations; common to linters (several ALTERs, several FKs)",
		Bad:    "BEGIN;\nSET LOCAL lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN remark text;\nALTER TABLE customers ADD COLUMN remark text;\nCOMMIT;",
		Good:   "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN remark text;\nALTER TABLE customers ADD COLUMN remark text;",
		Examine: func(s *scene) []Finding {
			held, hinders := s.strongest()
			if !hinders {
				return nil
			}
			for _, taken := range s.locks() {
				if taken.hinders() && !s.transaction.has(taken.table) {
					return one(s.found("it takes %s of %s while it holds %s of %s", taken.mode, spoken(taken.table), held.mode, spoken(held.table)).
						breaks("while it waits for %s, every query of both versions on %s waits, and the two may deadlock (40P01)", spoken(taken.table), spoken(held.table)))
				}
			}
			return nil
		},
	}
}
