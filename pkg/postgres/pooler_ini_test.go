package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
)

func TestParsePgBouncer(t *testing.T) {
	got, err := postgres.ParsePgBouncer(`
; the shop's
[databases]
main = host=db port=5432 dbname=shop pool_size=7 max_db_connections=30
quoted = host=db password='it''s a secret' dbname='shop two' reserve_pool=3
"odd" = user=app
* = host=db
[users]
app = pool_mode=session
[pgbouncer]
MAX_CLIENT_CONN = 500
default_pool_size=25
reserve_pool_size = 5
max_user_connections = 60
pool_mode = transaction
`)
	if err != nil {
		t.Fatal(err)
	}
	want := postgres.PoolerConfig{MaxClients: 500, Default: postgres.PoolerDatabase{PoolSize: 25, Reserve: 5}, MaxUser: 60, Databases: []postgres.PoolerDatabase{
		{Name: "main", Target: "shop", PoolSize: 7, Reserve: -1, MaxConnections: 30},
		{Name: "quoted", Target: "shop two", PoolSize: -1, Reserve: 3, MaxConnections: -1},
		{Name: "odd", User: "app", PoolSize: -1, Reserve: -1, MaxConnections: -1},
		{Name: "*", PoolSize: -1, Reserve: -1, MaxConnections: -1},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestParsePgBouncerSaysWhatItCannotRead(t *testing.T) {
	const secret = "kept-to-itself-7351"
	for text, want := range map[string]string{
		"[pgbouncer]\nmax_client_conn = " + secret:             "line 2: read max_client_conn: it is not a whole number of at least 0",
		"[databases]\na = password='" + secret:                 "line 2: entry a: a quote is not closed",
		"[databases]\na = password=" + secret + " pool_size=x": "line 2: entry a: pool_size is not a whole number of at least 0",
		"[databases]\na = " + secret:                           "line 2: entry a: expected NAME=VALUE",
		"[pgbouncer]\n" + secret:                               "line 2: expected NAME = VALUE",
		"%include /etc/" + secret:                              "line 1: it includes another file, which is not read",
		"[users]\napp = pool_size=3":                           "line 2: a user has limits of its own, which are not reckoned with",
	} {
		_, err := postgres.ParsePgBouncer(text)
		if err == nil || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v, want %q and no value", text, err, want)
		}
	}
}

func FuzzParsePgBouncer(f *testing.F) {
	f.Add("[databases]\nmain = host=db pool_size=7\n* = dbname='a''b'\n[pgbouncer]\nmax_client_conn = 5\n")
	f.Add("[users]\na = pool_size=1\n%include x")
	f.Fuzz(func(t *testing.T, text string) {
		config, err := postgres.ParsePgBouncer(text)
		if err == nil && (config.MaxClients < 0 || config.Default.PoolSize < 0) {
			t.Errorf("%q gives %+v", text, config)
		}
	})
}

// What is not known of a pooler never passes, and what is exceeded fails with
// the size that fits.
func TestPlanBehindAPooler(t *testing.T) {
	for _, test := range []struct {
		name  string
		plant func(*postgres.BudgetInput)
		want  postgres.Outcome
		says  string
	}{
		{"it fits", func(*postgres.BudgetInput) {}, postgres.Fits, "50 connections at the peak fit in 73 (cluster); pools of up to 31 in deployment/pgbouncer would"},
		{"a third instance and its surge", func(i *postgres.BudgetInput) { i.Pooler.Peak = 4 }, postgres.Exceeds,
			"100 connections are asked for at the peak and 73 are left (cluster); pools of 13 in deployment/pgbouncer fit"},
		{"a new user has a pool of its own", func(i *postgres.BudgetInput) { i.Colors[1].Role = "next" }, postgres.Exceeds,
			"100 connections are asked for at the peak and 73 are left (cluster); pools of 13 in deployment/pgbouncer fit"},
		{"too many clients", func(i *postgres.BudgetInput) { i.Pooler.Config.MaxClients = 60 }, postgres.Exceeds,
			"160 connections are asked for at the peak and 96 are left (clients of deployment/pgbouncer); a pool of 12 per pod fits"},
		{"others' clients", func(i *postgres.BudgetInput) { i.Pooler.Clients = slicesOf("10.9.9.9", 70) }, postgres.Exceeds,
			"160 connections are asked for at the peak and 130 are left (clients of deployment/pgbouncer); a pool of 16 per pod fits"},
		{"its clients that are the colours' pods", func(i *postgres.BudgetInput) {
			i.Pooler.Clients, i.Addresses = slicesOf("10.1.0.1", 70), []string{"10.1.0.1"}
		}, postgres.Fits, "50 connections at the peak fit in 73"},
		{"its own sessions are not others'", func(i *postgres.BudgetInput) {
			i.Pooler.Addresses = []string{"10.3.0.1"}
			for pid := range 50 {
				i.Snapshot.Sessions = append(i.Snapshot.Sessions, postgres.Session{PID: 900 + pid, BackendType: "client backend", Database: "shop", Role: "app", Address: "10.3.0.1"})
			}
		}, postgres.Fits, "50 connections at the peak fit in 73"},
		{"nobody asked it", func(i *postgres.BudgetInput) { i.Pooler.Counted = false }, postgres.Warns, "50 connections at the peak fit in 73"},
		{"its configuration is unknown", func(i *postgres.BudgetInput) { i.Pooler.Problem = "forbidden" }, postgres.Unknown, "what deployment/pgbouncer may open is not known: forbidden"},
		{"the entry is unknown", func(i *postgres.BudgetInput) { i.Colors[0].Pool.Database = "old" }, postgres.Unknown, "deployment/pgbouncer has no entry for database old, which blue asks for"},
		{"the database is unknown", func(i *postgres.BudgetInput) { i.Colors[0].Pool.Database = "" }, postgres.Unknown, "which database blue asks deployment/pgbouncer for is not known"},
		{"the role is unknown", func(i *postgres.BudgetInput) { i.Colors[1].Role = "" }, postgres.Unknown, "which role green logs in with is not known"},
		{"a pod's pool is unknown", func(i *postgres.BudgetInput) { i.Colors[1].Pool.Known = false }, postgres.Unknown, "the pool size of green is unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			input := incident(20)
			config := postgres.NewPoolerConfig()
			config.MaxClients, config.Default.Reserve = 125, 5
			config.Databases = []postgres.PoolerDatabase{{Name: "main", Target: "shop", PoolSize: -1, Reserve: -1, MaxConnections: -1}}
			input.Pooler = &postgres.Pooler{Name: "deployment/pgbouncer", Instances: 2, Peak: 2, Config: config, Counted: true, Addresses: []string{"10.3.0.1"}}
			for i := range input.Colors {
				input.Colors[i].Pool.Database = "main"
			}
			test.plant(&input)
			got := postgres.Plan(input)
			if got.Outcome != test.want || !strings.Contains(got.Summary, test.says) {
				t.Errorf("%s: %s\n%s\nwant %s: %s", got.Outcome, got.Summary, strings.Join(got.Arithmetic, "\n"), test.want, test.says)
			}
		})
	}
}

func slicesOf(text string, count int) []string {
	var all []string
	for range count {
		all = append(all, text)
	}
	return all
}
