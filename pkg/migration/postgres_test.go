package migration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/statement"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
)

// The tests of this file hold what the rules say against PostgreSQL itself.

// bench is a server on which each example gets a database of its own.
type bench struct {
	*testing.T
	server *postgrestest.Server
	admin  *pgx.Conn
	count  int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, server: postgrestest.StartServer(t, map[string]string{"deadlock_timeout": "1h"})}
	b.admin = b.connect(t, "postgres")
	schema := strings.ReplaceAll(ExampleSchema, "CREATE ROLE app;", "")
	b.exec(t, b.admin, "CREATE ROLE app")
	b.exec(t, b.admin, "CREATE DATABASE example")
	example := b.connect(t, "example")
	b.exec(t, example, schema)
	if err := example.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) connect(t *testing.T, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), strings.Replace(b.server.DSN, "/postgres?", "/"+database+"?", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// database makes a copy of the example, as the old version left it.
func (b *bench) database(t *testing.T) string {
	t.Helper()
	b.count++
	name := fmt.Sprintf("example%d", b.count)
	b.exec(t, b.admin, "CREATE DATABASE "+name+" TEMPLATE example")
	return name
}

func (b *bench) exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// old is a connection of the old version, with its query prepared and run once.
type old struct {
	conn  *pgx.Conn
	query string
}

func (b *bench) old(t *testing.T, database, query string) old {
	t.Helper()
	conn := b.connect(t, database)
	b.exec(t, conn, "SET ROLE app")
	if _, err := conn.Prepare(t.Context(), "old", query); err != nil {
		t.Fatalf("the old version's query: %v", err)
	}
	return old{conn: conn, query: query}
}

// run runs the prepared query and undoes what it wrote; the answer is its rows,
// or what it was told they would be.
func (o old) run(t *testing.T) (string, error) {
	t.Helper()
	transaction, err := o.conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer transaction.Rollback(t.Context())
	rows, err := transaction.Query(t.Context(), "old")
	if err != nil {
		return "", err
	}
	answer := []string{}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return "", err
		}
		answer = append(answer, fmt.Sprint(values...))
	}
	return strings.Join(answer, "\n") + rows.CommandTag().String(), rows.Err()
}

// migrate runs SQL statement by statement, as psql does.
func migrate(ctx context.Context, conn *pgx.Conn, sql string) error {
	for _, one := range statement.Split(sql) {
		if _, err := conn.Exec(ctx, one.Text); err != nil {
			return fmt.Errorf("%s: %w", one.Text, err)
		}
	}
	return nil
}

