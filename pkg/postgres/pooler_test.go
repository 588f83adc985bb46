package postgres_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
)

// The figures of the budget are those at which a real PgBouncer stops opening
// sessions, refuses clients, and drives PostgreSQL to refuse it.
func TestBudgetIsWhatAPgBouncerReallyOpens(t *testing.T) {
	for _, test := range []struct {
		name      string
		databases string
		settings  []string
		roles     []string
		opens     int
	}{
		{"the default pool", "main = host=127.0.0.1 port={port} dbname=shop", []string{"default_pool_size = 4"}, []string{"app"}, 4},
		{"the entry's own pool", "main = host=127.0.0.1 port={port} dbname=shop pool_size=3", []string{"default_pool_size = 9"}, []string{"app"}, 3},
		{"a reserve", "main = host=127.0.0.1 port={port} dbname=shop", []string{"default_pool_size = 4", "reserve_pool_size = 2", "reserve_pool_timeout = 0.1"}, []string{"app"}, 6},
		{"a pool for each user", "main = host=127.0.0.1 port={port} dbname=shop", []string{"default_pool_size = 4"}, []string{"app", "next"}, 8},
		{"one role for all users", "main = host=127.0.0.1 port={port} dbname=shop user=app", []string{"default_pool_size = 4"}, []string{"app", "next"}, 4},
		{"max_db_connections", "* = host=127.0.0.1 port={port} dbname=shop", []string{"default_pool_size = 4", "max_db_connections = 5"}, []string{"app", "next"}, 5},
		{"max_user_connections", "main = host=127.0.0.1 port={port} dbname=shop", []string{"default_pool_size = 4", "max_user_connections = 3"}, []string{"app", "next"}, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := postgrestest.StartServer(t, map[string]string{"max_connections": "60"})
			execute(t, server.DSN, "CREATE DATABASE shop", "CREATE ROLE app LOGIN", "CREATE ROLE next LOGIN")
			settings := slices.Concat(test.settings, []string{"pool_mode = transaction", "max_client_conn = 40"})
			console := server.StartPgBouncer(t, test.roles, []string{test.databases}, settings)
			open(t, with(console, "app", "main", "")) // an entry * is told once somebody has asked for one
			observer, pooler := observe(t, server.DSN), read(t, console)
			budget := pooled(look(t, observer), pooler, test.roles)
			if got := gate(t, budget, "cluster").Demand; got != test.opens {
				t.Errorf("the budget says that PgBouncer may open %d, want %d:\n%s", got, test.opens, strings.Join(budget.Arithmetic, "\n"))
			}
			for _, role := range test.roles {
				for range test.opens + 3 {
					work(t, with(console, role, "main", ""))
				}
			}
			sessions := func() int { return look(t, observer).Databases["shop"].Backends }
			await(t, func() bool { return sessions() >= test.opens })
			// Every pool is asked for more than it may have; it stays.
			for range 20 {
				if got := sessions(); got != test.opens {
					t.Fatalf("PgBouncer opened %d sessions, want %d", got, test.opens)
				}
			}
			ini, err := postgres.ParsePgBouncer("[databases]\n" + test.databases + "\n[pgbouncer]\n" + strings.Join(settings, "\n"))
			if err != nil {
				t.Fatal(err)
			}
			pooler.Config = ini
			if got := gate(t, pooled(look(t, observer), pooler, test.roles), "cluster").Demand; got != test.opens {
				t.Errorf("by its file it may open %d, by its console %d", got, test.opens)
			}
		})
	}
}

