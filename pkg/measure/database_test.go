package measure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// noPods leaves application_name and role to tell sessions by.
type noPods struct{}

func (noPods) pods(context.Context, string) ([]corev1.Pod, error) { return nil, nil }

// watched is a source over a session, with a clock that makes each reading a
// new look.
func watched(session snapshotter) (*database, *clocktesting.FakeClock) {
	fake := clocktesting.NewFakeClock(start)
	source := newDatabase(release.Database{Name: "main"}, session, "postgres main", testColors(), fake)
	source.finder = noPods{}
	return source, fake
}

// login opens a session of an application.
func login(t *testing.T, dsn, application string) (*pgx.Conn, error) {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = application
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	}
	return conn, err
}

func mustLogin(t *testing.T, dsn, application string) *pgx.Conn {
	t.Helper()
	conn, err := login(t, dsn, application)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func run(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func observe(t *testing.T, dsn string) *postgres.Observer {
	t.Helper()
	target, err := postgres.NewTarget("main", dsn, release.ViaDirect, nil)
	if err != nil {
		t.Fatal(err)
	}
	observer := postgres.NewObserver(target, clock.RealClock{})
	t.Cleanup(func() { _ = observer.Close() })
	return observer
}

func TestLocksAndTransactionsOfAColour(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "20"})
	source, clock := watched(observe(t, dsn))
	read := func(signal Signal, color string) Reading {
		clock.Step(time.Second)
		return source.Read(t.Context(), Query{Signal: signal, Color: color, Database: "main"})
	}
	green, blue := mustLogin(t, dsn, "shop-green"), mustLogin(t, dsn, "shop-blue")
	mustLogin(t, dsn, "psql")
	run(t, blue, "create table stock (id int primary key, amount int); insert into stock values (1, 1)")

	for _, color := range []string{"green", "blue"} {
		if got := read(DatabaseSessions, color); got.State != OK || got.Value != 1 ||
			got.Detail != "sessions of "+color+": 1 by application_name; 1 sessions are of no known colour" {
			t.Errorf("%+v", got)
		}
		if got := read(BlockedSessions, color); got.State != OK || got.Value != 0 {
			t.Errorf("healthy: %+v", got)
		}
		if got := read(OldestTransaction, color); got.State != OK || got.Value != 0 {
			t.Errorf("healthy: %+v", got)
		}
	}

	run(t, green, "begin; update stock set amount = 2 where id = 1")
	waits := make(chan error, 1)
	go func() {
		_, err := blue.Exec(t.Context(), "update stock set amount = 3 where id = 1")
		waits <- err
	}()
	deadline, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	got := read(BlockedSessions, "green")
	for got.Value == 0 && deadline.Err() == nil {
		got = read(BlockedSessions, "green")
	}
	if got.State != OK || got.Value != 1 || !strings.Contains(got.Detail, "(shop-blue)") || !strings.Contains(got.Detail, "waits for a lock of pid") {
		t.Errorf("blue waits for green: %+v", got)
	}
	if got := read(BlockedSessions, "blue"); got.Value != 0 {
		t.Errorf("nobody waits for blue: %+v", got)
	}
	if got := read(OldestTransaction, "green"); got.State != OK || got.Value < 1 || !strings.Contains(got.Detail, "idle in transaction") {
		t.Errorf("green holds a transaction: %+v", got)
	}
	run(t, green, "rollback")
	if err := <-waits; err != nil {
		t.Error(err)
	}
}

func TestConnectionsUntilPostgreSQLRefuses(t *testing.T) {
	dsn := postgrestest.Start(t, map[string]string{"max_connections": "12", "superuser_reserved_connections": "2"})
	owner := mustLogin(t, dsn, "owner")
	run(t, owner, "create role app login; grant pg_monitor to app")
	app := strings.Replace(dsn, "postgres@", "app@", 1)
	if app == dsn {
		app = dsn + " user=app"
	}
	keeps, keepsClock := watched(observe(t, app))
	query := Query{Signal: DatabaseConnections, Database: "main"}
	// The session that found the server ready may still be on its way out.
	settled, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	before := keeps.Read(t.Context(), query)
	for before.Value != 0.2 && settled.Err() == nil {
		keepsClock.Step(time.Second)
		before = keeps.Read(t.Context(), query)
	}
	if before.State != OK || before.Value != 0.2 || before.Detail != "2 of 10 connections" {
		t.Errorf("%+v, want owner and observer of ten", before)
	}
	var refusal error
	for refusal == nil {
		_, refusal = login(t, app, "shop-green")
	}
	keepsClock.Step(time.Second)
	if got := keeps.Read(t.Context(), query); got.State != OK || got.Value < 1 {
		t.Errorf("through the session that was kept: %+v, want all taken", got)
	}
	late, _ := watched(observe(t, app))
	got := late.Read(t.Context(), query)
	if got.State != OK || got.Value != 1 || !strings.Contains(got.Detail, "53300") {
		t.Errorf("refused: %+v, want 1 for SQLSTATE 53300", got)
	}
	if got := late.Read(t.Context(), Query{Signal: BlockedSessions, Color: "green", Database: "main"}); got.State != NoData {
		t.Errorf("what is not seen is not known: %+v", got)
	}
}

