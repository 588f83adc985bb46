package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

// incident is the first runbook's: two colours of three pods with pools of
// twenty on a server with max_connections = 100, of which four sessions are
// somebody else's.
func incident(pool int) postgres.BudgetInput {
	input := postgres.BudgetInput{Release: "recommendation", Namespace: "shop", Name: "main", Database: "shop",
		Snapshot: postgres.Snapshot{SeesSessions: true, Version: 150004,
			Limits:    postgres.Limits{MaxConnections: 100, SuperuserReserved: 3},
			Databases: map[string]postgres.DatabaseState{"shop": {Limit: postgres.NoLimit}},
			Roles:     map[string]postgres.RoleLimit{"app": {Limit: postgres.NoLimit}}}}
	for pid := range 4 {
		input.Snapshot.Sessions = append(input.Snapshot.Sessions, postgres.Session{PID: pid + 1, BackendType: "client backend", Database: "shop"})
	}
	for pid := range 12 {
		session := postgres.Session{PID: pid + 100, BackendType: "client backend", Database: "shop", Role: "app", Application: "shop-blue"}
		input.Snapshot.Sessions = append(input.Snapshot.Sessions, session)
	}
	for _, color := range []string{"blue", "green"} {
		input.Colors = append(input.Colors, postgres.ColorDemand{Color: color, Replicas: 3, Surge: 1, Role: "app",
			Pool: postgres.PoolSize{Connections: pool, Known: true, Trust: postgres.TrustConfigured, Processes: 1,
				Field: "deployment/recommendation-" + color + " env DB_POOL_SIZE"}})
	}
	input.Attribution = postgres.Attribute(input.Snapshot, []postgres.Identity{{Color: "blue", Release: "shop"}, {Color: "green", Release: "shop"}})
	return input
}

