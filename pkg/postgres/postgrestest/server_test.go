package postgrestest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
)

func TestStartRefusesTheConnectionPastItsLimit(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{
		"max_connections":                "5",
		"superuser_reserved_connections": "0",
		"max_wal_senders":                "0",
		"cluster_name":                   "it's a test",
	})
	first := connect(t, dsn)
	var name string
	if err := first.QueryRow(t.Context(), "SHOW cluster_name").Scan(&name); err != nil || name != "it's a test" {
		t.Fatalf("cluster_name = %q, %v; want the test's setting", name, err)
	}
	awaitSessions(t, first, 1)
	for range 4 {
		connect(t, dsn)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err == nil {
		conn.Close(t.Context())
		t.Fatal("the sixth of five connections was accepted")
	}
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) || refusal.Code != "53300" {
		t.Fatalf("the sixth connection failed with %v, want SQLSTATE 53300", err)
	}
}

func TestStopRefusesAndRestartKeepsData(t *testing.T) {
	server := postgrestest.StartServer(t, nil)
	if _, err := connect(t, server.DSN).Exec(t.Context(), "CREATE TABLE kept (id int)"); err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	if conn, err := pgx.Connect(t.Context(), server.DSN); err == nil {
		conn.Close(t.Context())
		t.Fatal("a stopped server accepted a connection")
	}
	server.Restart(t)
	if _, err := connect(t, server.DSN).Exec(t.Context(), "SELECT id FROM kept"); err != nil {
		t.Fatal(err)
	}
}

// awaitSessions waits until that many sessions are left: the server goes on to
// count one for a moment after its client has closed it.
func awaitSessions(t *testing.T, conn *pgx.Conn, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		var count int
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'").Scan(&count); err != nil {
			t.Fatalf("wait for %d sessions, %d are there: %v", want, count, err)
		}
		if count == want {
			return
		}
	}
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func TestStartLeavesNoSession(t *testing.T) {
	for range 5 {
		conn, err := pgx.Connect(t.Context(), postgrestest.Start(t, nil))
		if err != nil {
			t.Fatal(err)
		}
		var others int
		query := "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
		if err := conn.QueryRow(t.Context(), query).Scan(&others); err != nil || others != 0 {
			t.Errorf("%d other sessions, %v; want none", others, err)
		}
		conn.Close(t.Context())
	}
}
