package shop

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"
)

// Sessions are the client sessions that PostgreSQL has now, by whose they are.
type Sessions struct {
	// Own are those of the shop's role, Others everybody else's. The session
	// that counted is in neither.
	Own, Others int
}

// Sessions counts the server's client sessions, through a connection that
// PostgreSQL keeps back for a superuser when it is full.
func (s *Shop) Sessions(ctx context.Context) (Sessions, error) {
	password, err := s.password(ctx, "postgres-password")
	if err != nil {
		return Sessions{}, err
	}
	conn, err := s.dial(ctx, url.UserPassword("postgres", password), "postgres")
	if err != nil {
		return Sessions{}, err
	}
	const count = `SELECT count(*) FILTER (WHERE usename = $1), count(*) FILTER (WHERE usename <> $1)
		FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`
	var sessions Sessions
	err = conn.QueryRow(ctx, count, s.database.name).Scan(&sessions.Own, &sessions.Others)
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return Sessions{}, fmt.Errorf("count sessions: %w", err)
	}
	return sessions, nil
}

// DialMonitor connects to the shop's database as the program under test does.
func (s *Shop) DialMonitor(ctx context.Context) (*pgx.Conn, error) {
	password, err := s.password(ctx, "monitor-password")
	if err != nil {
		return nil, err
	}
	return s.dial(ctx, url.UserPassword("monitor", password), s.database.name)
}

// MonitorURL is how the program under test reaches the shop's database.
func (s *Shop) MonitorURL(ctx context.Context) (string, error) {
	password, err := s.password(ctx, "monitor-password")
	if err != nil {
		return "", err
	}
	return s.database.url(url.UserPassword("monitor", password)), nil
}