func TestPlanOfTheIncident(t *testing.T) {
	budget := postgres.Plan(incident(20))
	if budget.Outcome != postgres.Exceeds || budget.RecommendedPool != 9 || budget.Tightest != "cluster" {
		t.Errorf("outcome %s, pool %d at %s; want fail, 9 at cluster", budget.Outcome, budget.RecommendedPool, budget.Tightest)
	}
	want := []string{
		"cluster: blue 3 × 20 + green 3 × 20 + surge 2 × 20 = 160 > 0.8 × (100 − 3) − 4 = 73",
		"PostgreSQL itself refuses (SQLSTATE 53300) after 97 − 4 = 93 connections of the release (cluster)",
	}
	if diff := cmp.Diff(want, budget.Arithmetic); diff != "" {
		t.Errorf("arithmetic (-want +got):\n%s", diff)
	}
	changes := []postgres.Change{
		{Color: "blue", Field: "deployment/recommendation-blue env DB_POOL_SIZE", From: 20, To: 9},
		{Color: "green", Field: "deployment/recommendation-green env DB_POOL_SIZE", From: 20, To: 9},
	}
	if diff := cmp.Diff(changes, budget.Changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if after := postgres.Plan(incident(9)); after.Outcome != postgres.Fits || len(after.Changes) > 0 {
		t.Errorf("following the advice gives %s: %s", after.Outcome, after.Summary)
	}
	raised := incident(20)
	raised.Snapshot.Limits.MaxConnections = budget.RequiredConnections
	if after := postgres.Plan(raised); after.Outcome != postgres.Fits {
		t.Errorf("max_connections = %d gives %s: %s", budget.RequiredConnections, after.Outcome, after.Summary)
	}
	raised.Snapshot.Limits.MaxConnections--
	if after := postgres.Plan(raised); after.Outcome != postgres.Exceeds {
		t.Errorf("max_connections = %d is not the least that fits", budget.RequiredConnections)
	}
}

// What the Release declares is one more limit. Where it is judged apart, it bounds the
// pool that is recommended, and so do the others where it is the one that is judged.
func TestPlanOfWhatIsDeclared(t *testing.T) {
	input := incident(20)
	input.Declared = 40
	budget := postgres.Plan(input)
	if budget.Outcome != postgres.Exceeds || budget.RecommendedPool != 5 || budget.Tightest != "declared" || budget.Changes[0].To != 5 {
		t.Errorf("outcome %s, pool %d at %s; want fail, 5 at declared", budget.Outcome, budget.RecommendedPool, budget.Tightest)
	}
	want := "declared: blue 3 × 20 + green 3 × 20 + surge 2 × 20 = 160 > 40"
	if got := budget.Arithmetic[len(budget.Arithmetic)-2]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	input = incident(9)
	input.Declared, input.Apart = 40, true
	budget = postgres.Plan(input)
	if want := "72 connections at the peak fit in 73 (cluster); up to 5 per pod would"; budget.Outcome != postgres.Fits || budget.Summary != want {
		t.Errorf("apart: %s, %s\nwant %s", budget.Outcome, budget.Summary, want)
	}
	input = incident(20)
	input.Declared, input.Apart = 80, true
	budget = postgres.Plan(input)
	if against := budget.Against(80); against.Pool != 9 || against.Changes[0].To != 9 {
		t.Errorf("80 declared: a pool of %d, want 9 as the server allows", against.Pool)
	}
	input.Declared, input.Apart = 7, false
	if got := postgres.Plan(input).Summary; !strings.HasSuffix(got, "no pool size fits: run fewer pods, or declare more connections in the Release") {
		t.Errorf("none fits: %s", got)
	}
}

func TestPlanCountsEverythingAtItsPeak(t *testing.T) {
	input := incident(4)
	input.Colors[1].Maximum, input.Colors[1].Terminating = 6, 2
	input.Jobs = []postgres.JobDemand{{Name: "migrator", Connections: 2}}
	want := "cluster: blue 3 × 4 + green 6 × 4 + surge 2 × 4 + terminating 2 × 4 + migrator 2 = 54 ≤ 0.8 × (100 − 3) − 4 = 73"
	if got := postgres.Plan(input).Arithmetic[0]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	input.Colors[1].Pool.Connections = 5
	want = "cluster: blue 3 × 4 + green 6 × 5 + blue surge 1 × 4 + green surge 1 × 5 + green terminating 2 × 5 + migrator 2 = 63 ≤ 0.8 × (100 − 3) − 4 = 73"
	if got := postgres.Plan(input).Arithmetic[0]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPlanWarnsOfWhatItCouldNotKnow(t *testing.T) {
	assumed := incident(4)
	assumed.Colors[1].Pool.Trust = postgres.TrustAssumed
	if got := postgres.Plan(assumed).Outcome; got != postgres.Warns {
		t.Errorf("an assumed pool = %s, want warn", got)
	}
	for role, want := range map[string]postgres.Outcome{"": postgres.Warns, "app": postgres.Fits} {
		nameless := incident(4)
		nameless.Colors[1].Role, nameless.Snapshot.Roles["reports"] = role, postgres.RoleLimit{Limit: 5}
		got := postgres.Plan(nameless)
		if got.Outcome != want || (want == postgres.Warns) != strings.Contains(got.Summary, "as which role green logs in is not known, and a CONNECTION LIMIT may hold for it: reports has one") {
			t.Errorf("role %q: %s, %s; want %s", role, got.Outcome, got.Summary, want)
		}
	}
	pending := incident(4)
	pending.Snapshot.Limits.Configured = 300
	if got := postgres.Plan(pending); !strings.Contains(strings.Join(got.Warnings, " "), "waits for a restart") {
		t.Errorf("warnings = %q, want the restart", got.Warnings)
	}
	crowded := incident(4)
	crowded.Snapshot.Limits.MaxConnections = 6
	for i := range crowded.Colors {
		crowded.Colors[i].Replicas, crowded.Colors[i].Surge = 0, 0
	}
	if got := postgres.Plan(crowded).Outcome; got != postgres.Exceeds {
		t.Errorf("others beyond the share = %s, want fail", got)
	}
}

// What the pods open beside counts against the whole server, and under the limits of
// its own database and role; what is in no database of the server does not.
func TestPlanOfPoolsBeside(t *testing.T) {
	input := incident(4)
	input.Snapshot.Databases["shop"], input.Snapshot.Databases["history"] = postgres.DatabaseState{Limit: 60}, postgres.DatabaseState{Limit: 10}
	input.Snapshot.Roles["reports"] = postgres.RoleLimit{Limit: 20}
	pool := func(size int, role, database string) postgres.PoolSize {
		return postgres.PoolSize{Connections: size, Known: true, Trust: postgres.TrustConfigured, Role: role, Database: database}
	}
	input.Colors[0].Pool.Beside = []postgres.PoolSize{pool(5, "reports", "history"), pool(70, "", "elsewhere")}
	budget := postgres.Plan(input)
	want := []string{
		"cluster: blue 3 × 4 + blue 3 × 5 + green 3 × 4 + blue surge 1 × 4 + blue surge 1 × 5 + green surge 1 × 4 = 52 ≤ 0.8 × (100 − 3) − 4 = 73",
		"database shop: blue 3 × 4 + green 3 × 4 + surge 2 × 4 = 32 ≤ 0.8 × 60 − 4 = 44",
		"role reports: blue 3 × 5 + surge 1 × 5 = 20 > 0.8 × 20 − 0 = 16",
	}
	if diff := cmp.Diff(want, budget.Arithmetic[:3]); diff != "" {
		t.Errorf("arithmetic (-want +got):\n%s", diff)
	}
	if budget.Outcome != postgres.Exceeds || budget.RecommendedPool != 4 {
		t.Errorf("%s, a pool of %d; want fail and 4", budget.Outcome, budget.RecommendedPool)
	}
	input.Colors[0].Pool.Beside = nil
	input.Jobs = []postgres.JobDemand{{Name: "job/one", Pods: 2, Pool: pool(1, "app", "shop")}}
	input.Jobs[0].Pool.Beside = []postgres.PoolSize{pool(3, "app", "history")}
	if got := postgres.Plan(input).Jobs[0].Connections; got != 8 {
		t.Errorf("a Job of two pods with pools of 1 and 3 asks for %d, want 8", got)
	}
}

// An exporter counts sessions and doesn't tell whose they are. What fits
// beside all of them passes, what fits beside none fails, and between the two
// nobody knows.
func TestPlanOfCountedSessions(t *testing.T) {
	for _, test := range []struct {
		name     string
		pool     int
		backends int
		plant    func(*postgres.BudgetInput)
		want     postgres.Outcome
		says     string
	}{
		{"beside all", 5, 30, nil, postgres.Fits, "40 connections at the peak fit in 47 (cluster)"},
		{"beside some", 5, 40, nil, postgres.Warns, "depends on how many of the 40 sessions there are the colours' own"},
		{"beside none", 20, 12, nil, postgres.Exceeds, "160 connections are asked for at the peak, 12 sessions of anybody are there, and 77 of 97 may be used (cluster); a pool of 8 per pod fits"},
		{"sessions alone", 2, 78, nil, postgres.Exceeds, "no pool size fits beside all these sessions"},
		{"a pool is unknown", 0, 12, func(input *postgres.BudgetInput) { input.Colors[0].Pool.Known = false }, postgres.Unknown, "the pool size of blue is unknown"},
		{"the database's limit", 5, 12, func(input *postgres.BudgetInput) {
			input.Snapshot.Databases["shop"] = postgres.DatabaseState{Limit: 40, Backends: 12}
		}, postgres.Exceeds, "32 of 40 may be used (database shop)"},
		{"the role's limit, whoever the sessions are", 5, 45, func(input *postgres.BudgetInput) {
			input.Snapshot.Roles["app"] = postgres.RoleLimit{Limit: 50}
		}, postgres.Warns, "(role app) depends"},
	} {
		t.Run(test.name, func(t *testing.T) {
			input := incident(test.pool)
			input.Snapshot.Counted, input.Snapshot.SeesSessions, input.Snapshot.Sessions = true, false, nil
			input.Snapshot.Databases = map[string]postgres.DatabaseState{"shop": {Limit: postgres.NoLimit, Backends: test.backends}}
			input.Attribution = postgres.Attribution{}
			if test.plant != nil {
				test.plant(&input)
			}
			got := postgres.Plan(input)
			if got.Outcome != test.want || !got.Counted || !strings.Contains(got.Summary, test.says) {
				t.Errorf("%s: %s; want %s that says %q\n%s", got.Outcome, got.Summary, test.want, test.says, strings.Join(got.Arithmetic, "\n"))
			}
			if len(got.Warnings) == 0 || !strings.Contains(got.Warnings[0], "sessions were counted and not seen") {
				t.Errorf("warnings = %q, want what was not seen", got.Warnings)
			}
		})
	}
}

// A role's limit that others fill lets no pool pass, though no pod is under
// it now: to recommend one would be to recommend what fails.
// What an observer without the right to see sessions sees is the least there is.
func TestPlanSaysThatNotAllSessionsWereSeen(t *testing.T) {
	input := incident(5)
	if postgres.Plan(input).Unseen {
		t.Error("sessions that were seen are said to be unseen")
	}
	input.Snapshot.SeesSessions = false
	if !postgres.Plan(input).Unseen {
		t.Error("nothing says that sessions were not seen")
	}
	input.Snapshot.Counted = true
	if got := postgres.Plan(input); got.Unseen || !got.Counted {
		t.Errorf("unseen = %t, counted = %t", got.Unseen, got.Counted)
	}
}

func TestPlanRecommendsNoPoolThatFails(t *testing.T) {
	input := incident(4)
	input.Snapshot.Roles["app"] = postgres.RoleLimit{Limit: 10}
	input.Attribution = postgres.Attribution{}
	input.Colors[0].Replicas, input.Colors[0].Surge, input.Colors[1].Role = 0, 0, "other"
	if got := postgres.Plan(input); got.Outcome != postgres.Exceeds || got.RecommendedPool != 0 || got.Tightest != "role app" {
		t.Errorf("%s: a pool of %d by %s; want fail and no pool by role app:\n%s", got.Outcome, got.RecommendedPool, got.Tightest, strings.Join(got.Arithmetic, "\n"))
	}
}

func TestPlanInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		input := drawInput(t)
		budget := postgres.Plan(input)

		for _, color := range input.Colors {
			if !color.Pool.Known && budget.Outcome == postgres.Fits {
				t.Fatal("an unknown pool passed")
			}
		}
		if budget.RecommendedPool > 0 {
			best := postgres.Fits
			if budget.RoleUnknown != "" {
				best = postgres.Warns
			}
			followed := withPool(input, budget.RecommendedPool)
			if got := postgres.Plan(followed); got.Outcome != best {
				t.Fatalf("following the pool of %d gives %s:\n%s", budget.RecommendedPool, got.Outcome, strings.Join(got.Arithmetic, "\n"))
			}
			beyond := withPool(input, budget.RecommendedPool+1)
			if got := postgres.Plan(beyond); pods(input) > 0 && got.Outcome == best {
				t.Fatalf("a pool of %d fits too, so %d is not the most", budget.RecommendedPool+1, budget.RecommendedPool)
			}
		}
		if tightened := postgres.Plan(tighten(t, input)); pods(input) > 0 && tightened.RecommendedPool > budget.RecommendedPool {
			t.Fatalf("a tighter limit raised the pool from %d to %d", budget.RecommendedPool, tightened.RecommendedPool)
		}
		if again := postgres.Plan(input); cmp.Diff(budget.Arithmetic, again.Arithmetic) != "" {
			t.Fatal("two plans of one input differ")
		}
	})
}

