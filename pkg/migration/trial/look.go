package trial

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
)

// relations are the tables of the scratch database, by their oid.
type relations map[uint32]relation

type relation struct {
	name string
	file uint32 // 0 for none
}

func (t *trial) relations(ctx context.Context) (relations, error) {
	rows, err := t.conn.Query(ctx, `SELECT c.oid, c.oid::regclass::text, coalesce(pg_relation_filenode(c.oid), 0) FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE relkind IN ('r', 'p', 'm') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'`)
	if err != nil {
		return nil, fmt.Errorf("look at the tables: %w", t.target.Public(err))
	}
	found := relations{}
	var oid uint32
	var one relation
	_, err = pgx.ForEachRow(rows, []any{&oid, &one.name, &one.file}, func() error {
		found[oid] = one
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look at the tables: %w", t.target.Public(err))
	}
	return found, nil
}

// locksOf reads what a session holds, the strongest by relation.
const locksOf = "SELECT relation, mode FROM pg_locks WHERE pid = $1 AND locktype = 'relation' AND granted AND relation IS NOT NULL"

func addLocks(ctx context.Context, conn *pgx.Conn, pid uint32, held map[uint32]statement.LockMode) error {
	rows, err := conn.Query(ctx, locksOf, pid)
	if err != nil {
		return err
	}
	var oid uint32
	var mode string
	_, err = pgx.ForEachRow(rows, []any{&oid, &mode}, func() error {
		held[oid] = max(held[oid], lockMode(mode))
		return nil
	})
	return err
}

// lockMode reads AccessExclusiveLock, as pg_locks writes it.
func lockMode(text string) statement.LockMode {
	for mode := statement.NoLock; mode <= statement.AccessExclusive; mode++ {
		if strings.EqualFold(strings.ReplaceAll(mode.String(), " ", "")+"Lock", text) {
			return mode
		}
	}
	return statement.NoLock
}

// look reads, before the transaction ends, what it holds and has written anew.
func (s *sectionRun) look(ctx context.Context, files relations, held map[uint32]statement.LockMode, observed *migration.Observed) error {
	if err := addLocks(ctx, s.conn, s.conn.PgConn().PID(), held); err != nil {
		return fmt.Errorf("read the locks: %w", s.target.Public(err))
	}
	return s.rewritten(ctx, files, observed)
}

// rewritten notes the old version's tables that lie in other files than before.
func (s *sectionRun) rewritten(ctx context.Context, files relations, observed *migration.Observed) error {
	now, err := s.relations(ctx)
	if err != nil {
		return err
	}
	for _, oid := range slices.Sorted(maps.Keys(now)) {
		old, known := files[oid]
		if _, theirs := s.before[oid]; known && theirs && old.file != 0 && now[oid].file != old.file {
			observed.Rewritten = append(observed.Rewritten, s.before[oid].name)
		}
	}
	return nil
}

// glance is how often the locks are read of a statement that no transaction takes.
const glance = 2 * time.Millisecond

// watch reads, from another session, what a statement holds while it runs: one that
// runs outside of transactions holds nothing once it has ended. The answer ends it.
func (s *sectionRun) watch(ctx context.Context, alone bool) func() map[uint32]statement.LockMode {
	held := map[uint32]statement.LockMode{}
	if !alone {
		return func() map[uint32]statement.LockMode { return held }
	}
	conn, err := s.session(ctx)
	if err != nil {
		return func() map[uint32]statement.LockMode { return held }
	}
	ctx, cancel := context.WithCancel(ctx)
	pid := s.conn.PgConn().PID()
	var looking sync.WaitGroup
	looking.Go(func() {
		ticks := time.NewTicker(glance)
		defer ticks.Stop()
		for addLocks(ctx, conn, pid, held) == nil {
			select {
			case <-ctx.Done():
				return
			case <-ticks.C:
			}
		}
	})
	return func() map[uint32]statement.LockMode {
		cancel()
		looking.Wait()
		end(ctx, conn)
		return held
	}
}
