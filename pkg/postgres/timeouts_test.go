package postgres_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
)

// What a session of each role really begins with is what is said of the role.
func TestUnboundedIsWhatSessionsBeginWithout(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"lock_timeout": "7s"})
	execute(t, dsn, "CREATE DATABASE shop", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor",
		"CREATE ROLE bare LOGIN", "CREATE ROLE app LOGIN", "CREATE ROLE unbound LOGIN", "CREATE ROLE elsewhere LOGIN",
		"ALTER ROLE app SET statement_timeout = '30s'", "ALTER ROLE app SET idle_in_transaction_session_timeout = '1min'",
		"ALTER DATABASE shop SET idle_in_transaction_session_timeout = '2min'",
		"ALTER ROLE unbound SET lock_timeout = 0", "ALTER ROLE unbound IN DATABASE shop SET idle_in_transaction_session_timeout = '0s'",
		"ALTER ROLE elsewhere IN DATABASE postgres SET statement_timeout = '30s'",
		"ALTER ROLE app SET search_path = 'secret'")
	whole := look(t, observe(t, with(dsn, "postgres", "shop", "")))
	blind := look(t, observe(t, with(dsn, "monitor", "shop", "")))
	for _, role := range []string{"bare", "app", "unbound", "elsewhere"} {
		if difference := cmp.Diff(beginsWithout(t, with(dsn, role, "shop", "")), whole.Unbounded(role)); difference != "" {
			t.Errorf("role %s (-its sessions +what is said):\n%s", role, difference)
		}
	}
	if !whole.Configuration || blind.Configuration {
		t.Errorf("a superuser reads the configuration: %t, a monitor: %t", whole.Configuration, blind.Configuration)
	}
	// Whoever may not read the configuration sees what roles and databases say.
	want := []postgres.Timeout{postgres.StatementTimeout, postgres.LockTimeout}
	if difference := cmp.Diff(want, blind.Unbounded("bare")); difference != "" {
		t.Errorf("without the configuration (-want +got):\n%s", difference)
	}
	for _, setting := range blind.Timeouts {
		if setting.Value == "secret" {
			t.Error("a setting that is no timeout was read")
		}
	}
}

// That nothing is set anywhere is known, which is not what was never looked at.
func TestThatNoTimeoutIsSetIsKnown(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	execute(t, dsn, "CREATE ROLE monitor LOGIN IN ROLE pg_monitor", "CREATE ROLE app LOGIN")
	seen := look(t, observe(t, with(dsn, "monitor", "postgres", "")))
	if seen.Timeouts == nil {
		t.Error("that there is none is not told from no look at all")
	}
	if difference := cmp.Diff(postgres.Timeouts(), seen.Unbounded("app")); difference != "" {
		t.Errorf("(-want +got):\n%s", difference)
	}
}

// beginsWithout asks a new session which timeouts it has not.
func beginsWithout(t *testing.T, dsn string) []postgres.Timeout {
	t.Helper()
	conn := open(t, dsn)
	var without []postgres.Timeout
	for _, timeout := range postgres.Timeouts() {
		var value string
		if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", string(timeout)).Scan(&value); err != nil {
			t.Fatal(err)
		}
		if value == "0" {
			without = append(without, timeout)
		}
	}
	return without
}
