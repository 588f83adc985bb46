package trial

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// client is a connection of the old version, with its queries prepared.
type client struct {
	conn    *pgx.Conn
	queries []Query
	// before is what each came to before the migrations, by its number; one that
	// could not be prepared is missing.
	before map[int]outcome
}

// outcome is what a query with made-up values came to; err is nil where it ran.
type outcome struct {
	prepared bool
	err      error
}

func (o outcome) state() string { return postgres.SQLState(o.err) }

// begin prepares and tries the old version's queries before what is judged.
func (t *trial) begin(ctx context.Context, queries []Query) error {
	if len(queries) == 0 {
		return nil
	}
	conn, err := t.session(ctx)
	if err != nil {
		return err
	}
	t.old = &client{conn: conn, queries: queries, before: map[int]outcome{}}
	t.seen.Queries = len(queries)
	for number, query := range queries {
		tried := try(ctx, conn, number, query, true)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !tried.prepared:
			t.broken(query, true, t.because("did not work before the migrations either", tried.err))
			continue
		case tried.err == nil:
			t.seen.Executed++
		}
		t.old.before[number] = tried
	}
	return nil
}

// compare tries the queries again after the migrations: anew, as everybody would
// from now on, and as they were prepared before.
func (t *trial) compare(ctx context.Context) error {
	if t.old == nil {
		return nil
	}
	fresh, err := t.session(ctx)
	if err != nil {
		return err
	}
	defer end(ctx, fresh)
	for number, query := range t.old.queries {
		before, known := t.old.before[number]
		if !known {
			continue
		}
		anew := try(ctx, fresh, number, query, true)
		kept := try(ctx, t.old.conn, number, query, false)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case anew.err != nil && anew.state() != before.state():
			t.broken(query, false, t.because("fails after the migrations", anew.err))
		case kept.err != nil && kept.state() != before.state():
			t.broken(query, false, t.because("fails where it was prepared before the migrations", kept.err))
		}
	}
	return nil
}

// untried ends a trial with a migration that was refused. The first of the queries
// stands for all that are not tried after it.
func (t *trial) untried(refused string) {
	t.seen.Refused = refused
	if t.old == nil {
		return
	}
	for number, query := range t.old.queries {
		if _, known := t.old.before[number]; known {
			t.broken(query, true, fmt.Sprintf("was, as every other, not tried after the migrations: %s was refused", refused))
			return
		}
	}
}

func (t *trial) broken(query Query, untried bool, problem string) {
	t.seen.Broken = append(t.seen.Broken, migration.BrokenQuery{
		File: query.File, Position: query.Text.At, Name: query.Name, Untried: untried, Text: query.Text, Problem: problem,
	})
}

func (t *trial) because(problem string, err error) string {
	return fmt.Sprintf("%s: %v", problem, t.target.Public(err))
}

// try prepares a query, or takes it as it was prepared, and runs it with values
// that are made up, in a transaction that is rolled back.
func try(ctx context.Context, conn *pgx.Conn, number int, query Query, prepare bool) outcome {
	name := fmt.Sprintf("query%d", number)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if prepare {
		if _, err := conn.PgConn().Prepare(ctx, name, query.Text.Text, nil); err != nil {
			return outcome{err: err}
		}
	}
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		return outcome{prepared: true, err: err}
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), "ROLLBACK") }()
	// Described in the transaction, which needs no plan, so that it says nothing
	// of a cached one.
	var types []uint32
	err := conn.QueryRow(ctx, "SELECT coalesce(array_agg(type::oid ORDER BY number), '{}') FROM pg_prepared_statements, unnest(parameter_types) WITH ORDINALITY AS p(type, number) WHERE name = $1", name).Scan(&types)
	if err != nil {
		return outcome{prepared: true, err: err}
	}
	values := make([][]byte, len(types))
	for index, kind := range types {
		values[index] = madeUp(kind)
	}
	return outcome{prepared: true, err: conn.PgConn().ExecPrepared(ctx, name, values, nil, nil).Read().Err}
}

// madeUp is a value of a type, as text; null for one that is not known.
func madeUp(kind uint32) []byte {
	switch kind {
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID, pgtype.Float4OID, pgtype.Float8OID, pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID:
		return []byte("1")
	case pgtype.BoolOID:
		return []byte("t")
	case pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID:
		return []byte("2000-01-01")
	case pgtype.JSONOID, pgtype.JSONBOID:
		return []byte("{}")
	case pgtype.UUIDOID:
		return []byte("00000000-0000-0000-0000-000000000001")
	}
	return nil
}
