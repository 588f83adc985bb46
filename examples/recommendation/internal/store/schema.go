package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// schemaLock is the advisory lock under which the schema is created, so that
// all pods of both colours may start at once. The number means nothing, it
// must only stay the same.
const schemaLock = 7_241_853

// schema is idempotent, and both versions can work with it.
const schema = `
CREATE TABLE IF NOT EXISTS recommendations (
	user_id    text NOT NULL,
	item       text NOT NULL,
	score      double precision NOT NULL,
	updated_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (user_id, item)
);
INSERT INTO recommendations (user_id, item, score) VALUES
	('anna', 'espresso cups', 0.92), ('anna', 'hand grinder', 0.81), ('anna', 'moka pot', 0.64),
	('ben', 'trail map', 0.88), ('ben', 'head torch', 0.79), ('ben', 'wool socks', 0.55),
	('anonymous', 'gift card', 0.50), ('anonymous', 'bestsellers', 0.45)
ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS jobs (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	put_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS jobs_done (
	job     bigint NOT NULL,
	version text NOT NULL,
	color   text NOT NULL,
	done_at timestamptz NOT NULL DEFAULT now()
);
`

func (s *Store) createSchema(ctx context.Context) error {
	return s.withConnection(ctx, func(conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", schemaLock); err != nil {
				return fmt.Errorf("lock schema: %w", err)
			}
			if _, err := tx.Exec(ctx, schema); err != nil {
				return fmt.Errorf("create schema: %w", err)
			}
			return nil
		})
	})
}
