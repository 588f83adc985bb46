package trial

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// sectionRun applies what is applied at once.
type sectionRun struct {
	*trial
	file   string
	judged bool
	// before are the tables that the old version knows.
	before relations
}

func (s *sectionRun) apply(ctx context.Context, section dialect.Section) (bool, error) {
	statements := statement.Split(section.Text)
	whole := migration.Begun(section, statements) || section.Transaction == dialect.Message && len(statements) > 1 && !slices.ContainsFunc(statements, controls)
	if whole {
		if err := s.must(ctx, "BEGIN"); err != nil {
			return false, err
		}
	}
	for i := range statements {
		applied, err := s.statement(ctx, &statements[i])
		if err != nil || !applied {
			return false, err
		}
	}
	if s.conn.PgConn().TxStatus() == 'I' {
		return true, nil
	}
	if _, err := s.conn.Exec(ctx, "COMMIT"); err != nil && len(statements) > 0 {
		return s.refused(ctx, &statements[len(statements)-1], err)
	}
	return true, nil
}

// statement runs one statement, in a transaction of its own where the tool has
// none open and PostgreSQL lets it, so that its locks can be read before they end.
func (s *sectionRun) statement(ctx context.Context, one *statement.Statement) (bool, error) {
	files, err := s.relations(ctx)
	if err != nil {
		return false, err
	}
	own := s.conn.PgConn().TxStatus() == 'I' && !controls(*one) && !migration.RunsAlone(*one)
	if own {
		if err := s.must(ctx, "BEGIN"); err != nil {
			return false, err
		}
	}
	observed := migration.Observed{File: s.file, Position: one.At, Statement: *one}
	watched := s.watch(ctx, migration.RunsAlone(*one))
	err = s.exec(ctx, one.Text)
	during := watched()
	if err != nil {
		return s.refused(ctx, one, err)
	}
	if s.conn.PgConn().TxStatus() == 'T' {
		if err := s.look(ctx, files, during, &observed); err != nil {
			return false, err
		}
	} else if err := s.rewritten(ctx, files, &observed); err != nil {
		return false, err
	}
	observed.Locks = s.spoken(during)
	if own {
		if _, err := s.conn.Exec(ctx, "COMMIT"); err != nil { // a constraint that was deferred
			return s.refused(ctx, one, err)
		}
	}
	if s.judged {
		s.seen.Statements = append(s.seen.Statements, observed)
	}
	return true, nil
}

// exec runs a statement, bounded from here.
func (s *sectionRun) exec(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.conn.Exec(ctx, text)
	return err
}

func (s *sectionRun) must(ctx context.Context, text string) error {
	if _, err := s.conn.Exec(ctx, text); err != nil {
		return fmt.Errorf("apply %s: %w", s.file, s.target.Public(err))
	}
	return nil
}

// refused records what PostgreSQL refused. In a migration that was there before it
// is an error: nothing can be said on top of it.
func (s *sectionRun) refused(ctx context.Context, one *statement.Statement, err error) (bool, error) {
	var refusal *pgconn.PgError
	public := s.target.Public(err)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case !errors.As(err, &refusal) && !errors.Is(err, context.DeadlineExceeded) || !s.judged:
		return false, fmt.Errorf("apply %s:%d:%d: %w", s.file, one.At.Line, one.At.Column, public)
	}
	s.seen.Statements = append(s.seen.Statements, migration.Observed{File: s.file, Position: one.At, Statement: *one, Refused: public.Error()})
	return false, nil
}

// spoken are the strongest locks by the tables' names, of those that make others
// wait.
func (s *sectionRun) spoken(held map[uint32]statement.LockMode) []migration.ObservedLock {
	var locks []migration.ObservedLock
	for _, oid := range slices.Sorted(maps.Keys(held)) {
		if table, known := s.before[oid]; known && held[oid] >= statement.Share {
			locks = append(locks, migration.ObservedLock{Table: table.name, Mode: held[oid].String()})
		}
	}
	return locks
}

// controls reports whether a statement begins or ends a transaction.
func controls(one statement.Statement) bool {
	return slices.ContainsFunc(one.Changes, func(change statement.Change) bool {
		_, is := change.Action.(statement.Transaction)
		return is
	})
}
