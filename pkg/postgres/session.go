package postgres

import (
	"context"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"
)

// Session opens a session of its own with another database of the target's
// server, "" for the target's own, under settings. No error holds a secret.
func (t Target) Session(ctx context.Context, database string, settings map[string]string) (*pgx.Conn, error) {
	if !t.HasSession() {
		return nil, fmt.Errorf("connect to %s: %w", t, ErrNoSession)
	}
	config := t.config.Copy()
	if database != "" {
		config.Database = database
	}
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["application_name"] = ApplicationName
	maps.Copy(config.RuntimeParams, settings)
	// No named prepared statements of ours: what is run may discard them.
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", t, publicError(err, t.secrets()...))
	}
	return conn, nil
}

// Public keeps of an error of a session only what may be shown.
func (t Target) Public(err error) error { return publicError(err, t.secrets()...) }
