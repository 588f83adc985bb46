package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func TestSnapshotReadsTheLimitsOfARealServer(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "23", "superuser_reserved_connections": "2"})
	execute(t, dsn, "CREATE DATABASE shop CONNECTION LIMIT 9", "CREATE ROLE app LOGIN CONNECTION LIMIT 7")
	open(t, with(dsn, "app", "shop", "recommendation-green"))

	// The sessions that prepared all this may still be on their way out.
	observer := observe(t, dsn)
	await(t, func() bool { return len(look(t, observer).ClientSessions()) == 2 })
	snapshot := look(t, observer)
	if snapshot.Limits.MaxConnections != 23 || snapshot.Limits.SuperuserReserved != 2 || snapshot.Limits.Ordinary() != 21-snapshot.Limits.Reserved {
		t.Errorf("limits = %+v, want 23 − 2", snapshot.Limits)
	}
	if snapshot.Limits.PendingRestart || snapshot.Limits.Configured != 23 {
		t.Errorf("limits = %+v, want 23 configured and no restart pending", snapshot.Limits)
	}
	if got := snapshot.Databases["shop"]; got.Limit != 9 || got.Backends != 1 {
		t.Errorf("database shop = %+v, want limit 9 and 1 backend", got)
	}
	if got := snapshot.Databases["postgres"].Limit; got != postgres.NoLimit {
		t.Errorf("limit of database postgres = %d, want none", got)
	}
	if got := snapshot.Roles["app"]; got.Limit != 7 || got.Superuser {
		t.Errorf("role app = %+v, want limit 7 of an ordinary role", got)
	}
	if !snapshot.SeesSessions {
		t.Error("the role of the server's owner does not see sessions")
	}
	own := slices.IndexFunc(snapshot.Sessions, func(s postgres.Session) bool { return s.Own })
	if own < 0 || snapshot.Sessions[own].Application != postgres.ApplicationName {
		t.Errorf("own session not found under %s: %+v", postgres.ApplicationName, snapshot.Sessions)
	}
}

func TestSnapshotTellsAPendingRestart(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "20"})
	execute(t, dsn, "ALTER SYSTEM SET max_connections = 200", "SELECT pg_reload_conf()")
	observer := observe(t, dsn)
	await(t, func() bool { return look(t, observer).Limits.PendingRestart })
	if limits := look(t, observer).Limits; limits.MaxConnections != 20 || limits.Configured != 200 {
		t.Errorf("limits = %+v, want 20 live and 200 configured", limits)
	}
}