// code is the SQLSTATE of an error.
func code(err error) string {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// TestTheOldVersionBreaks runs what the old version runs before and after each
// example of a rule that is about it, and of those that hurt only some old versions.
func TestTheOldVersionBreaks(t *testing.T) {
	b := newBench(t)
	for _, rule := range Catalogue() {
		if rule.Class != BreaksAtOnce && rule.ID != rulePreparedPlan && rule.ID != ruleNewDefault || rule.ID == ruleQueryBreaks { // that one is tried by package trial
			continue
		}
		if rule.Old == "" || rule.Bad == "" || rule.Good == "" {
			t.Errorf("%s: a rule of class %s needs examples, and what the old version runs", rule.ID, rule.Class)
			continue
		}
		if broken, _ := b.breaks(t, "", rule.Old, rule.Bad); !broken {
			t.Errorf("%s: the old version is not broken by\n%s", rule.ID, rule.Bad)
		}
		if broken, why := b.breaks(t, "", rule.Old, rule.Good); broken {
			t.Errorf("%s: the old version is broken by\n%s\n%s", rule.ID, rule.Good, why)
		}
	}
}

// breaks reports whether a query of the old version fails, or gives something
// else, once SQL has run, and what it gave.
func (b *bench) breaks(t *testing.T, before, query, sql string) (broken bool, why string) {
	t.Helper()
	database := b.database(t)
	conn := b.connect(t, database)
	defer conn.Close(t.Context())
	b.exec(t, conn, before)
	client := b.old(t, database, query)
	defer client.conn.Close(t.Context())
	answered, err := client.run(t)
	if err != nil {
		t.Fatalf("%s: the old version fails before: %v", query, err)
	}
	if err := migrate(t.Context(), conn, sql); err != nil {
		t.Error(err)
	}
	answer, err := client.run(t)
	return err != nil || answer != answered, fmt.Sprintf("%v %s", err, answer)
}

// TestTheOldVersionIsJudgedRightly holds what is said to break the old version
// at once, or not to, against what it meets on PostgreSQL.
func TestTheOldVersionIsJudgedRightly(t *testing.T) {
	b := newBench(t)
	type sample struct {
		name, before, sql, old string
		breaks                 bool
	}
	const twice = "CREATE FUNCTION f(text) RETURNS text LANGUAGE sql AS $$ SELECT $1 $$"
	const numbered = "CREATE TABLE numbered (id bigint GENERATED BY DEFAULT AS IDENTITY, note text, long text GENERATED ALWAYS AS (note || note) STORED, plain int DEFAULT 1);" +
		"GRANT SELECT, INSERT ON numbered TO app;"
	check := func(breaks bool, condition string) sample {
		return sample{name: condition, breaks: breaks, old: "INSERT INTO orders (id, note, quantity) VALUES (9001, 'x', 3)",
			sql: "ALTER TABLE orders ADD w int, ADD extra int DEFAULT 0, ADD word text DEFAULT 'x'::text, ADD empty int DEFAULT NULL, ADD less int DEFAULT -1, ADD near int DEFAULT 0.6, ADD five numeric(3,1) DEFAULT 5, ADD doubled int GENERATED ALWAYS AS (quantity * 2) STORED;" +
				"ALTER TABLE orders ADD CONSTRAINT c CHECK (" + condition + ") NOT VALID"}
	}
	viewed := func(breaks bool, old, view string) sample {
		return sample{name: view, breaks: breaks, old: old, sql: "BEGIN; SET LOCAL lock_timeout = '2s'; ALTER TABLE carts RENAME TO baskets; CREATE " + view +
			"; GRANT SELECT, INSERT, UPDATE, DELETE ON carts TO app; COMMIT"}
	}
	const reads, writes = "SELECT id, note FROM carts ORDER BY id", "UPDATE carts SET note = 'x' WHERE id = 1"
	for _, test := range []sample{
		viewed(false, reads, "VIEW carts AS SELECT * FROM baskets"),
		viewed(false, writes, "OR REPLACE VIEW carts WITH (security_barrier) AS SELECT ALL b.* FROM baskets b"),
		viewed(false, writes, "VIEW carts AS SELECT b.note, b.id AS id FROM public.baskets AS b"),
		viewed(false, reads, "VIEW carts (id, note) AS SELECT id AS a, note b FROM baskets"),
		viewed(true, reads, "VIEW carts AS SELECT id FROM baskets"),
		viewed(true, reads, "VIEW carts AS SELECT id, id::text AS note FROM baskets"),
		viewed(true, reads, "VIEW carts AS SELECT id, NULL AS note FROM baskets"),
		viewed(true, reads, "VIEW carts AS SELECT note AS id, note FROM baskets"),
		viewed(true, reads, "VIEW carts (note, id) AS SELECT * FROM baskets"),
		viewed(true, reads, "VIEW carts AS SELECT * FROM baskets WHERE id > 5"),
		viewed(true, reads, "VIEW carts AS SELECT * FROM coupons"),
		viewed(true, reads, "TEMP VIEW carts AS SELECT * FROM baskets"),
		viewed(true, writes, "VIEW carts AS SELECT DISTINCT id, note FROM baskets"),
		viewed(true, writes, "VIEW carts AS SELECT id, lower(note) AS note FROM baskets"),
		viewed(true, writes, "VIEW carts AS SELECT id, max(note) AS note FROM baskets GROUP BY id"),
		viewed(true, writes, "VIEW carts AS SELECT * FROM baskets LIMIT 1000"),
		viewed(true, writes, "VIEW carts AS SELECT * FROM baskets UNION ALL SELECT * FROM coupons"),
		viewed(true, writes, "VIEW carts AS SELECT b.* FROM baskets b JOIN customers USING (id)"),
		viewed(true, writes, "VIEW carts AS SELECT b.id, b.note FROM baskets b, customers c WHERE b.id = c.id"),
		viewed(true, writes, "VIEW carts AS WITH all_of AS (SELECT * FROM baskets) SELECT * FROM all_of"),
		viewed(true, writes, "RECURSIVE VIEW carts (id, note) AS SELECT id, note FROM baskets"),
		viewed(true, writes, "MATERIALIZED VIEW carts AS SELECT * FROM baskets"),
		{name: "a column of new name behind all", breaks: true, old: reads,
			sql: "BEGIN; SET LOCAL lock_timeout = '2s'; ALTER TABLE carts RENAME TO baskets; ALTER TABLE baskets RENAME note TO remark; CREATE VIEW carts AS SELECT * FROM baskets; GRANT SELECT ON carts TO app; COMMIT"},
		{name: "a column of new name behind a view that is there", old: reads,
			sql: "BEGIN; SET LOCAL lock_timeout = '2s'; ALTER TABLE carts RENAME TO baskets; CREATE VIEW carts AS SELECT * FROM baskets; ALTER TABLE baskets RENAME note TO remark; GRANT SELECT ON carts TO app; COMMIT"},
		{name: "a table that was there", breaks: true, old: "SELECT note FROM orders WHERE id = 1",
			sql: "CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, note text); ALTER TABLE orders DROP COLUMN IF EXISTS note"},
		{name: "a table that was not", old: "SELECT note FROM orders WHERE id = 1",
			sql: "CREATE TABLE returns (id bigint, note text); CREATE TABLE IF NOT EXISTS returns (id bigint); ALTER TABLE returns DROP COLUMN note"},
		{name: "a column that was there", breaks: true, old: "SELECT note FROM orders WHERE id = 1",
			sql: "ALTER TABLE orders ADD COLUMN IF NOT EXISTS note text; ALTER TABLE orders DROP COLUMN note"},
		{name: "a column that was not", old: "SELECT note FROM orders WHERE id = 1",
			sql: "ALTER TABLE orders ADD COLUMN IF NOT EXISTS weight int; ALTER TABLE orders DROP COLUMN weight"},
		{name: "a type that IF NOT EXISTS does not change", breaks: true, old: "SELECT quantity FROM orders WHERE id = 1",
			sql: "CREATE TABLE IF NOT EXISTS orders (id bigint, quantity bigint); ALTER TABLE orders ALTER quantity TYPE bigint"},
		{name: "a schema that was there", breaks: true, old: "SELECT note FROM carts WHERE id = 1",
			sql: "CREATE SCHEMA IF NOT EXISTS public; DROP SCHEMA public CASCADE"},
		{name: "a table that a branch does not make", breaks: true, old: "SELECT note FROM orders WHERE id = 1",
			sql: "DO $$ BEGIN IF to_regclass('orders') IS NULL THEN CREATE TABLE orders (id bigint, note text); END IF; END $$; ALTER TABLE orders DROP COLUMN note"},
		{name: "a table that an error undoes", breaks: true, old: "SELECT note FROM orders WHERE id = 1",
			sql: "DO $$ BEGIN CREATE TABLE orders (id bigint, note text); EXCEPTION WHEN duplicate_table THEN NULL; END $$; ALTER TABLE orders DROP COLUMN note"},
		{name: "a table that code surely makes", old: "SELECT note FROM orders WHERE id = 1",
			sql: "DO $$ BEGIN IF false THEN RAISE 'no'; END IF; CREATE TABLE returns (id bigint, note text); END $$; ALTER TABLE returns DROP COLUMN note"},
		{name: "a table behind a way out", breaks: true, old: "SELECT note FROM orders WHERE id = 1",
			sql: "DO $$ BEGIN IF to_regclass('orders') IS NOT NULL THEN RETURN; END IF; CREATE TABLE orders (id bigint, note text); END $$; ALTER TABLE orders DROP COLUMN note"},
		{name: "a view that a branch does not drop", breaks: true, old: "SELECT id, total FROM open_orders",
			sql: "DO $$ BEGIN IF false THEN\n-- bluegreen:allow drop-object never\nDROP VIEW open_orders; END IF; END $$; CREATE OR REPLACE VIEW open_orders AS SELECT id, total FROM orders; DROP VIEW open_orders"},
		{name: "a call that is not made", breaks: true, old: "SELECT note FROM orders WHERE id = 1",
			sql: "CREATE FUNCTION make() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE orders (id bigint, note text); RETURN 1; END $$; SELECT make() WHERE false; ALTER TABLE orders DROP COLUMN note"},
		check(false, "w > 0"),
		check(false, "((w > 0) AND (w < quantity))"),
		check(false, "w IN (1, 2) AND w BETWEEN 1 AND 5 AND w::bigint <> 7"),
		check(false, "abs(w) + 1 > length(note) AND w > extra"),
		check(false, "w * extra < 0 AND extra >= 0"),
		check(false, "extra = 0 AND extra < 1 AND extra <> 2 AND less <= -1 AND 0 = extra"),
		check(false, "word = 'x'"),
		check(false, "empty > 0"),
		check(true, "extra > 0"),
		check(true, "less >= 0"),
		check(true, "near < 1"),
		check(true, "word <> 'x'"),
		check(true, "word = 'y'"),
		check(true, "five <> 5"),
		check(true, "extra > 0 AND w > 0"),
		check(true, "false"),
		check(true, "1 = 2"),
		check(true, "w > 0 AND false"),
		check(true, "coalesce(w, 0) > 0"),
		check(true, "num_nonnulls(w, note) = 0"),
		check(true, "w > 0 AND note <> 'x'"),
		check(true, "w IS NOT NULL OR note IS NULL"),
		check(true, "(w IS NULL) <> (note = 'x')"),
		check(true, "NOT (w IS NULL)"),
		check(true, "w NOTNULL"),
		check(true, "CASE WHEN w > 0 THEN true ELSE false END"),
		check(true, "(note, w) = ('y', 1)"),
		check(true, "note BETWEEN w::text AND 'a'"),
		check(true, "(note IN ('x', w::text)) = false"),
		check(true, "quantity <= extra"),
		check(true, "quantity <= extra AND w > 0"),
		check(true, "doubled < 5"),
		{name: "what a rollback undoes", breaks: true, old: "SELECT note FROM orders WHERE id = 1",
			sql: "BEGIN; CREATE SCHEMA s; SET search_path = s; CREATE TABLE orders (note text); ROLLBACK; ALTER TABLE orders DROP COLUMN note"},
		{name: "what a savepoint undoes", breaks: true, old: "SELECT note FROM orders WHERE id = 1",
			sql: "BEGIN; CREATE TABLE n (id int); SAVEPOINT a; CREATE SCHEMA s; SAVEPOINT b; SET search_path = s; CREATE TABLE orders (note text); ROLLBACK TO SAVEPOINT a; ALTER TABLE orders DROP COLUMN note; COMMIT"},
		{name: "what a savepoint leaves", old: "SELECT note FROM orders WHERE id = 1",
			sql: "BEGIN; CREATE TABLE n (id int); SAVEPOINT a; CREATE TABLE m (id int); ROLLBACK TO a; CREATE TABLE m (id int); RELEASE a; COMMIT; DROP TABLE n, m"},
		{name: "another order of texts", breaks: true, old: "SELECT note FROM orders WHERE id = 1", sql: `ALTER TABLE orders ALTER note TYPE varchar(20) COLLATE "C"`},
		{name: "the same order", old: "SELECT note FROM orders WHERE id = 1", sql: `ALTER TABLE orders ALTER note TYPE varchar(20) COLLATE "default"`},
		{name: "an identity is dropped", breaks: true, before: numbered, old: "INSERT INTO numbered (note) VALUES ('x')", sql: "ALTER TABLE numbered ALTER id DROP IDENTITY"},
		{name: "an expression is dropped", breaks: true, before: numbered, old: "INSERT INTO numbered (note) VALUES ('x') RETURNING long", sql: "ALTER TABLE numbered ALTER long DROP EXPRESSION"},
		{name: "an identity takes no value", breaks: true, before: numbered, old: "INSERT INTO numbered (id) VALUES (7)", sql: "ALTER TABLE numbered ALTER id SET CACHE 5 SET GENERATED ALWAYS"},
		{name: "a column becomes such an identity", breaks: true, before: numbered, old: "INSERT INTO numbered (id, plain) VALUES (7, 7)",
			sql: "ALTER TABLE numbered ALTER plain SET NOT NULL; ALTER TABLE numbered ALTER plain DROP DEFAULT; ALTER TABLE numbered ALTER plain ADD GENERATED ALWAYS AS IDENTITY"},
		{name: "an identity takes values too", before: numbered, old: "INSERT INTO numbered (id) VALUES (7)", sql: "ALTER TABLE numbered ALTER id SET GENERATED BY DEFAULT SET CACHE 5"},
		{name: "an identity of what is new", before: numbered, old: "INSERT INTO numbered (id) VALUES (7)",
			sql: "CREATE TABLE n (id bigint GENERATED BY DEFAULT AS IDENTITY); ALTER TABLE n ALTER id SET GENERATED ALWAYS; ALTER TABLE n ALTER id DROP IDENTITY"},
		{name: "rights on what was made", old: "SELECT f('x'::text)", before: twice,
			sql: "CREATE FUNCTION f(a int, OUT b int, c varchar(5) DEFAULT 'x') LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1 $$; REVOKE ALL ON FUNCTION f(int, varchar) FROM PUBLIC;" +
				"CREATE TABLE n (id int); CREATE VIEW v AS SELECT 1 AS one; CREATE SEQUENCE q; REVOKE ALL ON TABLE n, v FROM PUBLIC, app; REVOKE SELECT (id) ON n FROM app; REVOKE USAGE ON SEQUENCE q FROM app;" +
				"CREATE SCHEMA fresh; REVOKE ALL ON SCHEMA fresh FROM PUBLIC; REVOKE ALL ON ALL TABLES IN SCHEMA fresh FROM PUBLIC"},
		{name: "rights on one of the name that was there", breaks: true, old: "SELECT f('x'::text)", before: twice,
			sql: "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; REVOKE ALL ON FUNCTION f(text) FROM PUBLIC"},
		{name: "rights on what may be replaced", breaks: true, old: "SELECT f('x'::text)", before: twice,
			sql: "CREATE OR REPLACE FUNCTION f(text) RETURNS text LANGUAGE sql AS $$ SELECT $1 $$; REVOKE ALL ON FUNCTION f(text) FROM PUBLIC"},
		{name: "another function of the name", old: "SELECT f('x'::text)", before: twice, sql: "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; DROP FUNCTION f(int)"},
		{name: "the old one of the name", breaks: true, old: "SELECT f('x'::text)", before: twice, sql: "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; DROP FUNCTION f(text)"},
		{name: "the one that is left of the name", breaks: true, old: "SELECT f('x'::text)", before: twice, sql: "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; DROP FUNCTION f(int); DROP FUNCTION f"},
		{name: "the name of another function", old: "SELECT f('x'::text)", before: twice, sql: "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; ALTER FUNCTION f(int) RENAME TO g; DROP FUNCTION g"},
		{name: "the name of the old one", breaks: true, old: "SELECT f('x'::text)", before: twice, sql: "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; ALTER ROUTINE f(text) RENAME TO g"},
		{name: "one made again with other arguments", breaks: true, old: "SELECT f('x'::text)", before: twice, sql: "BEGIN; DROP FUNCTION f(text); CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; COMMIT"},
		{name: "rights on something old beside", breaks: true, old: "SELECT note FROM carts WHERE id = 1",
			sql: "CREATE TABLE n (id int); REVOKE SELECT ON n, carts FROM app"},
		{name: "a role", breaks: true, old: "SELECT note FROM orders WHERE id = 1",
			before: "CREATE ROLE reader; REVOKE ALL ON orders FROM app; GRANT SELECT ON orders TO reader; GRANT reader TO app", sql: "REVOKE reader FROM app"},
	} {
		if b.lacks(t, test.sql) {
			continue
		}
		report := evaluate(t, Options{}, history(ExampleSchema+test.before), judged("1.sql", test.sql, dialect.Autocommit))
		if said := slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.Class == BreaksAtOnce && f.Blocks() }); said != test.breaks {
			t.Errorf("%s: said to break the old version: %t; found %q", test.name, said, told(report))
		}
		if broken, why := b.breaks(t, test.before, test.old, test.sql); broken != test.breaks {
			t.Errorf("%s: the old version is broken: %t (%s)", test.name, broken, why)
		}
	}
}

