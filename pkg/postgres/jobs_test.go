package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

func jobPool(size int) postgres.PoolSize {
	return postgres.PoolSize{Connections: size, Known: true, Trust: postgres.TrustConfigured, Processes: 1}
}

// What Jobs open is in every sum that it counts against, and their sessions are
// not counted a second time.
func TestPlanOfJobs(t *testing.T) {
	input := incident(4)
	input.Snapshot.Databases["reports"] = postgres.DatabaseState{Limit: postgres.NoLimit}
	input.Snapshot.Databases["shop"] = postgres.DatabaseState{Limit: 50}
	input.Snapshot.Roles["app"], input.Snapshot.Roles["migrator"] = postgres.RoleLimit{Limit: 60}, postgres.RoleLimit{Limit: 15}
	for pid := range 3 {
		input.Snapshot.Sessions = append(input.Snapshot.Sessions, postgres.Session{PID: pid + 200, BackendType: "client backend", Database: "reports", Role: "migrator", Address: "10.0.0.9"})
	}
	identities := []postgres.Identity{{Color: "blue", Release: "shop"}, {Color: "green", Release: "shop"}, {Color: "job/reports", Addresses: []string{"10.0.0.9"}}}
	input.Attribution = postgres.Attribute(input.Snapshot, identities)
	input.Jobs = []postgres.JobDemand{
		{Name: "job/reports", Pods: 3, Pool: jobPool(5), Role: "migrator", Database: "reports"},
		{Name: "cronjob/tidy", Pods: 1, Pool: jobPool(2), Role: "app", Database: "shop", Overlaps: true},
		{Name: "job/anybody", Pods: 1, Pool: jobPool(1)},
	}
	budget := postgres.Plan(input)
	want := []string{
		"cluster: blue 3 × 4 + green 3 × 4 + surge 2 × 4 + job/reports 3 × 5 + cronjob/tidy 1 × 2 + job/anybody 1 × 1 = 50 ≤ 0.8 × (100 − 3) − 4 = 73",
		"database shop: blue 3 × 4 + green 3 × 4 + surge 2 × 4 + cronjob/tidy 1 × 2 + job/anybody 1 × 1 = 35 ≤ 0.8 × 50 − 4 = 36",
		"role app: blue 3 × 4 + green 3 × 4 + surge 2 × 4 + cronjob/tidy 1 × 2 + job/anybody 1 × 1 = 35 ≤ 0.8 × 60 − 0 = 48",
	}
	if diff := cmp.Diff(want, budget.Arithmetic[:3]); diff != "" {
		t.Errorf("arithmetic (-want +got):\n%s", diff)
	}
	if budget.Outcome != postgres.Fits || budget.Jobs[0].Sessions != 3 || budget.Jobs[0].Connections != 15 {
		t.Errorf("outcome %s, jobs %+v: %s", budget.Outcome, budget.Jobs, budget.Summary)
	}
	if warnings := strings.Join(budget.Warnings, "\n"); !strings.Contains(warnings, "cronjob/tidy may run several times at once") {
		t.Errorf("warnings = %s", warnings)
	}
	input.Jobs[0].Pool = jobPool(0)
	if warnings := strings.Join(postgres.Plan(input).Warnings, "\n"); !strings.Contains(warnings, "job/reports holds 3 sessions now, more than the 0 that its pool explains") {
		t.Errorf("warnings = %s", warnings)
	}
	input.Jobs[0].Pool, input.Jobs[0].Pods = jobPool(5), 12
	if got := postgres.Plan(input); got.Outcome != postgres.Exceeds || got.RecommendedPool != 1 {
		t.Errorf("60 connections of a Job beside 32: %s, pool %d; want a failure that leaves one for each pod", got.Outcome, got.RecommendedPool)
	}
}

// A role that Jobs alone log in with may have all of its limit. Where they ask for
// more it is the Job that fails, which warns.
func TestPlanOfJobsWithARoleOfTheirOwn(t *testing.T) {
	for _, test := range []struct {
		limit, held int
		want        postgres.Outcome
	}{
		{2, 0, postgres.Fits}, {1, 0, postgres.Warns}, {2, 1, postgres.Warns}, {postgres.NoLimit, 5, postgres.Fits},
	} {
		input := incident(4)
		input.Snapshot.Roles["migrator"] = postgres.RoleLimit{Limit: test.limit}
		for pid := range test.held {
			input.Snapshot.Sessions = append(input.Snapshot.Sessions, postgres.Session{PID: pid + 200, BackendType: "client backend", Database: "shop", Role: "migrator"})
		}
		input.Attribution = postgres.Attribute(input.Snapshot, nil)
		input.Jobs = []postgres.JobDemand{{Name: "job/migrate", Pods: 1, Pool: jobPool(2), Role: "migrator"}}
		budget := postgres.Plan(input)
		if budget.Outcome != test.want || (test.want == postgres.Warns) != strings.Contains(budget.Summary, "job/migrate may ask for 2 connections as role migrator, which may have") {
			t.Errorf("%+v: %s, %s", test, budget.Outcome, budget.Summary)
		}
		if budget.RecommendedPool < 4 {
			t.Errorf("%+v: a pool of %d is recommended, by what no colour is under", test, budget.RecommendedPool)
		}
	}
}