func TestUnprivilegedObserverSaysThatItCannotSee(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	execute(t, dsn, "CREATE ROLE watcher LOGIN", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor", "CREATE ROLE app LOGIN")
	open(t, with(dsn, "app", "postgres", "recommendation-blue"))

	blind := look(t, observe(t, with(dsn, "watcher", "postgres", "")))
	if blind.SeesSessions {
		t.Error("an unprivileged observer claims to see others' sessions")
	}
	if !slices.ContainsFunc(blind.Sessions, func(s postgres.Session) bool { return s.Hidden }) {
		t.Error("no session is marked hidden from an unprivileged observer")
	}
	seeing := look(t, observe(t, with(dsn, "monitor", "postgres", "")))
	if !seeing.SeesSessions || slices.ContainsFunc(seeing.Sessions, func(s postgres.Session) bool { return s.Hidden }) {
		t.Error("a member of pg_monitor can't see others' sessions")
	}
	budget := postgres.Plan(postgres.BudgetInput{Snapshot: blind, Colors: []postgres.ColorDemand{{
		Color: "blue", Replicas: 1, Pool: postgres.PoolSize{Connections: 1, Known: true, Trust: postgres.TrustDeclared}}}})
	if budget.Outcome != postgres.Unknown {
		t.Errorf("budget of a blind observer = %s, want unknown", budget.Outcome)
	}
}

func TestSnapshotShowsWhoBlocksWhom(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	execute(t, dsn, "CREATE TABLE stock (id int)")
	holder := open(t, with(dsn, "postgres", "postgres", "recommendation-green"))
	mustExec(t, holder, "BEGIN")
	mustExec(t, holder, "LOCK TABLE stock IN ACCESS EXCLUSIVE MODE")
	waiter := open(t, with(dsn, "postgres", "postgres", "recommendation-blue"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = waiter.Exec(ctx, "SELECT * FROM stock")
	}()
	defer func() { cancel(); <-done }()

	observer := observe(t, dsn)
	await(t, func() bool { return len(look(t, observer).Blocked()) > 0 })
	snapshot := look(t, observer)
	blocked := snapshot.Blocked()
	if len(blocked) != 1 || blocked[0].Application != "recommendation-blue" || !slices.Equal(blocked[0].BlockedBy, []int{int(holder.PgConn().PID())}) {
		t.Errorf("blocked = %+v, want blue's session behind pid %d", blocked, holder.PgConn().PID())
	}
	oldest := snapshot.OldestTransactions()
	if len(oldest) != 2 || oldest[0].PID != int(holder.PgConn().PID()) || !oldest[0].IdleInTransaction() {
		t.Errorf("oldest transactions = %+v, want the holder's, idle, first", oldest)
	}
}

func TestObserverReconnects(t *testing.T) {
	server := postgrestest.StartServer(t, nil)
	observer := observe(t, server.DSN)
	look(t, observer)
	server.Stop(t)
	if _, err := observer.Snapshot(t.Context()); err == nil {
		t.Fatal("a stopped server was looked into")
	}
	server.Restart(t)
	look(t, observer)

	// A session ended by somebody else breaks in the middle of the look.
	execute(t, server.DSN, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bluegreen'")
	look(t, observer)
}

func TestObserverKeepsItsSessionThroughTheIncident(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "6", "superuser_reserved_connections": "1", "max_wal_senders": "0"})
	execute(t, dsn, "CREATE ROLE app LOGIN", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor")
	early := observe(t, with(dsn, "monitor", "postgres", ""))
	look(t, early)
	opened, refusal := exhaust(t, with(dsn, "app", "postgres", "shop-green"))
	if postgres.SQLState(refusal) != postgres.SQLStateTooManyConnections {
		t.Fatalf("refused with %v, want SQLSTATE 53300", refusal)
	}
	if snapshot := look(t, early); len(snapshot.ClientSessions()) != opened+1 || snapshot.Fullest(nil).Share() < 1 {
		t.Errorf("usage = %v of %d sessions, want everything used", snapshot.Fullest(nil), len(snapshot.ClientSessions()))
	}
	target := target(t, with(dsn, "monitor", "postgres", ""))
	_, err := postgres.Connect(t.Context(), target, clock.RealClock{})
	var server *pgconn.PgError
	if !errors.Is(err, postgres.ErrTooManyConnections) || errors.Is(err, postgres.ErrRoleLimit) || !errors.As(err, &server) || server.Code != "53300" {
		t.Errorf("a late observer gets %v, want ErrTooManyConnections with its SQLSTATE", err)
	}
}

// Only the limit of the observer's own role concerns nobody else.
func TestARefusalSaysWhetherItIsTheRolesOwn(t *testing.T) {
	dsn := postgrestest.Start(t, nil)
	execute(t, dsn, "CREATE DATABASE shop CONNECTION LIMIT 1", "CREATE ROLE app LOGIN", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor CONNECTION LIMIT 1")
	open(t, with(dsn, "app", "shop", ""))
	open(t, with(dsn, "monitor", "postgres", ""))
	for _, test := range []struct {
		role, database string
		own            bool
	}{{"app", "shop", false}, {"monitor", "postgres", true}} {
		_, err := postgres.Connect(t.Context(), target(t, with(dsn, test.role, test.database, "")), clock.RealClock{})
		if !errors.Is(err, postgres.ErrTooManyConnections) || errors.Is(err, postgres.ErrRoleLimit) != test.own {
			t.Errorf("%s in %s is refused with %v; want it to be the role's own limit: %t", test.role, test.database, err, test.own)
		}
	}
}

func TestNoErrorHoldsThePassword(t *testing.T) {
	const password = "kept-to-itself-7351"
	server := postgrestest.StartServer(t, nil)
	execute(t, server.DSN, "CREATE ROLE app LOGIN PASSWORD '"+password+"'")
	for name, dsn := range map[string]string{
		"no such database":  fmt.Sprintf("postgres://app:%s@127.0.0.1:%d/missing?sslmode=disable", password, server.Port),
		"no such role":      fmt.Sprintf("postgres://nobody-here:%s@127.0.0.1:%d/postgres?sslmode=disable", password, server.Port),
		"secret as role":    fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/postgres?sslmode=disable", password, password, server.Port),
		"nobody listens":    "postgres://app:" + password + "@127.0.0.1:1/postgres?sslmode=disable",
		"no such host":      "postgres://app:" + password + "@nowhere.invalid:5432/postgres?sslmode=disable",
		"not a port":        "postgres://app:" + password + "@127.0.0.1:port/postgres",
		"not a URL":         "postgres://app:" + password + "%zz@127.0.0.1",
		"not even a string": password,
	} {
		t.Run(name, func(t *testing.T) {
			target, err := postgres.NewTarget("main", dsn, release.ViaDirect, nil)
			if err == nil {
				_, err = postgres.Connect(t.Context(), target, clock.RealClock{})
			}
			if err == nil {
				t.Fatal("connected")
			}
			shown := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %q", err, err, err, target, target, struct{ T postgres.Target }{target}, target, chain(err))
			if strings.Contains(shown, password) {
				t.Errorf("the password is in %s", shown)
			}
		})
	}
}

// chain is every error that unwrapping reaches, in all its fields.
func chain(err error) []string {
	var texts []string
	for err != nil {
		texts = append(texts, fmt.Sprintf("%v %+v", err, err))
		if several, ok := err.(interface{ Unwrap() []error }); ok {
			for _, inner := range several.Unwrap() {
				texts = append(texts, chain(inner)...)
			}
		}
		err = errors.Unwrap(err)
	}
	return texts
}

// with is a DSN for a role, a database and an application name.
func with(dsn, role, database, application string) string {
	parsed, err := url.Parse(dsn)
	if err != nil {
		panic(err)
	}
	parsed.User, parsed.Path = url.User(role), "/"+database
	query := parsed.Query()
	if application != "" {
		query.Set("application_name", application)
	}
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

func target(t *testing.T, dsn string) postgres.Target {
	t.Helper()
	target, err := postgres.NewTarget("main", dsn, release.ViaDirect, nil)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func observe(t *testing.T, dsn string) *postgres.Observer {
	t.Helper()
	observer, err := postgres.Connect(t.Context(), target(t, dsn), clock.RealClock{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = observer.Close() })
	return observer
}

func look(t *testing.T, observer *postgres.Observer) postgres.Snapshot {
	t.Helper()
	snapshot, err := observer.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

func open(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// execute runs statements on a connection that is gone from the server when
// it returns.
func execute(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		mustExec(t, conn, statement)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-conn.PgConn().CleanupDone()
}

func mustExec(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// exhaust opens connections until one is refused, and says how many it got.
func exhaust(t *testing.T, dsn string) (opened int, refusal error) {
	t.Helper()
	for {
		conn, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			return opened, err
		}
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
		opened++
	}
}

// await asks until the condition holds; the bound only keeps a hung test from
// hanging the rest.
func await(t *testing.T, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatal("it never came about")
		case <-retry.C:
		}
	}
}
