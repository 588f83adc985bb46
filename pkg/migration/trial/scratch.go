package trial

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// prefix begins the name of every scratch database.
const prefix = "bluegreen_scratch_"

// dropFor bounds dropping the scratch database, which happens also when the
// process was told to end.
const dropFor = 20 * time.Second

// scratch is a database that was made for one trial.
type scratch struct {
	target postgres.Target
	name   string
}

// unfit says why a role may not run what anybody wrote, "" where it may. The
// membership counts also where it has to be taken up by SET ROLE.
const unfit = `SELECT coalesce(
	(SELECT 'it is a superuser, or may become one' FROM pg_roles WHERE rolsuper AND pg_has_role(session_user, oid, 'MEMBER') LIMIT 1),
	(SELECT 'it is a member of ' || rolname FROM pg_roles WHERE rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')
		AND pg_has_role(session_user, oid, 'MEMBER') ORDER BY rolname LIMIT 1),
	(SELECT 'it may make roles' FROM pg_roles WHERE rolcreaterole AND pg_has_role(session_user, oid, 'MEMBER') LIMIT 1),
	(SELECT 'it owns database ' || datname FROM pg_database WHERE datname NOT LIKE 'bluegreen\_scratch\_%' AND pg_has_role(session_user, datdba, 'MEMBER') ORDER BY datname LIMIT 1),
	(SELECT 'it may not make a database' FROM pg_roles WHERE rolname = session_user AND NOT rolcreatedb),
	'')`

// fitRole makes one that may.
const fitRole = "use a role of its own that owns nothing: CREATE ROLE bluegreen_scratch LOGIN CREATEDB"

// makeScratch refuses a role that is not fit for it, and makes the database. left are
// the databases of former trials that are still there.
func makeScratch(ctx context.Context, target postgres.Target) (made scratch, left []string, err error) {
	conn, err := target.Session(ctx, "", nil)
	if err != nil {
		return scratch{}, nil, err
	}
	defer end(ctx, conn)
	var why, role string
	if err := conn.QueryRow(ctx, "SELECT session_user, ("+unfit+")").Scan(&role, &why); err != nil {
		return scratch{}, nil, fmt.Errorf("look what the role may: %w", target.Public(err))
	}
	if why != "" {
		return scratch{}, nil, release.WithHint(fmt.Errorf("role %s must not run migrations in a scratch database: %s", role, why), fitRole)
	}
	rows, err := conn.Query(ctx, "SELECT datname FROM pg_database WHERE datname LIKE 'bluegreen\\_scratch\\_%' AND pg_has_role(session_user, datdba, 'MEMBER') ORDER BY datname")
	if err == nil {
		left, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return scratch{}, nil, fmt.Errorf("look for scratch databases: %w", target.Public(err))
	}
	suffix := make([]byte, 6)
	if _, err := rand.Read(suffix); err != nil {
		return scratch{}, nil, fmt.Errorf("name the scratch database: %w", err)
	}
	made = scratch{target: target, name: prefix + hex.EncodeToString(suffix)}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+made.name); err != nil {
		// An answer that was not waited for may have been a yes.
		return scratch{}, nil, errors.Join(fmt.Errorf("make the scratch database: %w", target.Public(err)), made.drop(ctx))
	}
	return made, left, nil
}

// drop takes the database away with every session in it, also once ctx has ended.
func (s scratch) drop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropFor)
	defer cancel()
	conn, err := s.target.Session(ctx, "", nil)
	if err == nil {
		defer end(ctx, conn)
		for {
			// Not by WITH (FORCE), which PostgreSQL 12 doesn't know.
			_, _ = conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", s.name)
			_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+s.name)
			if postgres.SQLState(err) != "55006" || ctx.Err() != nil { // somebody is still in it
				break
			}
		}
	}
	if err != nil {
		return release.WithHint(fmt.Errorf("scratch database %s is left over: %w", s.name, s.target.Public(err)), "drop it by hand: DROP DATABASE "+s.name)
	}
	return nil
}

// end closes a session; the process or the drop ends it where that fails.
func end(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}
