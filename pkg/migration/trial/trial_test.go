package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/migration/dialect"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

const canary = "s3cr3t-of-ana"

// bench is a server, with a role that may make databases and no more.
type bench struct {
	*testing.T
	admin *pgx.Conn
	port  int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	server := postgrestest.StartServer(t, nil)
	admin, err := pgx.Connect(t.Context(), server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.WithoutCancel(t.Context())) })
	b := &bench{T: t, admin: admin, port: server.Port}
	b.exec("CREATE ROLE tester LOGIN CREATEDB")
	return b
}

func (b *bench) exec(sql string) {
	b.Helper()
	if _, err := b.admin.Exec(context.WithoutCancel(b.Context()), sql); err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
}

// target is the server as a role sees it.
func (b *bench) target(role string) postgres.Target {
	b.Helper()
	target, err := postgres.NewTarget("scratch", fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/postgres?sslmode=disable", role, canary, b.port), release.ViaDirect, nil)
	if err != nil {
		b.Fatal(err)
	}
	return target
}

// wantGone fails the test unless no scratch database is left.
func (b *bench) wantGone() {
	b.Helper()
	rows, err := b.admin.Query(context.WithoutCancel(b.Context()), `SELECT datname FROM pg_database WHERE datname LIKE 'bluegreen\_scratch\_%'`)
	if err != nil {
		b.Fatal(err)
	}
	if left, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(left) > 0 {
		b.Errorf("left over: %q, %v", left, err)
	}
}

// wantNoCanary fails the test where the password stands in a text.
func (b *bench) wantNoCanary(values ...any) {
	b.Helper()
	for _, value := range values {
		if text := fmt.Sprintf("%v %+v %#v", value, value, value); strings.Contains(text, canary) {
			b.Errorf("the password stands in %s", text)
		}
	}
}

const schema = `CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(20), total numeric(10,2) NOT NULL DEFAULT 0);
CREATE TABLE carts (id bigint PRIMARY KEY, note text);
INSERT INTO orders SELECT n, 'a note' FROM generate_series(2, 50) AS n;
CREATE FUNCTION slow(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN $1; END $$;
`

// run judges and tries one migration on the schema, of a tool that begins no
// transaction, and the old version's queries.
func (b *bench) run(sql, queries string) (*migration.Report, error) {
	b.Helper()
	folder := b.TempDir()
	for name, text := range map[string]string{"schema.sql": schema, "queries.sql": queries, "db/1.sql": sql} {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			b.Fatal(err)
		}
	}
	migrations, err := dialect.Read([]string{filepath.Join(folder, "db", "1.sql")}, "")
	if err != nil {
		b.Fatal(err)
	}
	report, err := migration.Evaluate(migrations, migration.Catalogue(), migration.Options{})
	if err != nil {
		b.Fatal(err)
	}
	read, err := ReadQueries(filepath.Join(folder, "queries.sql"))
	if err != nil {
		b.Fatal(err)
	}
	seen, err := Run(b.Context(), Options{Target: b.target("tester"), Migrations: migrations, Schema: filepath.Join(folder, "schema.sql"), Queries: read})
	b.wantNoCanary(seen, err)
	b.wantGone()
	if err != nil {
		return nil, err
	}
	report.Add(seen, migration.Catalogue(), migration.Options{})
	return report, nil
}

// saw are what the statements did, each behind its line.
func saw(report *migration.Report) []string {
	var lines []string
	for _, observed := range report.Trial.Statements {
		if said := observed.String(); said != "" {
			lines = append(lines, fmt.Sprintf("%d: %s", observed.Line, said))
		}
	}
	return lines
}

func found(report *migration.Report, rule string) []migration.Finding {
	return slices.DeleteFunc(slices.Clone(report.Findings), func(f migration.Finding) bool { return f.Rule != rule })
}

