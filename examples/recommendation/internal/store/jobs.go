package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Take takes the oldest job that nobody else has taken, and has it done: the job
// leaves the queue, and is noted as done, in the one transaction in which it was
// taken. One that fails, or whose worker is killed, is in the queue again. Found is
// false where there was no job.
func (s *Store) Take(ctx context.Context, version, color string, do func(context.Context) error) (found bool, err error) {
	err = s.withConnection(ctx, func(conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			var job int64
			err := tx.QueryRow(ctx, "SELECT id FROM jobs ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED").Scan(&job)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("take a job: %w", err)
			}
			found = true
			if err := do(ctx); err != nil {
				return fmt.Errorf("do job %d: %w", job, err)
			}
			if _, err := tx.Exec(ctx, "DELETE FROM jobs WHERE id = $1", job); err != nil {
				return fmt.Errorf("end job %d: %w", job, err)
			}
			if _, err := tx.Exec(ctx, "INSERT INTO jobs_done (job, version, color) VALUES ($1, $2, $3)", job, version, color); err != nil {
				return fmt.Errorf("note job %d: %w", job, err)
			}
			return nil
		})
	})
	return found, err
}
