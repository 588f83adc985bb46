package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// The bounds of one statement. A migration may set its own in its session, so
// patience bounds it from here too, and total all of it.
const (
	statementTimeout = "60s"
	lockTimeout      = "5s"
	patience         = 70 * time.Second
	total            = 10 * time.Minute
)

// Options are what a trial needs.
type Options struct {
	Target     postgres.Target
	Migrations []dialect.Migration
	// OnlyNamed is as for migration.Evaluate.
	OnlyNamed bool
	// Schema is a file that is applied first, "" for none.
	Schema string
	// Queries are those of the old version.
	Queries []Query
}

// trial is one under way.
type trial struct {
	scratch
	seen *migration.Trial
	conn *pgx.Conn
	old  *client
	// named: some migrations are one release, and the others were before it.
	named bool
}

// Run applies the migrations in a scratch database, which is gone when it returns;
// a Leftover, or the error, says where it is not.
func Run(ctx context.Context, options Options) (seen *migration.Trial, err error) {
	ctx, cancel := context.WithTimeout(ctx, total)
	defer cancel()
	made, left, err := makeScratch(ctx, options.Target)
	if err != nil {
		return nil, err
	}
	defer func() {
		if dropped := made.drop(ctx); dropped != nil {
			err = errors.Join(err, dropped)
		}
	}()
	t := &trial{scratch: made, seen: &migration.Trial{Leftover: left}}
	t.named = options.OnlyNamed || slices.ContainsFunc(options.Migrations, func(m dialect.Migration) bool { return m.Named })
	defer t.close(ctx)
	if err := t.prepare(ctx, options); err != nil {
		return nil, err
	}
	if err := t.migrate(ctx, options); err != nil {
		return nil, err
	}
	return t.seen, ctx.Err()
}

func (t *trial) close(ctx context.Context) {
	if t.conn != nil {
		end(ctx, t.conn)
	}
	if t.old != nil {
		end(ctx, t.old.conn)
	}
}

func (t *trial) session(ctx context.Context) (*pgx.Conn, error) {
	conn, err := t.target.Session(ctx, t.name, map[string]string{"statement_timeout": statementTimeout, "lock_timeout": lockTimeout})
	if err != nil {
		return nil, fmt.Errorf("enter the scratch database: %w", err)
	}
	return conn, nil
}

// prepare connects and applies the base schema.
func (t *trial) prepare(ctx context.Context, options Options) (err error) {
	if t.conn, err = t.session(ctx); err != nil {
		return err
	}
	if err := t.conn.QueryRow(ctx, "SHOW server_version").Scan(&t.seen.Server); err != nil {
		return fmt.Errorf("read PostgreSQL's version: %w", t.target.Public(err))
	}
	if options.Schema == "" {
		return nil
	}
	text, err := os.ReadFile(options.Schema)
	if err != nil {
		return fmt.Errorf("read the base schema: %w", err)
	}
	for _, one := range statement.Split(string(text)) {
		if _, err := t.conn.Exec(ctx, one.Text); err != nil {
			return fmt.Errorf("apply the base schema: %s:%d:%d: %w", options.Schema, one.At.Line, one.At.Column, t.target.Public(err))
		}
	}
	return nil
}

// migrate applies what was there before, prepares the old version's queries, and
// applies what is judged.
func (t *trial) migrate(ctx context.Context, options Options) error {
	started := false
	begin := func() error {
		if started {
			return nil
		}
		started = true
		return t.begin(ctx, options.Queries)
	}
	for _, one := range options.Migrations {
		judged := one.Named || !t.named
		if judged {
			if err := begin(); err != nil {
				return err
			}
		}
		applied, err := t.apply(ctx, one, judged)
		if err != nil {
			return err
		}
		if !applied {
			t.untried(one.Path)
			return nil // what follows stands on what was refused
		}
	}
	if err := begin(); err != nil { // nothing was judged
		return err
	}
	return t.compare(ctx)
}

// apply applies one migration. It reports whether PostgreSQL took all of it.
func (t *trial) apply(ctx context.Context, one dialect.Migration, judged bool) (bool, error) {
	if !one.Session {
		end(ctx, t.conn)
		var err error
		if t.conn, err = t.session(ctx); err != nil {
			return false, err
		}
	}
	before, err := t.relations(ctx)
	if err != nil {
		return false, err
	}
	for _, section := range one.Sections {
		run := &sectionRun{trial: t, file: one.Path, judged: judged, before: before}
		applied, err := run.apply(ctx, section)
		if err != nil || !applied {
			return false, err
		}
	}
	return true, nil
}