func drawInput(t *rapid.T) postgres.BudgetInput {
	number := func(least, most int, label string) int { return rapid.IntRange(least, most).Draw(t, label) }
	input := postgres.BudgetInput{Database: "shop", Share: float64(number(1, 100, "share")) / 100,
		Snapshot: postgres.Snapshot{SeesSessions: true, Version: 160000,
			Limits: postgres.Limits{MaxConnections: number(1, 400, "max_connections"),
				SuperuserReserved: number(0, 5, "superuser reserved"), Reserved: number(0, 5, "reserved")},
			Databases: map[string]postgres.DatabaseState{"shop": {Limit: number(-1, 300, "datconnlimit")}},
			Roles:     map[string]postgres.RoleLimit{"app": {Limit: number(-1, 300, "rolconnlimit")}}}}
	for pid := range number(0, 30, "sessions") {
		input.Snapshot.Sessions = append(input.Snapshot.Sessions, postgres.Session{PID: pid, BackendType: "client backend",
			Database:    rapid.SampledFrom([]string{"shop", "other"}).Draw(t, "database"),
			Role:        rapid.SampledFrom([]string{"app", "ann"}).Draw(t, "role"),
			Application: rapid.SampledFrom([]string{"shop-blue", "shop-green", "psql"}).Draw(t, "application")})
	}
	for _, color := range []string{"blue", "green"} {
		known := rapid.Bool().Draw(t, "known")
		size := 0
		if known {
			size = number(1, 50, "pool")
		}
		input.Colors = append(input.Colors, postgres.ColorDemand{Color: color, Role: rapid.SampledFrom([]string{"", "app"}).Draw(t, "login"),
			Replicas: number(0, 5, "replicas"), Maximum: number(0, 8, "hpa"), Surge: number(0, 2, "surge"),
			Pool: postgres.PoolSize{Connections: size, Known: known, Trust: postgres.TrustDeclared}})
	}
	input.Attribution = postgres.Attribute(input.Snapshot, []postgres.Identity{{Color: "blue", Release: "shop"}, {Color: "green", Release: "shop"}})
	return input
}