func TestDatabaseDown(t *testing.T) {
	server := postgrestest.StartServer(t, nil)
	source, clock := watched(observe(t, server.DSN))
	query := Query{Signal: DatabaseConnections, Database: "main"}
	if got := source.Read(t.Context(), query); got.State != OK {
		t.Fatalf("%+v", got)
	}
	server.Stop(t)
	clock.Step(time.Second)
	if got := source.Read(t.Context(), query); got.State != SourceDown {
		t.Errorf("stopped: %+v", got)
	}
}

// told answers with a snapshot that a test wrote.
type told struct {
	snapshot postgres.Snapshot
	err      error
	looks    int
}

func (s *told) Snapshot(context.Context) (postgres.Snapshot, error) {
	s.looks++
	return s.snapshot, s.err
}
func (s *told) Close() error { return nil }

func backend(pid int, application string) postgres.Session {
	return postgres.Session{PID: pid, Application: application, BackendType: "client backend", Database: "shop", Role: "app"}
}

func TestSessionsThatNobodyKnows(t *testing.T) {
	session := &told{snapshot: postgres.Snapshot{SeesSessions: true, Limits: postgres.Limits{MaxConnections: 10},
		Sessions: []postgres.Session{backend(1, "psql"), backend(2, "")}}}
	source, clock := watched(session)
	query := Query{Signal: BlockedSessions, Color: "green", Database: "main"}
	if got := source.Read(t.Context(), query); got.State != NoData || !strings.Contains(got.Detail, "no session can be attributed to green") {
		t.Errorf("%+v", got)
	}
	clock.Step(time.Second)
	session.snapshot.SeesSessions = false
	if got := source.Read(t.Context(), query); got.State != NoData || !strings.Contains(got.Detail, "grant it pg_monitor") {
		t.Errorf("%+v", got)
	}
	clock.Step(time.Second)
	session.err = errors.New("look into database main: no answer in time")
	if got := source.Read(t.Context(), query); got.State != SourceDown {
		t.Errorf("%+v", got)
	}
	before := session.looks
	source.Read(t.Context(), Query{Signal: DatabaseConnections, Database: "main"})
	if session.looks != before {
		t.Error("the queries of one tick must share a look")
	}
}

func TestQueuesLeadToTheirHead(t *testing.T) {
	waiting := func(session postgres.Session, age time.Duration, behind ...int) postgres.Session {
		session.WaitingForLock, session.BlockedBy, session.StateAge = true, behind, age
		return session
	}
	green, blue := backend(1, "shop-green"), backend(2, "shop-blue")
	for _, test := range []struct {
		name     string
		sessions []postgres.Session
		want     float64
	}{
		{"directly", []postgres.Session{green, waiting(blue, time.Minute, 1)}, 1},
		{"behind another that waits", []postgres.Session{green, waiting(blue, time.Minute, 1), waiting(backend(3, "shop-blue"), time.Minute, 2)}, 2},
		{"healthy contention", []postgres.Session{green, waiting(blue, 10*time.Millisecond, 1)}, 0},
		{"behind green that waits for blue", []postgres.Session{waiting(green, time.Minute, 2), blue, waiting(backend(3, "shop-blue"), time.Minute, 1)}, 0},
		{"a ring", []postgres.Session{waiting(backend(3, ""), time.Minute, 4), waiting(backend(4, ""), time.Minute, 3), green}, 0},
		{"behind a prepared transaction", []postgres.Session{green, waiting(blue, time.Minute, 0)}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			source, _ := watched(&told{snapshot: postgres.Snapshot{SeesSessions: true, Sessions: test.sessions}})
			if got := source.Read(t.Context(), Query{Signal: BlockedSessions, Color: "green", Database: "main"}); got.Value != test.want {
				t.Errorf("%+v, want %v", got, test.want)
			}
		})
	}
}

