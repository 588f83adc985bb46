package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Recommendation is one item for one user.
type Recommendation struct {
	Item string `json:"item"`
	// Score is from 0 to 1, best first.
	Score float64 `json:"score"`
}

// For returns the best recommendations for a user, and none for a user that
// nothing is known about.
func (s *Store) For(ctx context.Context, user string) ([]Recommendation, error) {
	var found []Recommendation
	err := s.withConnection(ctx, func(conn *pgxpool.Conn) error {
		if err := s.holdConnection(ctx, conn); err != nil {
			return err
		}
		rows, err := conn.Query(ctx,
			"SELECT item, score FROM recommendations WHERE user_id = $1 ORDER BY score DESC, item LIMIT 10", user)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Recommendation])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read recommendations: %w", err)
	}
	return found, nil
}

// Save writes one recommendation, replacing its score where it exists.
func (s *Store) Save(ctx context.Context, user string, recommendation Recommendation) error {
	err := s.withConnection(ctx, func(conn *pgxpool.Conn) error {
		_, err := conn.Exec(ctx, `INSERT INTO recommendations (user_id, item, score) VALUES ($1, $2, $3)
			ON CONFLICT (user_id, item) DO UPDATE SET score = excluded.score, updated_at = now()`,
			user, recommendation.Item, recommendation.Score)
		return err
	})
	if err != nil {
		return fmt.Errorf("save recommendation: %w", err)
	}
	return nil
}

// SlowQueries makes every read hold its connection for d in the database, as
// a query without its index does; 0 ends it.
func (s *Store) SlowQueries(d time.Duration) { s.queryTime.Store(int64(d)) }

func (s *Store) holdConnection(ctx context.Context, conn *pgxpool.Conn) error {
	held := time.Duration(s.queryTime.Load())
	if held <= 0 {
		return nil
	}
	_, err := conn.Exec(ctx, "SELECT pg_sleep($1)", held.Seconds())
	return err
}
