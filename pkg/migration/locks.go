package migration

import (
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// lock is what a change takes of one table until its transaction ends.
type lock struct {
	table string
	mode  statement.LockMode
	// supposed: only IF NOT EXISTS says that the table may be the old version's.
	supposed bool
}

// locks are the locks that a change takes of tables that the old version uses,
// strongest first. The source is PostgreSQL's manual, Explicit Locking and the
// page of each command, and a test that reads pg_locks.
func (s *scene) locks() []lock {
	var taken []lock
	take := func(mode statement.LockMode, tables ...statement.Name) {
		for _, table := range tables {
			if table.Name != "" && !s.fresh(table) {
				taken = append(taken, lock{table: s.schema.key(table), mode: mode, supposed: s.schema.table(table).supposed})
			}
		}
	}
	switch action := s.change.Action.(type) {
	case statement.Drop:
		s.dropLocks(action, take)
	case statement.Reindex:
		if action.Kind == "table" && !action.Concurrently {
			take(statement.Share, action.Target)
		}
		if known := s.schema.indexes[s.schema.key(action.Target)]; known != nil && action.Kind == "index" && !action.Concurrently {
			taken = append(taken, lock{table: known.table, mode: statement.Share})
		}
	default:
		if !constraintLocks(action, take) && !ownLocks(action, take) {
			take(statement.AccessExclusive, exclusively(action)...)
		}
	}
	return taken
}

// constraintLocks takes the locks of a change that may refer to another table,
// and reports whether it is one.
func constraintLocks(action statement.Action, take func(statement.LockMode, ...statement.Name)) bool {
	switch action := action.(type) {
	case statement.CreateTable:
		take(statement.AccessExclusive, action.PartitionOf)
		take(statement.ShareUpdateExclusive, action.Inherits...)
		for _, constraint := range constraintsOf(action) {
			take(statement.ShareRowExclusive, constraint.References)
		}
	case statement.AddColumn:
		take(statement.AccessExclusive, action.Table)
		for _, constraint := range action.Column.Constraints {
			take(statement.ShareRowExclusive, constraint.References)
		}
	case statement.AddConstraint:
		mode := statement.AccessExclusive
		if action.Constraint.Kind == statement.ForeignKey {
			mode = statement.ShareRowExclusive
		}
		take(mode, action.Table, action.Constraint.References)
	default:
		return false
	}
	return true
}

// ownLocks takes the locks of a change that says, or whose words say, which it
// takes, and reports whether it is one.
func ownLocks(action statement.Action, take func(statement.LockMode, ...statement.Name)) bool {
	switch action := action.(type) {
	case statement.ValidateConstraint:
		take(statement.ShareUpdateExclusive, action.Table)
	case statement.AttachPartition:
		take(statement.AccessExclusive, action.Partition)
		take(statement.ShareUpdateExclusive, action.Table)
	case statement.DetachPartition:
		mode := statement.AccessExclusive
		if action.Concurrently || action.Finalize {
			mode = statement.ShareUpdateExclusive
		}
		take(mode, action.Table, action.Partition)
	case statement.AlterTable:
		take(action.Mode, action.Table)
	case statement.Lock:
		take(action.Mode, action.Table)
	case statement.CreateTrigger:
		take(statement.ShareRowExclusive, action.Table)
	case statement.CreateIndex:
		mode := statement.Share
		if action.Concurrently {
			mode = statement.ShareUpdateExclusive
		}
		take(mode, action.Table)
	default:
		return false
	}
	return true
}

func (s *scene) dropLocks(action statement.Drop, take func(statement.LockMode, ...statement.Name)) {
	switch action.Kind {
	case "table", "foreign table":
		take(statement.AccessExclusive, action.Name)
	case "trigger", "rule", "policy":
		take(statement.AccessExclusive, action.Table)
	case "index":
		known := s.schema.indexes[s.schema.key(action.Name)]
		switch {
		case action.Concurrently:
		case known == nil: // whose it is isn't known, but it is somebody's
			take(statement.AccessExclusive, action.Name)
		default:
			if table := s.schema.tables[known.table]; table == nil || !table.fresh {
				take(statement.AccessExclusive, nameOf(known.table))
			}
		}
	}
}

// exclusively is the table of a change that takes ACCESS EXCLUSIVE of it and
// nothing else.
func exclusively(action statement.Action) []statement.Name {
	switch action := action.(type) {
	case statement.DropColumn:
		return []statement.Name{action.Table}
	case statement.AlterType:
		return []statement.Name{action.Table}
	case statement.SetDefault:
		return []statement.Name{action.Table}
	case statement.SetNotNull:
		return []statement.Name{action.Table}
	case statement.DropNotNull:
		return []statement.Name{action.Table}
	case statement.AlterGenerated:
		return []statement.Name{action.Table}
	case statement.DropConstraint:
		return []statement.Name{action.Table}
	case statement.RowSecurity:
		return []statement.Name{action.Table}
	case statement.RewriteTable:
		return []statement.Name{action.Table}
	case statement.Truncate:
		return []statement.Name{action.Table}
	case statement.CreateRule:
		return []statement.Name{action.Table}
	case statement.Policy:
		return []statement.Name{action.Table}
	case statement.RefreshView:
		if !action.Concurrently {
			return []statement.Name{action.Name}
		}
	case statement.SetSchema:
		return tableAlone(action.Kind, action.Object)
	case statement.Rename:
		if action.Kind == "column" || action.Kind == "constraint" {
			return []statement.Name{action.Object}
		}
		return tableAlone(action.Kind, action.Object)
	case statement.Alter:
		if action.Kind == "owner" && action.Name.Name != "" {
			return []statement.Name{action.Name}
		}
	}
	return nil
}

func tableAlone(kind string, name statement.Name) []statement.Name {
	if kind == "table" {
		return []statement.Name{name}
	}
	return nil
}

// constraintsOf are all constraints of a new table.
func constraintsOf(created statement.CreateTable) []statement.Constraint {
	constraints := created.Constraints
	for _, column := range created.Columns {
		constraints = append(constraints, column.Constraints...)
	}
	return constraints
}

// hinders reports whether a lock makes the old version wait: its writers, or
// all of it.
func (l lock) hinders() bool { return l.mode >= statement.Share }

// nameOf is the name behind a key.
func nameOf(key string) statement.Name {
	schema, name, _ := strings.Cut(key, ".")
	return statement.Name{Schema: schema, Name: name}
}
