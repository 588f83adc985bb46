package migration

import (
	"slices"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// transaction is what has happened in the transaction that is open.
type transaction struct {
	// whole: the tool has begun it, not the file.
	whole bool
	// held are the locks that it holds, by table; top is the strongest, and
	// topSure that of the tables that are not only supposed to be old.
	held         map[string]statement.LockMode
	top, topSure lock
	// enums are the values that it has added to a type.
	enums map[string]bool
	// implicit: neither the tool nor the file has begun it, but PostgreSQL, for
	// a message of several statements.
	implicit bool
}

func newTransaction() *transaction {
	return &transaction{held: map[string]statement.LockMode{}, enums: map[string]bool{}}
}

// take adds locks.
func (t *transaction) take(locks []lock) {
	for _, taken := range locks {
		t.held[taken.table] = max(t.held[taken.table], taken.mode)
		if taken.mode > t.top.mode {
			t.top = taken
		}
		if taken.mode > t.topSure.mode && !taken.supposed {
			t.topSure = taken
		}
	}
}

// strongest is the strongest lock that is held, if it makes others wait.
func (s *scene) strongest() (lock, bool) {
	t := s.transaction
	switch {
	case t == nil:
		return lock{}, false
	case s.supposing:
		return t.topSure, t.topSure.hinders()
	}
	return t.top, t.top.hinders()
}

// has reports whether a lock of the table that makes others wait is held.
func (t *transaction) has(table string) bool { return lock{mode: t.held[table]}.hinders() }

// renamed keeps the locks of a table under its new name.
func (t *transaction) renamed(from, to string) {
	if mode, held := t.held[from]; held {
		delete(t.held, from)
		t.held[to] = mode
	}
	for _, strongest := range []*lock{&t.top, &t.topSure} {
		if strongest.table == from {
			strongest.table = to
		}
	}
}

// begun reports whether the tool begins a transaction around a section.
func begun(section dialect.Section, statements []statement.Statement) bool {
	switch section.Transaction {
	case dialect.Whole:
		return true
	case dialect.UnlessRefused:
		return !slices.ContainsFunc(statements, func(s statement.Statement) bool { return slices.ContainsFunc(s.Changes, refused) })
	default:
		return false
	}
}

// isMessage reports whether a section is one message of several statements, so
// that PostgreSQL puts a transaction around it.
func isMessage(section dialect.Section, statements []statement.Statement) bool {
	return section.Transaction == dialect.Message && len(statements) > 1
}

// refused reports whether PostgreSQL runs a change outside of transactions alone.
func refused(change statement.Change) bool {
	switch action := change.Action.(type) {
	case statement.CreateIndex:
		return action.Concurrently
	case statement.Drop:
		return action.Concurrently || action.Kind == "database" || action.Kind == "tablespace"
	case statement.Reindex:
		return action.Concurrently || action.Kind == "schema" || action.Kind == "database" || action.Kind == "system"
	case statement.DetachPartition:
		return action.Concurrently
	case statement.Outside:
		return true
	}
	return false
}
