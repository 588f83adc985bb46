package postgres_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres/postgrestest"
)

// refusal is one way in which PostgreSQL may run out of connections.
type refusal struct {
	name     string
	settings map[string]string
	prepare  []string
	// tightest is the gate of the budget that says so, ceiling what it says.
	tightest string
	ceiling  int
}

// refusals are those of the installed PostgreSQL; one more session of somebody
// else is there in each, and the observer's.
func refusals(t *testing.T) []refusal {
	t.Helper()
	free := []string{"CREATE DATABASE shop", "CREATE ROLE app LOGIN"}
	all := []refusal{
		{"the default reserve", nil, free, "cluster", 20 - 3 - 2},
		{"no reserve", map[string]string{"superuser_reserved_connections": "0"}, free, "cluster", 20 - 2},
		{"a large reserve", map[string]string{"superuser_reserved_connections": "9"}, free, "cluster", 20 - 9 - 2},
		{"the database's limit", nil, []string{"CREATE DATABASE shop CONNECTION LIMIT 6", "CREATE ROLE app LOGIN"}, "database shop", 6 - 1},
		{"the role's limit", nil, []string{"CREATE DATABASE shop", "CREATE ROLE app LOGIN CONNECTION LIMIT 5"}, "role app", 5},
		{"the database's limit under the role's", nil, []string{"CREATE DATABASE shop CONNECTION LIMIT 6", "CREATE ROLE app LOGIN CONNECTION LIMIT 7"}, "database shop", 6 - 1},
		{"limits above the cluster's", nil, []string{"CREATE DATABASE shop CONNECTION LIMIT 60", "CREATE ROLE app LOGIN CONNECTION LIMIT 50"}, "cluster", 20 - 3 - 2},
	}
	if postgrestest.Major(t) >= 16 {
		all = append(all, refusal{"reserved_connections", map[string]string{"reserved_connections": "4"}, free, "cluster", 20 - 3 - 4 - 2})
	}
	return all
}

func TestBudgetIsWherePostgreSQLReallyRefuses(t *testing.T) {
	for _, test := range refusals(t) {
		t.Run(test.name, func(t *testing.T) {
			settings := map[string]string{"max_connections": "20", "superuser_reserved_connections": "3"}
			maps.Copy(settings, test.settings)
			dsn := postgrestest.Start(t, settings)
			execute(t, dsn, append(test.prepare, "CREATE ROLE report LOGIN", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor")...)
			open(t, with(dsn, "report", "shop", "nightly report"))
			open(t, with(dsn, "app", "shop", "shop-blue"))
			budget := plan(look(t, observe(t, with(dsn, "monitor", "postgres", ""))))
			sums := strings.Join(budget.Arithmetic, "\n")
			if budget.Outcome != postgres.Exceeds || budget.Tightest != test.tightest {
				t.Fatalf("outcome %s at %s, want fail at %s:\n%s", budget.Outcome, budget.Tightest, test.tightest, sums)
			}
			opened, refused := exhaust(t, with(dsn, "app", "shop", "shop-green"))
			if postgres.SQLState(refused) != postgres.SQLStateTooManyConnections {
				t.Fatalf("refused with %v, want SQLSTATE 53300", refused)
			}
			// Blue's one session was there before.
			if diff := cmp.Diff([]int{test.ceiling, test.ceiling}, []int{ceiling(budget), opened + 1}); diff != "" {
				t.Errorf("connections after which the budget says that PostgreSQL refuses, and after which it did (-want +got):\n%s\n%s", diff, sums)
			}
		})
	}
}

// plan is the budget of two colours that ask for more than there is.
func plan(snapshot postgres.Snapshot) postgres.Budget {
	pool := postgres.PoolSize{Connections: 20, Known: true, Trust: postgres.TrustConfigured, Field: "deployment/shop env DB_POOL_SIZE"}
	return postgres.Plan(postgres.BudgetInput{Name: "main", Database: "shop", Snapshot: snapshot,
		Colors: []postgres.ColorDemand{
			{Color: "blue", Replicas: 1, Pool: pool, Role: "app"},
			{Color: "green", Replicas: 1, Surge: 1, Pool: pool, Role: "app"},
		},
		Attribution: postgres.Attribute(snapshot, []postgres.Identity{{Color: "blue", Release: "shop"}, {Color: "green", Release: "shop"}})})
}

func ceiling(budget postgres.Budget) int {
	least := budget.Gates[0].Ceiling
	for _, gate := range budget.Gates {
		least = min(least, gate.Ceiling)
	}
	return least
}
