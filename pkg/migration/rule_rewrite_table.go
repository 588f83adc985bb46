package migration

import (
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

func rewriteTable() Rule {
	return Rule{
		ID: "rewrite-table", Class: MakesWait, Title: "writes a whole table anew while nobody can read it",
		Why:    "ACCESS EXCLUSIVE is held for as long as the rewrite takes, minutes on a large table: every query of both versions waits, and their pools run dry.",
		Remedy: "add the column empty, set the default for new rows, and fill the old ones in parts; leave VACUUM FULL, CLUSTER and their like out of the release",
		Source: "which changes rewrite was tried on PostgreSQL 12 to 18; squawk adding-field-with-default; strong_migrations",
		Bad:    "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
		Good: `SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN token uuid;
ALTER TABLE orders ALTER COLUMN token SET DEFAULT gen_random_uuid();`,
		Examine: func(s *scene) []Finding {
			done, table, why := s.work()
			if done != rewrites {
				return nil
			}
			found := s.found("%s is written anew: %s", table, why).
				breaks("every query of both versions on it waits until the rewrite ends")
			found.Remedy, found.Safe = s.unwritten()
			return one(found)
		},
	}
}

// unwritten is how to do what a change does without writing the table anew.
func (s *scene) unwritten() (remedy string, safe []string) {
	switch action := s.change.Action.(type) {
	case statement.AddColumn:
		column := action.Column
		switch {
		case s.schema.domains[column.Type.Name]:
			return fmt.Sprintf("give %s the plain type that is behind domain %s, and the table what the domain checks as a CHECK: NOT VALID, and then VALIDATE", column.Name, column.Type.Name), nil
		case column.Generated != nil:
			return "add a plain column that both versions' writes fill by a trigger, and fill the old rows in parts", nil
		case column.Default != nil:
			return "add the column empty, set the default for new rows, and fill the old ones in parts", spreadDefault(action)
		}
		return "add the column empty, let a sequence be its default for new rows, and fill the old ones in parts", nil
	case statement.AlterType:
		return "add a column of the new type, fill it in parts, and go over to it", nil
	case statement.AlterGenerated:
		return "add a plain column that both versions' writes fill by a trigger, fill the old rows in parts, and go over to it", nil
	default:
		return "leave it out of the release: do it in a maintenance window, or, where it is VACUUM FULL or CLUSTER, with pg_repack while both versions run", nil
	}
}

// spreadDefault adds a column with a default that differs by row without a rewrite.
func spreadDefault(add statement.AddColumn) []string {
	table, column := add.Table.Quote(), statement.Quote(add.Column.Name)
	return []string{
		"ALTER TABLE " + table + " ADD COLUMN " + column + " " + add.Column.Type.String() + ";",
		"ALTER TABLE " + table + " ALTER COLUMN " + column + " SET DEFAULT " + add.Column.Default.SQL() + ";",
		"UPDATE " + table + " SET " + column + " = " + add.Column.Default.SQL() + " WHERE " + column + " IS NULL; -- in parts",
	}
}

// work is what a change does to the rows of a table that the old version uses,
// to which, and why.
func (s *scene) work() (done work, table, why string) {
	var name statement.Name
	switch action := s.change.Action.(type) {
	case statement.AddColumn:
		name = action.Table
		done, why = s.columnWork(action.Column)
	case statement.AlterType:
		converted := s.schema.table(action.Table).column(action.Column).convert(action)
		name, done, why = action.Table, converted.work, converted.why
	case statement.AlterGenerated:
		if action.Rewrites {
			name, done, why = action.Table, rewrites, action.What+" computes every row"
		}
	case statement.RewriteTable:
		if action.Everything {
			return rewrites, "every table", action.What
		}
		name, done, why = action.Table, rewrites, action.What
	case statement.AddConstraint:
		name = action.Table
		done, why = s.addedWork(action)
	case statement.SetNotNull:
		known := s.schema.table(action.Table)
		if known.proven(action.Column) == nil && !known.column(action.Column).notNull {
			name, done, why = action.Table, scans, "every row is checked for null while nobody can read or write"
		}
	case statement.AttachPartition:
		name, done, why = action.Partition, scans, "every row is checked against the bounds while nobody can read or write"
	case statement.AlterDomain:
		if action.Constraint != nil && !action.Constraint.NotValid {
			return scans, "every table with domain " + action.Domain.String(), "every row is checked while nobody can write"
		}
	}
	if name.Name == "" || s.fresh(name) {
		return noWork, "", ""
	}
	return done, name.String(), why
}

// addedWork is what a constraint does to the rows. A primary key made from an
// index also makes its columns NOT NULL, which checks those that may be null.
func (s *scene) addedWork(action statement.AddConstraint) (work, string) {
	constraint := action.Constraint
	if constraint.Kind != statement.PrimaryKey || constraint.UsingIndex == "" {
		return constraintWork(constraint)
	}
	known := s.schema.indexes[s.schema.key(statement.Name{Schema: action.Table.Schema, Name: constraint.UsingIndex})]
	if known == nil {
		return scans, "the columns of the index are not known, and are checked for null if they may be"
	}
	table := s.schema.table(action.Table)
	for _, name := range known.columns {
		if !table.column(name).notNull && table.proven(name) == nil {
			return scans, "column " + name + " is checked for null while nobody can read or write"
		}
	}
	return noWork, ""
}
