package plugin

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
)

// TestMigrationsAgainstAServer runs the command as people do. The connection string
// comes from where no list of processes shows it, and stands in no output.
func TestMigrationsAgainstAServer(t *testing.T) {
	const canary = "s3cr3t-of-ana"
	server := postgrestest.StartServer(t, nil)
	admin, err := pgx.Connect(t.Context(), server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	if _, err := admin.Exec(t.Context(), "CREATE ROLE tester LOGIN CREATEDB"); err != nil {
		t.Fatal(err)
	}
	dsn := func(role string, port int) string {
		return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/postgres?sslmode=disable", role, canary, port)
	}
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	schema := file("schema.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);")
	queries := file("queries.sql", "SELECT note FROM orders;")
	good := file("good.sql", "CREATE TABLE other (id bigint PRIMARY KEY);")
	bad := file("bad.sql", "DO $$ BEGIN EXECUTE 'ALTER TABLE orders DROP ' || 'COLUMN note'; END $$;")
	refused := file("refused.sql", "ALTER TABLE orders DROP COLUMN nothing;")
	inFile := file("dsn", dsn("tester", server.Port)+"\n")
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"what is safe":            {[]string{good, "--against", "env:GOOD"}, ExitDone, "applied by PostgreSQL "},
		"from a file":             {[]string{good, "--against", "file:" + inFile}, ExitDone, "applied by PostgreSQL "},
		"what no reading finds":   {[]string{bad, "--against", "env:GOOD"}, ExitBlocked, "queries.sql:1:1 query-breaks BI: the query fails after the migrations"},
		"what is refused":         {[]string{refused, "--against", "env:GOOD"}, ExitBlocked, "1 executed, the others prepared; not tried after the migrations: " + refused + " was refused\n"},
		"as JSON":                 {[]string{bad, "--against", "env:GOOD", "-o", "json"}, ExitBlocked, `"mode": "ACCESS EXCLUSIVE"`},
		"a superuser":             {[]string{good, "--against", "env:SUPER"}, ExitFailed, "role postgres must not run migrations in a scratch database: it is a superuser"},
		"nobody there":            {[]string{good, "--against", "env:AWAY"}, ExitFailed, "connect to database scratch at 127.0.0.1:1/postgres"},
		"no connection string":    {[]string{good, "--against", "env:NONSENSE"}, ExitFailed, "it is not a PostgreSQL connection string"},
		"an open one of nonsense": {[]string{good, "--against", "postgres://a:" + canary + "@[x"}, ExitFailed, "it is not a PostgreSQL connection string"},
		"a variable not set":      {[]string{good, "--against", "env:NOTHING"}, ExitFailed, "the variable NOTHING is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, notes bytes.Buffer
			environment := Environment{Program: "kubectl-bluegreen", LookupEnv: func(name string) (string, bool) {
				value, found := map[string]string{"GOOD": dsn("tester", server.Port), "SUPER": dsn("postgres", server.Port), "AWAY": dsn("tester", 1),
					"NONSENSE": "postgres://a:" + canary + "@[x"}[name]
				return value, found
			}}
			args := append([]string{"db", "migrations", "--schema", schema, "--queries", queries}, test.args...)
			code := Run(t.Context(), environment, Streams{IOStreams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &notes}}, args)
			told := out.String() + notes.String()
			if code != test.code || !strings.Contains(told, test.says) {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, test.code, test.says, told)
			}
			if strings.Contains(told, canary) {
				t.Errorf("the password is told:\n%s", told)
			}
		})
	}
}