func TestBudgetIsWhereAPgBouncerReallyRefusesClients(t *testing.T) {
	server := postgrestest.StartServer(t, nil)
	execute(t, server.DSN, "CREATE DATABASE shop", "CREATE ROLE app LOGIN")
	console := server.StartPgBouncer(t, []string{"app"}, []string{"main = host=127.0.0.1 port={port} dbname=shop"}, []string{"max_client_conn = 12", "pool_mode = transaction"})
	for range 3 { // somebody else's
		open(t, with(console, "app", "main", ""))
	}
	budget := pooled(look(t, observe(t, server.DSN)), read(t, console), []string{"app"})
	refuses := gate(t, budget, "clients of deployment/pgbouncer")
	opened, refused := exhaust(t, with(console, "app", "main", ""))
	if diff := cmp.Diff([]int{9, 9}, []int{refuses.Ceiling, opened}); diff != "" {
		t.Errorf("clients after which the budget says that it refuses, and after which it did (-want +got):\n%s", diff)
	}
	if !strings.Contains(refused.Error(), "max_client_conn") {
		t.Errorf("refused with %v, want max_client_conn", refused)
	}
}

// A role's limit under the pooler's pool is where PostgreSQL refuses the pooler.
func TestBudgetIsWherePostgreSQLRefusesAPgBouncer(t *testing.T) {
	server := postgrestest.StartServer(t, nil)
	execute(t, server.DSN, "CREATE DATABASE shop", "CREATE ROLE app LOGIN CONNECTION LIMIT 4")
	console := server.StartPgBouncer(t, []string{"app"}, []string{"main = host=127.0.0.1 port={port} dbname=shop"}, []string{"default_pool_size = 10", "pool_mode = transaction"})
	open(t, with(server.DSN, "app", "shop", "a report beside it"))
	pooler := read(t, console)
	pooler.Addresses = []string{"10.0.0.9"}
	observer := observe(t, server.DSN)
	budget := pooled(look(t, observer), pooler, []string{"app"})
	if budget.Outcome != postgres.Exceeds || budget.Tightest != "role app" {
		t.Fatalf("outcome %s at %s, want fail at role app:\n%s", budget.Outcome, budget.Tightest, strings.Join(budget.Arithmetic, "\n"))
	}
	for range 8 {
		work(t, with(console, "app", "main", ""))
	}
	backends := func() int { return look(t, observer).Databases["shop"].Backends }
	await(t, func() bool { return backends() >= 4 })
	if role := gate(t, budget, "role app"); role.Ceiling != 3 || backends()-1 != role.Ceiling {
		t.Errorf("the budget says that PostgreSQL refuses the pooler after %d, it did after %d", role.Ceiling, backends()-1)
	}
}

// read is a pooler of one instance as its console tells it.
func read(t *testing.T, console string) *postgres.Pooler {
	t.Helper()
	config, clients, err := postgres.ReadPooler(t.Context(), target(t, console))
	if err != nil {
		t.Fatal(err)
	}
	return &postgres.Pooler{Name: "deployment/pgbouncer", Instances: 1, Peak: 1, Config: config, Clients: clients, Counted: true}
}

// pooled is the budget of two colours that log in with the roles, behind it.
func pooled(snapshot postgres.Snapshot, pooler *postgres.Pooler, roles []string) postgres.Budget {
	input := postgres.BudgetInput{Name: "main", Database: "shop", Snapshot: snapshot, Pooler: pooler}
	for i, color := range []string{"blue", "green"} {
		input.Colors = append(input.Colors, postgres.ColorDemand{Color: color, Replicas: 2, Role: roles[min(i, len(roles)-1)],
			Pool: postgres.PoolSize{Connections: 5, Known: true, Trust: postgres.TrustConfigured, Database: "main"}})
	}
	return postgres.Plan(input)
}

func gate(t *testing.T, budget postgres.Budget, name string) postgres.Gate {
	t.Helper()
	for _, gate := range budget.Gates {
		if gate.Name == name {
			return gate
		}
	}
	t.Fatalf("no gate %s in %+v", name, budget.Gates)
	return postgres.Gate{}
}

// work keeps a transaction open through a pooler, or waits for its turn, until
// the test ends.
func work(t *testing.T, dsn string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		config, err := pgx.ParseConfig(dsn)
		if err != nil {
			return
		}
		config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return // it is refused: the test counts those that are not
		}
		_, _ = conn.Exec(ctx, "SELECT pg_sleep(600)")
		_ = conn.Close(context.WithoutCancel(ctx))
	}()
	t.Cleanup(func() { cancel(); <-done })
}