// effect is what running an example did.
type effect struct {
	// failed is the SQLSTATE with which it ended, "" for none.
	failed string
	// locks are the modes that a statement held at its end of tables that were
	// there before, the strongest by table; of a statement that no transaction
	// takes there are none.
	locks map[string]string
	// rewritten are the tables that were there before, and are in other files.
	rewritten []string
	// scanned are those tables of which every row was read under a lock that
	// makes others wait.
	scanned []string
}

const (
	tablesQuery = `SELECT c.oid, c.oid::regclass::text, coalesce(pg_relation_filenode(c.oid), 0) FROM pg_class c WHERE relkind IN ('r', 'p', 'm') AND relnamespace = 'public'::regnamespace`
	locksQuery  = `SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted`
	scansQuery  = `SELECT relid, coalesce(seq_scan, 0) FROM pg_stat_xact_user_tables`
)

// relations are the tables of a database, by their oid.
type relations map[uint32]relation

type relation struct {
	name string
	file uint32 // 0 for none
}

func (b *bench) relations(t *testing.T, conn *pgx.Conn) relations {
	t.Helper()
	rows, err := conn.Query(t.Context(), tablesQuery)
	if err != nil {
		t.Fatal(err)
	}
	found := relations{}
	for rows.Next() {
		var oid uint32
		var one relation
		if err := rows.Scan(&oid, &one.name, &one.file); err != nil {
			t.Fatal(err)
		}
		found[oid] = one
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return found
}

// counts reads two columns of numbers and words.
func counts[V int | string](t *testing.T, conn *pgx.Conn, query string) map[uint32][]V {
	t.Helper()
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	found := map[uint32][]V{}
	for rows.Next() {
		var oid uint32
		var value V
		if err := rows.Scan(&oid, &value); err != nil {
			t.Fatal(err)
		}
		found[oid] = append(found[oid], value)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return found
}

// effects runs an example on a database of its own, and commits it.
func (b *bench) effects(t *testing.T, sql string) effect {
	t.Helper()
	return b.watch(t, b.connect(t, b.database(t)), sql, "COMMIT")
}

// watch runs statements one by one, each in a transaction where PostgreSQL lets
// it, and looks at what it did before the transaction ends.
func (b *bench) watch(t *testing.T, conn *pgx.Conn, sql, end string) effect {
	t.Helper()
	before := b.relations(t, conn)
	seen := effect{locks: map[string]string{}}
	own := strings.Contains(sql, "BEGIN;")
	for _, one := range statement.Split(sql) {
		alone := own || slices.ContainsFunc(one.Changes, refused)
		if !alone {
			b.exec(t, conn, "BEGIN")
		}
		scansBefore := counts[int](t, conn, scansQuery) // those that are not reported yet
		if _, err := conn.Exec(t.Context(), one.Text); err != nil {
			seen.failed = code(err)
		} else {
			b.look(t, conn, before, scansBefore, &seen)
		}
		if !alone {
			b.exec(t, conn, end)
		}
		if seen.failed != "" {
			break
		}
	}
	slices.Sort(seen.rewritten)
	return seen
}

// look reads what the session holds, has rewritten and has scanned.
func (b *bench) look(t *testing.T, conn *pgx.Conn, before relations, scansBefore map[uint32][]int, seen *effect) {
	t.Helper()
	held := map[uint32]statement.LockMode{}
	for oid, modes := range counts[string](t, conn, locksQuery) {
		for _, mode := range modes {
			held[oid] = max(held[oid], lockMode(mode))
		}
		if name := before[oid].name; name != "" && held[oid] >= statement.ShareUpdateExclusive {
			seen.locks[name] = strongest(seen.locks[name], held[oid])
		}
	}
	for oid, scans := range counts[int](t, conn, scansQuery) {
		more := len(scansBefore[oid]) == 0 && scans[0] > 0 || len(scansBefore[oid]) > 0 && scans[0] > scansBefore[oid][0]
		if name := before[oid].name; more && name != "" && held[oid] >= statement.Share && !slices.Contains(seen.scanned, name) {
			seen.scanned = append(seen.scanned, name)
		}
	}
	for oid, now := range b.relations(t, conn) {
		if old, known := before[oid]; known && old.file != 0 && now.file != old.file && !slices.Contains(seen.rewritten, old.name) {
			seen.rewritten = append(seen.rewritten, old.name)
		}
	}
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

func strongest(text string, mode statement.LockMode) string {
	if text == "" || lockMode(strings.ReplaceAll(text, " ", "")+"Lock") < mode {
		return mode.String()
	}
	return text
}

// TestPostgreSQLWaits holds each rule of class L against what PostgreSQL did.
func TestPostgreSQLWaits(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct {
		rule      string
		bad, good func(effect) bool
	}{
		{"rewrite-table", rewrote("orders"), rewrote()},
		{"scan-table", scanned("orders"), scanned()},
		{"build-key", scanned("orders"), scanned()},
		{"index-blocks", holds("orders", statement.Share), holds("orders", statement.NoLock)},
		{"detach-blocks", holds("events", statement.AccessExclusive), holds("events", statement.NoLock)},
		{"lock-table", holds("orders", statement.AccessExclusive), holds("orders", statement.NoLock)},
		{"concurrent-in-transaction", fails("25001"), fails("")},
		{"enum-in-transaction", fails("55P04"), fails("")},
		{"lock-held", scanned("orders"), scanned()},
		{"several-locks", holdsBoth("orders", "customers"), func(e effect) bool { return e.failed == "" }},
	} {
		rule, known := ruleByID(test.rule)
		if !known {
			t.Errorf("no rule is called %s", test.rule)
			continue
		}
		if b.lacks(t, rule.Bad) {
			t.Logf("%s: its bad example is for a later PostgreSQL", rule.ID)
		} else if seen := b.effects(t, rule.Bad); !test.bad(seen) {
			t.Errorf("%s: PostgreSQL does not agree that this is bad: %+v\n%s", rule.ID, seen, rule.Bad)
		}
		if b.lacks(t, rule.Good) {
			t.Logf("%s: its good example is for a later PostgreSQL", rule.ID)
		} else if seen := b.effects(t, rule.Good); !test.good(seen) || seen.failed != "" {
			t.Errorf("%s: PostgreSQL does not agree that this is good: %+v\n%s", rule.ID, seen, rule.Good)
		}
	}
}

// lacks reports whether SQL asks for what this server's major version does not have
// yet, and fails the test where the server takes it all the same.
func (b *bench) lacks(t *testing.T, sql string) bool {
	t.Helper()
	for _, later := range []struct {
		words string
		since int
	}{{"gen_random_uuid()", 13}, {"DROP EXPRESSION", 13}, {"DETACH PARTITION events_2025 CONCURRENTLY", 14}} {
		if !strings.Contains(sql, later.words) || postgrestest.Major(t) >= later.since {
			continue
		}
		if seen := b.effects(t, sql); seen.failed == "" {
			t.Errorf("%s is said to be there since PostgreSQL %d, and this one takes it", later.words, later.since)
		}
		return true
	}
	return false
}

func rewrote(tables ...string) func(effect) bool {
	return func(e effect) bool { return e.failed == "" && slices.Equal(e.rewritten, tables) }
}

func scanned(tables ...string) func(effect) bool {
	return func(e effect) bool { return e.failed == "" && slices.Equal(e.scanned, tables) }
}

func holds(table string, mode statement.LockMode) func(effect) bool {
	return func(e effect) bool {
		return e.failed == "" && (e.locks[table] == mode.String() || mode == statement.NoLock && e.locks[table] == "")
	}
}

func holdsBoth(tables ...string) func(effect) bool {
	return func(e effect) bool {
		for _, table := range tables {
			if e.locks[table] != statement.AccessExclusive.String() {
				return false
			}
		}
		return true
	}
}

func fails(with string) func(effect) bool {
	return func(e effect) bool { return e.failed == with }
}

// TestLocks reads out of pg_locks whether each change takes the locks that
// the rules reckon with.
func TestLocks(t *testing.T) {
	b := newBench(t)
	statements := []string{
		"ALTER TABLE orders ADD COLUMN a int",
		"ALTER TABLE orders ADD COLUMN a bigint REFERENCES customers",
		"ALTER TABLE orders DROP COLUMN note",
		"ALTER TABLE orders ALTER note TYPE text",
		"ALTER TABLE orders ALTER note SET DEFAULT 'x'",
		"ALTER TABLE orders ALTER note SET NOT NULL",
		"ALTER TABLE orders ALTER total DROP NOT NULL",
		"ALTER TABLE orders ALTER note SET STATISTICS 100",
		"ALTER TABLE orders ALTER note SET STORAGE EXTERNAL",
		"ALTER TABLE orders ALTER note SET (n_distinct = 5)",
		"ALTER TABLE orders ADD CONSTRAINT c CHECK (id > 0) NOT VALID",
		"ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES customers NOT VALID",
		"ALTER TABLE orders DROP CONSTRAINT orders_quantity",
		"ALTER TABLE orders VALIDATE CONSTRAINT orders_quantity",
		"ALTER TABLE orders ALTER CONSTRAINT orders_customer_id_fkey DEFERRABLE",
		"ALTER TABLE orders RENAME TO other",
		"ALTER TABLE orders RENAME note TO other",
		"ALTER TABLE orders RENAME CONSTRAINT orders_quantity TO other",
		"ALTER TABLE orders SET (fillfactor = 50)",
		"ALTER TABLE orders SET UNLOGGED",
		"ALTER TABLE carts SET UNLOGGED",
		"ALTER TABLE orders SET TABLESPACE pg_default",
		"ALTER TABLE orders OWNER TO app",
		"ALTER TABLE orders REPLICA IDENTITY FULL",
		"ALTER TABLE orders CLUSTER ON orders_pkey",
		"ALTER TABLE orders SET WITHOUT CLUSTER",
		"ALTER TABLE orders ENABLE ROW LEVEL SECURITY",
		"ALTER TABLE orders DISABLE TRIGGER USER",
		"CREATE POLICY p ON orders USING (true)",
		"CREATE TRIGGER x BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
		"CREATE RULE r AS ON DELETE TO orders DO INSTEAD NOTHING",
		"CREATE INDEX i ON orders (note)",
		"CREATE TABLE n (c bigint REFERENCES customers)",
		"CREATE TABLE n () INHERITS (carts)",
		"CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
		"ALTER TABLE events DETACH PARTITION events_2025",
		"DROP TABLE carts",
		"TRUNCATE carts",
		"LOCK TABLE carts IN SHARE ROW EXCLUSIVE MODE",
		"REINDEX TABLE carts",
		"CLUSTER carts USING carts_pkey",
		"COMMENT ON TABLE carts IS ''",
		"GRANT SELECT ON carts TO app",
	}
	conn := b.connect(t, b.database(t))
	for _, sql := range statements {
		seen := b.watch(t, conn, sql, "ROLLBACK")
		if seen.failed != "" && !strings.Contains(sql, "orders SET UNLOGGED") { // what refers to a table keeps it logged
			t.Errorf("%s: PostgreSQL refuses it (%s)", sql, seen.failed)
			continue
		}
		if seen.failed != "" {
			continue
		}
		scene := &scene{schema: newSchema()}
		want := map[string]string{}
		for _, read := range statement.Split(sql) {
			for _, change := range read.Changes {
				scene.change = change
				for _, taken := range scene.locks() {
					want[strings.TrimPrefix(taken.table, "public.")] = taken.mode.String()
				}
			}
		}
		got := maps.Clone(seen.locks)
		for _, beside := range []string{"open_orders"} {
			delete(got, beside)
		}
		if strings.Contains(sql, "DETACH PARTITION") && postgrestest.Major(t) < 14 { // what leaves is locked less there
			want["events_2025"] = statement.ShareUpdateExclusive.String()
		}
		if strings.HasPrefix(sql, "COMMENT") { // SHARE UPDATE EXCLUSIVE, which hinders nobody
			delete(got, "carts")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -reckoned +held:\n%s", sql, diff)
		}
	}
}

// TestWork holds what a change is said to do to the rows against the files and
// the scans of PostgreSQL.
func TestWork(t *testing.T) {
	b := newBench(t)
	setup := "CREATE DOMAIN positive AS int CHECK (value > 0); CREATE TABLE w (id bigint PRIMARY KEY, short varchar(10), amount numeric(10,2), number int, at timestamp, long text, sorted text COLLATE \"C\"); CREATE INDEX ON w (long); CREATE INDEX ON w (sorted);" +
		"INSERT INTO w SELECT n, 'x', 1, 1, now(), 'x' FROM generate_series(1, 10) AS n; ALTER TABLE w ADD CONSTRAINT number_filled CHECK (number IS NOT NULL);" +
		"CREATE TABLE e25 (id bigint, day date NOT NULL); INSERT INTO e25 VALUES (1, '2024-01-01');"
	conn := b.connect(t, b.database(t))
	b.exec(t, conn, setup)
	for _, sql := range []string{
		"ALTER TABLE w ADD a int",
		"ALTER TABLE w ADD a int DEFAULT 5 NOT NULL",
		"ALTER TABLE w ADD a timestamptz DEFAULT now()",
		"ALTER TABLE w ADD a text DEFAULT lower('X') || current_user",
		"ALTER TABLE w ADD a uuid DEFAULT gen_random_uuid()",
		"ALTER TABLE w ADD a timestamptz DEFAULT clock_timestamp()",
		"ALTER TABLE w ADD a float DEFAULT random()",
		"ALTER TABLE w ADD a serial",
		"ALTER TABLE w ADD a int GENERATED ALWAYS AS IDENTITY",
		"ALTER TABLE w ADD a int GENERATED ALWAYS AS (number + 1) STORED",
		"ALTER TABLE w ADD a positive",
		"ALTER TABLE w ADD a int CHECK (a > 0)",
		"ALTER TABLE w ADD a int UNIQUE",
		"ALTER TABLE w ADD a bigint REFERENCES customers",
		"ALTER TABLE w ALTER short TYPE varchar(20)",
		"ALTER TABLE w ALTER short TYPE text",
		"ALTER TABLE w ALTER short TYPE varchar(5)",
		"ALTER TABLE w ALTER long TYPE varchar(50)",
		"ALTER TABLE w ALTER long TYPE varchar",
		`ALTER TABLE w ALTER long TYPE text COLLATE "C"`,
		`ALTER TABLE w ALTER long TYPE varchar COLLATE pg_catalog."default"`,
		`ALTER TABLE w ALTER sorted TYPE text COLLATE "C"`,
		`ALTER TABLE w ALTER sorted TYPE varchar COLLATE "C"`,
		"ALTER TABLE w ALTER sorted TYPE text",
		"ALTER TABLE w ALTER amount TYPE numeric(12,2)",
		"ALTER TABLE w ALTER amount TYPE numeric",
		"ALTER TABLE w ALTER amount TYPE numeric(12,3)",
		"ALTER TABLE w ALTER number TYPE bigint",
		"ALTER TABLE w ALTER at TYPE timestamp(0)",
		"ALTER TABLE w ALTER short TYPE text USING upper(short)",
		"ALTER TABLE w ALTER number SET NOT NULL", // proven
		"ALTER TABLE w ALTER amount SET NOT NULL",
		"ALTER TABLE w ADD CHECK (number > 0)",
		"ALTER TABLE w ADD CHECK (number > 0) NOT VALID",
		"ALTER TABLE w ADD UNIQUE (short, id)",
		"ALTER TABLE w ADD FOREIGN KEY (id) REFERENCES customers NOT VALID",
		"ALTER TABLE w SET UNLOGGED",
		"CLUSTER w USING w_pkey",
		"ALTER TABLE events ATTACH PARTITION e25 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
	} {
		known := newSchema()
		for _, read := range statement.Split(setup) {
			for _, change := range read.Changes {
				known.apply(change)
			}
		}
		if b.lacks(t, strings.Replace(sql, " w ", " orders ", 1)) {
			continue
		}
		scene := &scene{schema: known, change: statement.Split(sql)[0].Changes[0]}
		want, table, _ := scene.work()
		seen := b.watch(t, conn, sql, "ROLLBACK")
		got := noWork
		switch {
		case seen.failed != "":
			t.Errorf("%s: PostgreSQL refuses it (%s)", sql, seen.failed)
			continue
		case len(seen.rewritten) > 0:
			got = rewrites
		case len(seen.scanned) > 0:
			got = scans
		}
		if want == builds { // PostgreSQL counts it as a scan
			want = scans
		}
		if want != got {
			t.Errorf("%s: said to do %d to %q, did %d (%+v)", sql, want, table, got, seen)
		}
	}
}

// TestWaitingForALock shows what a lock_timeout is for.
func TestWaitingForALock(t *testing.T) {
	b := newBench(t)
	rule, _ := ruleByID(ruleLockTimeout)
	database := b.database(t)
	long := b.connect(t, database)
	b.exec(t, long, "BEGIN")
	b.exec(t, long, "SELECT count(*) FROM orders")
	conn := b.connect(t, database)
	pid := conn.PgConn().PID()
	ended := make(chan error, 1)
	go func() { ended <- migrate(t.Context(), conn, rule.Bad) }()
	b.awaitWaiting(t, pid, database)
	reader := b.connect(t, database)
	b.exec(t, reader, "SET statement_timeout = '200ms'")
	if _, err := reader.Exec(t.Context(), "SELECT id FROM orders LIMIT 1"); code(err) != "57014" {
		t.Errorf("a reader behind the migration: %v, want it to wait", err)
	}
	b.exec(t, b.admin, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
	<-ended
	patient := b.connect(t, database)
	good := strings.ReplaceAll(rule.Good, "'2s'", "'200ms'")
	if err := migrate(t.Context(), patient, good); code(err) != "55P03" {
		t.Errorf("with a lock_timeout: %v, want it to give up (55P03)", err)
	}
	b.exec(t, reader, "SELECT id FROM orders LIMIT 1")
}

func (b *bench) awaitWaiting(t *testing.T, pid uint32, database string) {
	t.Helper()
	watcher := b.connect(t, database)
	deadline := time.Now().Add(30 * time.Second)
	for waits := false; !waits; {
		if time.Now().After(deadline) {
			t.Fatal("the migration does not wait")
		}
		if err := watcher.QueryRow(t.Context(), "SELECT cardinality(pg_blocking_pids($1)) > 0", pid).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
}

// TestANestedTransactionEndsTheOuter shows that what follows the inner COMMIT is
// not undone with the outer.
func TestANestedTransactionEndsTheOuter(t *testing.T) {
	b := newBench(t)
	rule, _ := ruleByID(ruleNestedTransaction)
	conn := b.connect(t, b.database(t))
	if err := migrate(t.Context(), conn, rule.Bad); err != nil {
		t.Fatal(err)
	}
	if conn.PgConn().TxStatus() != 'I' {
		t.Error("the inner COMMIT left the outer transaction open")
	}
}

// TestAnInvalidIndexIsSkipped shows what a build that failed leaves to the next try.
func TestAnInvalidIndexIsSkipped(t *testing.T) {
	b := newBench(t)
	rule, _ := ruleByID("invalid-index")
	conn := b.connect(t, b.database(t))
	b.exec(t, conn, "CREATE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN $1; END $$; SET statement_timeout = '200ms'")
	if _, err := conn.Exec(t.Context(), "CREATE INDEX CONCURRENTLY orders_note ON orders (slow(note))"); code(err) != "57014" {
		t.Fatalf("%v, want the build to be cancelled", err)
	}
	b.exec(t, conn, "RESET statement_timeout")
	for _, try := range []struct {
		sql   string
		valid bool
	}{{rule.Bad, false}, {rule.Good, true}} {
		if err := migrate(t.Context(), conn, try.sql); err != nil {
			t.Fatal(err)
		}
		var valid bool
		if err := conn.QueryRow(t.Context(), "SELECT indisvalid FROM pg_index WHERE indexrelid = 'orders_note'::regclass").Scan(&valid); err != nil || valid != try.valid {
			t.Errorf("%s: the index is valid: %t, %v", try.sql, valid, err)
		}
	}
}

// TestEveryRuleIsTried fails for a rule that blocks and that no test of this
// file holds against PostgreSQL.
func TestEveryRuleIsTried(t *testing.T) {
	tried := []string{"rewrite-table", "scan-table", "build-key", "index-blocks", "detach-blocks", "lock-table", "concurrent-in-transaction",
		"enum-in-transaction", "lock-held", "several-locks", ruleLockTimeout, ruleNestedTransaction,
		"broken-index"} // which no release that is still sold shows
	for _, rule := range Catalogue() {
		if rule.ID == ruleQueryBreaks || rule.ID == ruleRefused { // the server's own words, which package trial tries
			continue
		}
		if rule.Class == MakesWait && !slices.Contains(tried, rule.ID) {
			t.Errorf("%s is held against PostgreSQL by no test", rule.ID)
		}
		if report := rule.Bad; report == "" && (rule.Class == BreaksAtOnce || rule.Class == MakesWait) && rule.ID != "broken-index" {
			t.Errorf("%s has no example", rule.ID)
		}
	}
}

// TestStrictFunctions holds what is said to give null for null against PostgreSQL.
func TestStrictFunctions(t *testing.T) {
	b := newBench(t)
	rows, err := b.admin.Query(t.Context(), "SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' GROUP BY proname HAVING NOT bool_and(proisstrict)")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || !slices.Contains(names, "num_nonnulls") {
		t.Fatalf("the functions that are not strict: %v (%v)", names, err)
	}
	for _, name := range names {
		if strict(name) {
			t.Errorf("%s gives something for null", name)
		}
	}
}

// TestTimeouts holds how timeouts are read against PostgreSQL.
func TestTimeouts(t *testing.T) {
	b := newBench(t)
	for _, value := range []string{"2s", "2000", "1.5s", " 1 min ", "2h", "1d", "5000us", "400us", "250ms", "0", "2 hours", "2S"} {
		var milliseconds int64
		if _, err := b.admin.Exec(t.Context(), "SET lock_timeout = '"+value+"'"); err == nil {
			if err := b.admin.QueryRow(t.Context(), "SELECT setting::bigint FROM pg_settings WHERE name = 'lock_timeout'").Scan(&milliseconds); err != nil {
				t.Fatal(err)
			}
		}
		if got := timeout(value).Milliseconds(); got != milliseconds {
			t.Errorf("%q is read as %d ms, PostgreSQL reads %d", value, got, milliseconds)
		}
	}
}