func TestTheTightestLimitCounts(t *testing.T) {
	limits := postgres.Limits{MaxConnections: 103, SuperuserReserved: 3}
	sessions := []postgres.Session{backend(1, "shop-green"), backend(2, "shop-green"), backend(3, ""), backend(4, "")}
	exporter := backend(5, "postgres_exporter")
	exporter.Role = "exporter"
	for _, test := range []struct {
		name     string
		snapshot postgres.Snapshot
		value    float64
		detail   string
	}{
		{"the server's", postgres.Snapshot{SeesSessions: true}, 0.04, "4 of 100 connections"},
		{"the database's", postgres.Snapshot{SeesSessions: true, Database: "shop", Databases: map[string]postgres.DatabaseState{"shop": {Limit: 5, Backends: 4}}}, 0.8, "4 of 5 connections that database shop may have"},
		{"the role's", postgres.Snapshot{SeesSessions: true, Roles: map[string]postgres.RoleLimit{"app": {Limit: 4}}}, 1, "4 of 4 connections that role app may have"},
		{"that of a role which no colour uses", postgres.Snapshot{SeesSessions: true, Sessions: []postgres.Session{exporter},
			Roles: map[string]postgres.RoleLimit{"exporter": {Limit: 1}}}, 0.05, "5 of 100 connections"},
		{"without the right to see", postgres.Snapshot{Databases: map[string]postgres.DatabaseState{"shop": {Limit: -1, Backends: 50}}}, 0.5,
			"50 of 100 connections, by pg_stat_database, for the role may not see sessions"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.snapshot.Limits, test.snapshot.Sessions = limits, append(test.snapshot.Sessions, sessions...)
			source, _ := watched(&told{snapshot: test.snapshot})
			got := source.Read(t.Context(), Query{Signal: DatabaseConnections, Database: "main"})
			if fmt.Sprintf("%.3f", got.Value) != fmt.Sprintf("%.3f", test.value) || got.Detail != test.detail {
				t.Errorf("%+v, want %v: %s", got, test.value, test.detail)
			}
		})
	}
}

// onePod is a pod of green, and of no other colour.
type onePod struct{}

func (onePod) pods(_ context.Context, color string) ([]corev1.Pod, error) {
	if color != "green" {
		return nil, nil
	}
	return []corev1.Pod{{Status: corev1.PodStatus{PodIPs: []corev1.PodIP{{IP: "10.0.0.1"}, {IP: "fd00::1"}}}}}, nil
}

// What another team leaves open rolls nothing back.
func TestTransactionsOfAnotherServiceAreNotTheColours(t *testing.T) {
	at := func(session postgres.Session, address string, age time.Duration) postgres.Session {
		session.Address, session.TransactionAge = address, age
		return session
	}
	session := &told{snapshot: postgres.Snapshot{SeesSessions: true, Sessions: []postgres.Session{
		at(backend(1, ""), "10.0.0.1", time.Second), at(backend(2, ""), "fd00::1", 2*time.Second),
		at(backend(3, "cart-green"), "10.0.9.1", time.Hour), at(backend(4, "shop-green"), "10.0.9.2", 3*time.Second)}}}
	for pooled, want := range map[bool]float64{false: 2, true: 3} {
		source, _ := watched(session)
		source.finder, source.pooled = onePod{}, pooled
		if got := source.Read(t.Context(), Query{Signal: OldestTransaction, Color: "green", Database: "main"}); got.State != OK || got.Value != want {
			t.Errorf("pooled %t: %+v, want %v s", pooled, got, want)
		}
	}
}

// sparePods are one that runs, one that was evicted and one of a Job.
type sparePods struct{}

func (sparePods) pods(_ context.Context, color string) ([]corev1.Pod, error) {
	if color != "green" {
		return []corev1.Pod{{Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.0.0.2"}}}}}, nil
	}
	job := corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.0.0.3"}}}}
	job.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Name: "migrate", Controller: ptr.To(true)}}
	return []corev1.Pod{
		{Status: corev1.PodStatus{Phase: corev1.PodRunning, PodIPs: []corev1.PodIP{{IP: "10.0.0.1"}}}},
		{Status: corev1.PodStatus{Phase: corev1.PodFailed, PodIPs: []corev1.PodIP{{IP: "10.0.0.2"}}}}, job,
	}, nil
}