func TestWhatPostgreSQLDid(t *testing.T) {
	b := newBench(t)
	for _, test := range []struct {
		name, sql string
		want      []string
		rule      string // a rule that finds something, "" for none by the trial alone
	}{
		{"a new table", "CREATE TABLE a (id int PRIMARY KEY);", nil, ""},
		{"a column", "ALTER TABLE orders ADD COLUMN a int;", []string{"1: ACCESS EXCLUSIVE of orders"}, ""},
		{"a rewrite", "ALTER TABLE orders ALTER id TYPE int;", []string{"1: ACCESS EXCLUSIVE of orders, orders written anew"}, ""},
		{"a rewrite that can't be read", "DO $$ BEGIN EXECUTE 'ALTER TABLE orders ALTER ' || 'id TYPE int'; END $$;", []string{"1: ACCESS EXCLUSIVE of orders, orders written anew"}, "rewrite-table"},
		{"locks add up to the end of a transaction", "BEGIN;\nALTER TABLE orders ADD COLUMN a int;\nALTER TABLE carts ADD COLUMN a int;\nCOMMIT;",
			[]string{"2: ACCESS EXCLUSIVE of orders", "3: ACCESS EXCLUSIVE of orders, ACCESS EXCLUSIVE of carts"}, ""},
		{"outside of a transaction", "CREATE INDEX CONCURRENTLY i ON orders (slow(id));", nil, ""},
		{"locks while it runs", "CREATE INDEX i ON orders (slow(id));\nVACUUM FULL orders;", []string{"1: SHARE of orders", "2: ACCESS EXCLUSIVE of orders, orders written anew"}, ""},
		{"refused in a transaction", "BEGIN;\nCREATE INDEX CONCURRENTLY i ON orders (note);\nCOMMIT;", []string{"2: refused: ERROR: CREATE INDEX CONCURRENTLY cannot run inside a transaction block (SQLSTATE 25001)"}, "refused"},
		{"refused", "ALTER TABLE orders DROP COLUMN nothing;", []string{`1: refused: ERROR: column "nothing" of relation "orders" does not exist (SQLSTATE 42703)`}, "refused"},
		{"a program", "COPY orders FROM PROGRAM 'touch /tmp/never';", []string{"1: refused: ERROR: must be superuser or have privileges of the pg_execute_server_program role to COPY to or from an external program (SQLSTATE 42501)"}, "refused"},
	} {
		report, err := b.run(test.sql, "")
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := saw(report)
		if test.name == "a program" && len(got) == 1 && strings.Contains(got[0], "42501") { // worded otherwise by version
			got = test.want
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
		if findings := found(report, test.rule); test.rule != "" && (len(findings) == 0 || !report.Blocked()) {
			t.Errorf("%s: no finding of %s: %+v", test.name, test.rule, report.Findings)
		}
		if test.rule == "" && len(found(report, "refused")) > 0 {
			t.Errorf("%s: %+v", test.name, report.Findings)
		}
	}
}

// What a statement did stands beside what was read of it.
func TestAFindingTellsWhatWasSeen(t *testing.T) {
	report, err := newBench(t).run("SET lock_timeout = '2s';\nALTER TABLE orders ALTER note TYPE varchar(10);\n", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range found(report, "change-type") {
		if finding.Observed == "ACCESS EXCLUSIVE of orders, orders written anew" {
			return
		}
	}
	t.Errorf("%+v", report.Findings)
}

func TestQueriesOfTheOldVersion(t *testing.T) {
	b := newBench(t)
	const queries = `-- name: GetOrder :one
SELECT id, note FROM orders WHERE id = $1;

-- name: AllOrders :many
SELECT * FROM orders;
-- name: AddOrder :exec
INSERT INTO orders (id, note) VALUES ($1, $2);
`
	relation := ` of relation "orders"`
	if postgrestest.Major(t) < 13 {
		relation = "" // it doesn't say
	}
	for _, test := range []struct {
		name, sql string
		want      []string // line, rule and words of each finding about a query
	}{
		{"another table", "CREATE TABLE a (id int);", nil},
		{"a column more", "ALTER TABLE orders ADD COLUMN a int;", []string{"5 query-breaks AllOrders fails where it was prepared before the migrations: ERROR: cached plan must not change result type (SQLSTATE 0A000)"}},
		{"a column less", "ALTER TABLE orders DROP COLUMN note;", []string{
			`2 query-breaks GetOrder fails after the migrations: ERROR: column "note" does not exist (SQLSTATE 42703)`,
			"5 query-breaks AllOrders fails where it was prepared before the migrations: ERROR: cached plan must not change result type (SQLSTATE 0A000)",
			`7 query-breaks AddOrder fails after the migrations: ERROR: column "note" of relation "orders" does not exist (SQLSTATE 42703)`}},
		{"a column that must be filled", "ALTER TABLE orders ADD COLUMN a int; UPDATE orders SET a = 1; ALTER TABLE orders ALTER a SET NOT NULL;", []string{
			"5 query-breaks AllOrders fails where it was prepared before the migrations: ERROR: cached plan must not change result type (SQLSTATE 0A000)",
			`7 query-breaks AddOrder fails after the migrations: ERROR: null value in column "a"` + relation + ` violates not-null constraint (SQLSTATE 23502)`}},
	} {
		report, err := b.run(test.sql, queries)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, finding := range report.Findings {
			if filepath.Base(finding.File) == "queries.sql" {
				got = append(got, fmt.Sprintf("%d %s %s", finding.Line, finding.Rule, strings.TrimPrefix(finding.Problem, "query ")))
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
		if report.Trial.Queries != 3 || report.Trial.Executed != 3 {
			t.Errorf("%s: %d of %d queries were executed, want all 3", test.name, report.Trial.Executed, report.Trial.Queries)
		}
	}
	report, err := b.run("CREATE TABLE a (id int);", "SELECT nothing FROM orders;\nSELECT id FROM orders;")
	if err != nil {
		t.Fatal(err)
	}
	if untried := found(report, "query-untried"); len(untried) != 1 || untried[0].Line != 1 || !report.Blocked() {
		t.Errorf("a query that never worked: %+v", report.Findings)
	}
	report, err = b.run("ALTER TABLE orders DROP COLUMN note;\n-- bluegreen:allow refused the role may not here\nALTER TABLE orders DROP COLUMN nothing;", queries)
	if err != nil {
		t.Fatal(err)
	}
	untried := found(report, "query-untried")
	if len(untried) != 1 || untried[0].Line != 2 || !untried[0].Blocks() || filepath.Base(report.Trial.Refused) != "1.sql" {
		t.Errorf("behind a migration that is refused: %+v, want one finding that stands for all queries", report.Findings)
	}
	if want := "query GetOrder was, as every other, not tried after the migrations: " + report.Trial.Refused + " was refused"; len(untried) > 0 && untried[0].Problem != want {
		t.Errorf("got %q, want %q", untried[0].Problem, want)
	}
}

func TestWhoMayRunNothing(t *testing.T) {
	b := newBench(t)
	for role, sql := range map[string]string{
		"boss":     "CREATE ROLE boss LOGIN SUPERUSER",
		"deputy":   "CREATE ROLE deputy LOGIN CREATEDB NOINHERIT IN ROLE boss",
		"runner":   "CREATE ROLE runner LOGIN CREATEDB IN ROLE pg_execute_server_program",
		"reader":   "CREATE ROLE reader LOGIN CREATEDB IN ROLE pg_read_server_files",
		"writer":   "CREATE ROLE writer LOGIN CREATEDB IN ROLE pg_write_server_files",
		"maker":    "CREATE ROLE maker LOGIN CREATEDB CREATEROLE",
		"owner":    "CREATE ROLE owner LOGIN CREATEDB",
		"ordinary": "CREATE ROLE ordinary LOGIN",
	} {
		if role != "deputy" {
			b.exec(sql)
		}
	}
	b.exec("CREATE ROLE deputy LOGIN CREATEDB NOINHERIT IN ROLE boss")
	b.exec("CREATE DATABASE shop OWNER owner")
	for role, why := range map[string]string{
		"boss": "a superuser", "deputy": "may become one", "runner": "member of pg_execute_server_program", "reader": "member of pg_read_server_files",
		"writer": "member of pg_write_server_files", "maker": "may make roles", "owner": "owns database shop", "ordinary": "may not make a database",
	} {
		seen, err := Run(t.Context(), Options{Target: b.target(role)})
		if seen != nil || err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(release.HintOf(err), "CREATE ROLE") {
			t.Errorf("%s: %+v, %v, want it refused because it %s", role, seen, err, why)
		}
		b.wantNoCanary(err)
	}
	if _, err := Run(t.Context(), Options{Target: b.target("tester")}); err != nil {
		t.Errorf("a role that may: %v", err)
	}
	b.wantGone()
}

// TestTheScratchDatabaseIsGone also where the trial is told to end, and where
// something in it fails.
func TestTheScratchDatabaseIsGone(t *testing.T) {
	b := newBench(t)
	if _, err := b.run("SELECT 1; SELECT 1/0;", ""); err != nil {
		t.Error(err)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"bad.sql": "SELECT 1; CREATE TABLE;", "slow.sql": "SELECT pg_sleep(600);"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Run(t.Context(), Options{Target: b.target("tester"), Schema: filepath.Join(folder, "bad.sql")}); err == nil || !strings.Contains(err.Error(), "bad.sql:1:11: ") {
		t.Errorf("a base schema that fails: %v", err)
	}
	b.wantGone()
	slow, err := dialect.Read([]string{filepath.Join(folder, "slow.sql")}, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := Run(ctx, Options{Target: b.target("tester"), Migrations: slow})
		ended <- err
	}()
	for asleep := false; !asleep; time.Sleep(5 * time.Millisecond) {
		if err := b.admin.QueryRow(t.Context(), "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%'").Scan(&asleep); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("told to end: %v", err)
	}
	b.wantGone()
}

// One that can't be dropped, or was left by a process that was killed, is named.
func TestALeftoverIsTold(t *testing.T) {
	b := newBench(t)
	b.exec("CREATE DATABASE bluegreen_scratch_0123 OWNER tester")
	seen, err := Run(t.Context(), Options{Target: b.target("tester")})
	if err != nil || !slices.Equal(seen.Leftover, []string{"bluegreen_scratch_0123"}) {
		t.Errorf("%+v, %v", seen, err)
	}
	b.exec("DROP DATABASE bluegreen_scratch_0123")
	b.exec("CREATE DATABASE bluegreen_scratch_4567")
	err = scratch{target: b.target("tester"), name: "bluegreen_scratch_4567"}.drop(t.Context())
	if err == nil || !strings.Contains(err.Error(), "bluegreen_scratch_4567 is left over") || !strings.Contains(release.HintOf(err), "DROP DATABASE") {
		t.Errorf("dropped another's: %v", err)
	}
	b.wantNoCanary(err)
}

func TestParseQueries(t *testing.T) {
	var got []string
	for _, query := range parseQueries("q.sql", "SELECT 1;\nSELECT\n 2;\n-- name: Three :one\nSELECT 3\n-- name: Four :many\nSELECT 4; SELECT 5;\n") {
		got = append(got, fmt.Sprintf("%d:%d %s %s", query.Text.At.Line, query.Text.At.Column, query.Name, strings.Join(strings.Fields(query.Text.Text), " ")))
	}
	want := []string{"1:1  SELECT 1", "2:1  SELECT 2", "5:1 Three SELECT 3", "7:1 Four SELECT 4", "7:11 Four SELECT 5"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
