package migration

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// undo is what a ROLLBACK goes back to: the beginning of the transaction, and its
// savepoints.
type undo struct {
	journal *journal
	// wanted are the savepoints of a section that are gone back to, "" the
	// beginning of a transaction; what nobody goes back to is not kept.
	wanted map[string]bool
	// kept is empty outside of transactions; the first is their beginning.
	kept []kept
	// places are where each savepoint is among those, the last one last.
	places map[string][]int
}

// kept is a savepoint, and how many steps had been taken at it.
type kept struct {
	savepoint string
	steps     int
}

func newUndo(statements []statement.Statement, journal *journal) *undo {
	found := &undo{journal: journal, wanted: map[string]bool{}, places: map[string][]int{}}
	found.forget()
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
	w.undo = newUndo(statements, w.schema.journal)
	if begun(section, statements) || isMessage(section, statements) {
		w.undo.keep("")
	}
}

// keep marks what is known now.
func (u *undo) keep(savepoint string) {
	if u.wanted[savepoint] || savepoint == "" && len(u.wanted) > 0 {
		u.places[savepoint] = append(u.places[savepoint], len(u.kept))
		u.kept = append(u.kept, kept{savepoint: savepoint, steps: len(u.journal.steps)})
		u.journal.open = true
	}
}

// cut lets the savepoints behind the first few go.
func (u *undo) cut(length int) {
	for _, gone := range u.kept[length:] {
		places := u.places[gone.savepoint]
		u.places[gone.savepoint] = places[:len(places)-1]
	}
	u.kept = u.kept[:length]
}

// forget ends a transaction.
func (u *undo) forget() {
	u.cut(0)
	u.journal.steps, u.journal.open = nil, false
}

// controls keeps and restores what is known, as a transaction begins and ends;
// where the section is a message, another one begins behind it.
func (u *undo) controls(action statement.Transaction, message bool) {
	place := 0
	if places := u.places[action.Savepoint]; len(places) > 0 {
		place = places[len(places)-1]
	}
	switch action.Kind {
	case statement.Begin:
		if len(u.kept) == 0 {
			u.keep("")
		}
	case statement.Savepoint:
		if len(u.kept) > 0 {
			u.keep(action.Savepoint)
		}
	case statement.Release:
		if place > 0 {
			u.cut(place)
		}
	case statement.RollbackTo:
		if place > 0 {
			u.journal.back(u.kept[place].steps)
			u.cut(place + 1)
		}
	case statement.Commit, statement.Rollback:
		if action.Kind == statement.Rollback {
			u.journal.back(0)
		}
		u.forget()
		if message || action.Chain {
			u.keep("")
		}
	}
}