func withPool(input postgres.BudgetInput, size int) postgres.BudgetInput {
	input.Colors = slices.Clone(input.Colors)
	for i := range input.Colors {
		input.Colors[i].Pool = postgres.PoolSize{Connections: size, Known: true, Trust: postgres.TrustDeclared}
	}
	return input
}

func tighten(t *rapid.T, input postgres.BudgetInput) postgres.BudgetInput {
	by := rapid.IntRange(1, 20).Draw(t, "tighter by")
	switch rapid.IntRange(0, 2).Draw(t, "which limit") {
	case 0:
		input.Snapshot.Limits.MaxConnections = max(1, input.Snapshot.Limits.MaxConnections-by)
	case 1:
		input.Snapshot.Databases = map[string]postgres.DatabaseState{"shop": {Limit: lower(input.Snapshot.Databases["shop"].Limit, by)}}
	default:
		input.Snapshot.Roles = map[string]postgres.RoleLimit{"app": {Limit: lower(input.Snapshot.Roles["app"].Limit, by)}}
	}
	return input
}

// lower tightens a limit; from none to one is tighter too.
func lower(limit, by int) int {
	if limit < 0 {
		return 100
	}
	return max(0, limit-by)
}

func pods(input postgres.BudgetInput) int {
	sum := 0
	for _, color := range input.Colors {
		sum += max(color.Replicas, color.Maximum) + color.Surge
	}
	return sum
}