// The address of a pod that was evicted is another's by now, and a Job's sessions are
// not the colour's.
func TestSessionsOfPodsThatAreNotTheColours(t *testing.T) {
	at := func(pid int, address string) postgres.Session {
		session := backend(pid, "")
		session.Address = address
		return session
	}
	source, _ := watched(&told{snapshot: postgres.Snapshot{SeesSessions: true, Sessions: []postgres.Session{at(1, "10.0.0.1"), at(2, "10.0.0.2"), at(3, "10.0.0.3")}}})
	source.finder = sparePods{}
	for _, color := range []string{"blue", "green"} {
		if got := source.Read(t.Context(), Query{Signal: DatabaseSessions, Color: color, Database: "main"}); got.State != OK || got.Value != 1 {
			t.Errorf("%+v, want one session of %s", got, color)
		}
	}
}

// A colour that its role's limit keeps out has no session left to tell the
// role by; the role is remembered.
func TestTheColoursRolesAreRemembered(t *testing.T) {
	session := &told{snapshot: postgres.Snapshot{SeesSessions: true, Limits: postgres.Limits{MaxConnections: 100},
		Roles: map[string]postgres.RoleLimit{"app": {Limit: 2}}, Sessions: []postgres.Session{backend(1, "shop-green"), backend(2, "psql")}}}
	source, clock := watched(session)
	query := Query{Signal: DatabaseConnections, Database: "main"}
	for range 2 {
		if got := source.Read(t.Context(), query); got.Value != 1 || got.Detail != "2 of 2 connections that role app may have" {
			t.Errorf("%+v, want the limit of role app", got)
		}
		session.snapshot.Sessions = []postgres.Session{backend(2, "psql"), backend(3, "psql")}
		clock.Step(time.Second)
	}
}

// brokenPods are those of a cluster that doesn't answer.
type brokenPods struct{}

func (brokenPods) pods(context.Context, string) ([]corev1.Pod, error) {
	return nil, errors.New("list pods in shop: no answer")
}

func TestConnectionsAreCountedWithoutTheCluster(t *testing.T) {
	source, _ := watched(&told{snapshot: postgres.Snapshot{SeesSessions: true, Limits: postgres.Limits{MaxConnections: 4},
		Sessions: []postgres.Session{backend(1, "shop-green")}}})
	source.finder = brokenPods{}
	got := source.Read(t.Context(), Query{Signal: DatabaseConnections, Database: "main"})
	if got.State != OK || got.Value != 0.25 || got.Detail != "1 of 4 connections; the limits of the colours' roles are left out: list pods in shop: no answer" {
		t.Errorf("%+v, want the cluster's limit, and what is left out", got)
	}
}

// The observer's own CONNECTION LIMIT keeps nobody else out: the source is
// down. Where the colours log in with that very role it is the incident.
func TestARefusalByTheObserversOwnLimit(t *testing.T) {
	for _, test := range []struct {
		name, application string
		want              State
		says              string
	}{
		{"the observer's alone", "psql", SourceDown, "CONNECTION LIMIT"},
		{"the colours' too", "shop-green", OK, "53300"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dsn := postgrestest.Start(t, nil)
			run(t, mustLogin(t, dsn, "owner"), "create role monitor login in role pg_monitor connection limit 2")
			monitor := strings.Replace(dsn, "postgres@", "monitor@", 1)
			if monitor == dsn {
				monitor = dsn + " user=monitor"
			}
			observer := observe(t, monitor)
			source, clock := watched(observer)
			query := Query{Signal: DatabaseConnections, Database: "main"}
			mustLogin(t, monitor, test.application)
			if got := source.Read(t.Context(), query); got.State != OK {
				t.Fatalf("%+v", got)
			}
			// The session is lost, and somebody takes its place.
			if err := observer.Close(); err != nil {
				t.Fatal(err)
			}
			taken, stop := context.WithTimeout(t.Context(), 30*time.Second)
			defer stop()
			for refusal := errors.New(""); refusal != nil && taken.Err() == nil; {
				_, refusal = login(t, monitor, "psql")
			}
			clock.Step(time.Second)
			got := source.Read(t.Context(), query)
			if got.State != test.want || !strings.Contains(got.Detail, test.says) {
				t.Errorf("%+v, want %s that says %q", got, test.want, test.says)
			}
			if test.want == OK && got.Value != 1 {
				t.Errorf("%+v, want every connection taken", got)
			}
			if got := source.Read(t.Context(), Query{Signal: BlockedSessions, Color: "green", Database: "main"}); got.State == OK {
				t.Errorf("what is not seen is known: %+v", got)
			}
		})
	}
}
