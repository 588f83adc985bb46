package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Leak opens one connection outside the pool and forgets it, as code that
// connects by itself and never closes does. The error is the server's once it
// has no connection left to give.
func (s *Store) Leak(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return fmt.Errorf("leak connection: %w", withoutAddress(err))
	}
	s.mu.Lock()
	s.leaked = append(s.leaked, conn)
	s.mu.Unlock()
	return nil
}

// Leaked counts the connections that are leaked now.
func (s *Store) Leaked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.leaked)
}

// ReturnLeaked closes what was leaked.
func (s *Store) ReturnLeaked() {
	s.mu.Lock()
	leaked := s.leaked
	s.leaked = nil
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, conn := range leaked {
		// A connection that is broken already needs no closing.
		_ = conn.Close(ctx)
	}
}

// HoldRows is a long transaction that has updated every row: readers go on,
// writers of any session wait for it. It ends with ctx and changes nothing.
func (s *Store) HoldRows(ctx context.Context) error {
	return s.hold(ctx, "UPDATE recommendations SET score = score")
}

// HoldTable is a long transaction that holds the whole table as a careless
// ALTER TABLE does: readers wait for it too.
func (s *Store) HoldTable(ctx context.Context) error {
	return s.hold(ctx, "LOCK TABLE recommendations IN ACCESS EXCLUSIVE MODE")
}

func (s *Store) hold(ctx context.Context, statement string) error {
	return s.withConnection(ctx, func(conn *pgxpool.Conn) error {
		tx, err := conn.Begin(ctx)
		if err != nil {
			return fmt.Errorf("begin long transaction: %w", err)
		}
		_, err = tx.Exec(ctx, statement)
		if err == nil {
			<-ctx.Done()
		}
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		// Where the session is gone, so is its transaction.
		_ = tx.Rollback(end)
		if err != nil {
			return fmt.Errorf("hold lock: %w", err)
		}
		return nil
	})
}
