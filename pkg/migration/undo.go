package migration

import (
	"maps"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// undo is what a ROLLBACK goes back to: what was known when the transaction
// began, and at its savepoints.
type undo struct {
	// wanted are the savepoints of a section that are gone back to, "" the
	// beginning of a transaction; what nobody goes back to is not kept.
	wanted map[string]bool
	// kept is empty outside of transactions; the first is their beginning.
	kept []kept
}

type kept struct {
	savepoint string
	schema    *schema
	session   *session
}

func newUndo(statements []statement.Statement) *undo {
	found := &undo{wanted: map[string]bool{}}
	for _, read := range statements {
		for _, change := range read.Changes {
			action, is := change.Action.(statement.Transaction)
			if is && (action.Kind == statement.Rollback || action.Kind == statement.RollbackTo) {
				found.wanted[action.Savepoint] = true
			}
		}
	}
	return found
}

// begin begins a section, in the transaction that it may be.
func (w *walk) begin(section dialect.Section, statements []statement.Statement) {
	w.undo = newUndo(statements)
	if begun(section, statements) || isMessage(section, statements) {
		w.keep("")
	}
}

// keep keeps what is known now.
func (w *walk) keep(savepoint string) {
	if w.undo.wanted[savepoint] || savepoint == "" && len(w.undo.wanted) > 0 {
		w.undo.kept = append(w.undo.kept, kept{savepoint: savepoint, schema: w.schema.clone(), session: w.session.clone()})
	}
}

// controls keeps and restores what is known, as a transaction begins and ends;
// where the section is a message, another one begins behind it.
func (w *walk) controls(action statement.Transaction, message bool) {
	undo := w.undo
	place := -1
	for i, one := range undo.kept {
		if one.savepoint == action.Savepoint {
			place = i
		}
	}
	switch action.Kind {
	case statement.Begin:
		if len(undo.kept) == 0 {
			w.keep("")
		}
	case statement.Savepoint:
		if len(undo.kept) > 0 {
			w.keep(action.Savepoint)
		}
	case statement.Release:
		if place > 0 {
			undo.kept = undo.kept[:place]
		}
	case statement.RollbackTo:
		if place > 0 {
			w.restore(undo.kept[place])
			undo.kept = undo.kept[:place+1]
		}
	case statement.Commit, statement.Rollback:
		if action.Kind == statement.Rollback && len(undo.kept) > 0 {
			w.restore(undo.kept[0])
		}
		undo.kept = nil
		if message {
			w.keep("")
		}
	}
}

// restore goes back, in place: others hold on to what is known.
func (w *walk) restore(to kept) { *w.schema, *w.session = *to.schema.clone(), *to.session.clone() }

func (s *schema) clone() *schema {
	copied := *s
	copied.tables = make(map[string]*table, len(s.tables))
	for key, one := range s.tables {
		table := *one
		table.columns, table.proofs = copyEach(one.columns), copyEach(one.proofs)
		copied.tables[key] = &table
	}
	copied.indexes = copyEach(s.indexes)
	copied.functions, copied.domains = maps.Clone(s.functions), maps.Clone(s.domains)
	copied.made, copied.gone = maps.Clone(s.made), maps.Clone(s.gone)
	return &copied
}

func (s *session) clone() *session {
	return &session{settings: maps.Clone(s.settings), local: maps.Clone(s.local)}
}

// copyEach copies a map and what it points to.
func copyEach[V any](from map[string]*V) map[string]*V {
	copied := make(map[string]*V, len(from))
	for key, value := range from {
		one := *value
		copied[key] = &one
	}
	return copied
}