// The sessions of a Job are others' under the gates that its demand is not in.
func TestSessionsOfJobsUnderOtherGates(t *testing.T) {
	input := incident(4)
	input.Snapshot.Roles["app"] = postgres.RoleLimit{Limit: 60}
	for pid := range 3 {
		input.Snapshot.Sessions = append(input.Snapshot.Sessions, postgres.Session{PID: pid + 200, BackendType: "client backend", Database: "shop", Role: "app", Address: "10.0.0.9"})
	}
	input.Attribution = postgres.Attribute(input.Snapshot, []postgres.Identity{{Color: "job/reports", Addresses: []string{"10.0.0.9"}}})
	input.Jobs = []postgres.JobDemand{{Name: "job/reports", Pods: 1, Pool: jobPool(3)}}
	others := func(role string) map[string]int {
		input.Jobs[0].Role = role
		found := map[string]int{}
		for _, gate := range postgres.Plan(input).Gates {
			found[gate.Name] = gate.Others
		}
		return found
	}
	own, elsewhere := others("app"), others("migrator")
	if own["cluster"] != elsewhere["cluster"] || elsewhere["role app"] != own["role app"]+3 {
		t.Errorf("others are %v, and of a Job that is given as migrator %v", own, elsewhere)
	}
}

// What is not known of Jobs is said, and no sum has a guess of it.
func TestPlanOfJobsThatAreNotKnown(t *testing.T) {
	input := incident(4)
	sum := postgres.Plan(input).Gates[0]
	input.Jobs = []postgres.JobDemand{{Name: "job/migrate", Pods: 2, By: "secret/db key url", Pool: postgres.PoolSize{Provenance: "nothing says"}}}
	budget := postgres.Plan(input)
	if budget.Outcome != postgres.Warns || budget.Gates[0].Demand != sum.Demand || !strings.Contains(budget.Summary, "job/migrate uses the database too (secret/db key url) and is in no sum: nothing says; state it with") {
		t.Errorf("%s, demand %d: %s", budget.Outcome, budget.Gates[0].Demand, budget.Summary)
	}
	input.Jobs, input.JobsUnread = nil, []string{"Jobs and CronJobs are in no sum: forbidden"}
	if budget = postgres.Plan(input); budget.Outcome != postgres.Warns || !strings.Contains(budget.Summary, "forbidden") {
		t.Errorf("%s: %s", budget.Outcome, budget.Summary)
	}
	input.Jobs, input.JobsUnread = []postgres.JobDemand{{Name: "job/one", Pods: 1, Pool: postgres.PoolSize{Connections: 1, Known: true, Trust: postgres.TrustAssumed}}}, nil
	if budget = postgres.Plan(input); budget.Outcome != postgres.Warns {
		t.Errorf("a library's default: %s, want warn", budget.Outcome)
	}
	broken := incident(20)
	broken.JobsUnread = []string{"forbidden"}
	if budget = postgres.Plan(broken); budget.Outcome != postgres.Exceeds {
		t.Errorf("what is broken already: %s, want fail", budget.Outcome)
	}
}

// A Job that goes through the pooler is one of its clients, and a role of its own
// makes one more pool; one that goes past it counts at PostgreSQL.
func TestPlanOfJobsBehindAPooler(t *testing.T) {
	config := postgres.NewPoolerConfig()
	config.Databases = []postgres.PoolerDatabase{postgres.AnyPoolerDatabase()}
	demand := func(jobs ...postgres.JobDemand) (server, clients int) {
		input := incident(4)
		input.Pooler = &postgres.Pooler{Name: "deployment/pgbouncer", Instances: 1, Peak: 1, Addresses: []string{"10.0.0.1"}, Config: config, Counted: true}
		for i := range input.Colors {
			input.Colors[i].Pool.Database = "shop"
		}
		input.Jobs = jobs
		for _, gate := range postgres.Plan(input).Gates {
			switch gate.Name {
			case "cluster":
				server = gate.Demand
			case "clients of deployment/pgbouncer":
				clients = gate.Demand
			}
		}
		return server, clients
	}
	server, clients := demand()
	for name, test := range map[string]struct {
		job             postgres.JobDemand
		server, clients int
	}{
		"as the colours do":   {postgres.JobDemand{Name: "job/a", Pods: 2, Pool: jobPool(3), Role: "app", Database: "shop"}, 0, 6},
		"with a role its own": {postgres.JobDemand{Name: "job/a", Pods: 2, Pool: jobPool(3), Role: "batch", Database: "shop"}, 20, 6},
		"past it":             {postgres.JobDemand{Name: "job/a", Pods: 2, Pool: jobPool(3), Role: "app", Direct: true}, 6, 0},
	} {
		if gotServer, gotClients := demand(test.job); gotServer-server != test.server || gotClients-clients != test.clients {
			t.Errorf("%s: %d more at PostgreSQL and %d more clients, want %d and %d", name, gotServer-server, gotClients-clients, test.server, test.clients)
		}
	}
}
