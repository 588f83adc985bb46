package postgres_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// What is declared is a limit for all that a release asks for, without a database.
func TestAgainst(t *testing.T) {
	pool := func(size int, field string) postgres.PoolSize {
		return postgres.PoolSize{Connections: size, Known: size > 0, Processes: 1, Field: field}
	}
	colors := func(blue, green int) []postgres.ColorDemand {
		return []postgres.ColorDemand{
			{Color: "blue", Replicas: 3, Surge: 1, Pool: pool(blue, "blue's")},
			{Color: "green", Replicas: 2, Maximum: 3, Surge: 1, Terminating: 2, Pool: pool(green, "green's")},
		}
	}
	for _, test := range []struct {
		name     string
		input    postgres.BudgetInput
		declared int
		exceeds  bool
		sum      string
		pool     int
		changes  []postgres.Change
	}{
		{"it fits to the last one", postgres.BudgetInput{Colors: colors(8, 8)}, 80, false, "blue 3+1 pods × 8 + green 3+1+2 pods × 8 = 80", 8, nil},
		{"one too many", postgres.BudgetInput{Colors: colors(8, 8)}, 79, true, "blue 3+1 pods × 8 + green 3+1+2 pods × 8 = 80", 7,
			[]postgres.Change{{Color: "blue", Field: "blue's", From: 8, To: 7}, {Color: "green", Field: "green's", From: 8, To: 7}}},
		{"one colour alone", postgres.BudgetInput{Colors: colors(4, 500)}, 80, true, "blue 3+1 pods × 4 + green 3+1+2 pods × 500 = 3016", 8,
			[]postgres.Change{{Color: "green", Field: "green's", From: 500, To: 8}}},
		{"one of which nothing is known", postgres.BudgetInput{Colors: colors(8, 0)}, 80, false, "blue 3+1 pods × 8 + green 3+1+2 pods × ? = 32", 8,
			[]postgres.Change{{Color: "green", Field: "green's", To: 8}}},
		{"a job beside them", postgres.BudgetInput{Colors: colors(8, 8), Jobs: []postgres.JobDemand{{Name: "job/migrate", Pods: 2, Pool: pool(5, "")}}},
			89, true, "blue 3+1 pods × 8 + green 3+1+2 pods × 8 + job/migrate 2 × 5 = 90", 7,
			[]postgres.Change{{Color: "blue", Field: "blue's", From: 8, To: 7}, {Color: "green", Field: "green's", From: 8, To: 7}}},
		{"no pool fits", postgres.BudgetInput{Colors: colors(8, 8)}, 9, true, "blue 3+1 pods × 8 + green 3+1+2 pods × 8 = 80", 0, nil},
		{"nothing asks", postgres.BudgetInput{}, 9, false, "0", -1, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			budget := postgres.Plan(test.input)
			got := budget.Against(test.declared)
			if got.Exceeds() != test.exceeds || got.Sum != test.sum || got.Pool != test.pool {
				t.Errorf("got %+v", got)
			}
			if diff := cmp.Diff(test.changes, got.Changes); diff != "" {
				t.Errorf("the changes (-want +got):\n%s", diff)
			}
		})
	}
}

// What the database leaves is the narrowest limit that all are under.
func TestLeft(t *testing.T) {
	input := postgres.BudgetInput{
		Database: "shop", Colors: []postgres.ColorDemand{
			{Color: "blue", Replicas: 1, Role: "old", Pool: postgres.PoolSize{Connections: 5, Known: true}},
			{Color: "green", Replicas: 1, Role: "new", Pool: postgres.PoolSize{Connections: 5, Known: true}},
		},
		Snapshot: postgres.Snapshot{
			SeesSessions: true, Limits: postgres.Limits{MaxConnections: 100},
			Databases: map[string]postgres.DatabaseState{"shop": {Limit: 50, Backends: 4}},
			Roles:     map[string]postgres.RoleLimit{"old": {Limit: 7}, "new": {Limit: postgres.NoLimit}},
			Sessions:  []postgres.Session{{PID: 1, BackendType: "client backend", Database: "shop"}},
		},
	}
	budget := postgres.Plan(input)
	if left := budget.Left(); left.Name != "database shop" || left.Allowed != 39 {
		t.Errorf("left is %+v, want that of the database", left)
	}
	input.Snapshot.Counted = true
	budget = postgres.Plan(input)
	if left := budget.Left(); left.Name != "database shop" || left.Allowed != 40 {
		t.Errorf("left is %+v, want all of the share: whose the sessions are is not known", left)
	}
}
