package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/postgres"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

func plantedInDeclarations() []planted {
	declared := func(connections int) func(*Facts) {
		return func(f *Facts) { f.Release.Spec.Databases[0].Connections = connections }
	}
	// onPullRequest is a fault of a pull request, where no database is looked at.
	onPullRequest := func(plant func(*Facts)) func(*Facts) {
		return func(f *Facts) {
			f.Stage, f.Target, f.Databases, f.Autoscalers = StagePR, "", nil, Fact[[]autoscalingv2.HorizontalPodAutoscaler]{}
			plant(f)
		}
	}
	withoutManifests := func(f *Facts) {
		f.color("blue", func(c *Color) { c.Workloads = Fact[[]cluster.Workload]{Problem: "no manifests"} })
	}
	return []planted{
		{"BG-DB-10", "a pull request raises a pool", onPullRequest(func(f *Facts) { pool(f, "green", 500) }), Fail,
			"blue 3+1 pods × 5 + green 3+1 pods × 500 = 2020 connections, and spec.database[0].connections allows 60; a pool of 7 per pod fits"},
		{"BG-DB-10", "a pull request brings an autoscaler", onPullRequest(func(f *Facts) {
			f.color("green", func(c *Color) {
				c.AutoscalersPlanned = []autoscalingv2.HorizontalPodAutoscaler{autoscaler("green", 3, 90)}
			})
		}), Fail, "blue 3+1 pods × 5 + green 90+1 pods × 5 = 475 connections, and spec.database[0].connections allows 60; no pool size fits"},
		{"BG-DB-10", "a pull request brings a Job", onPullRequest(func(f *Facts) {
			f.Jobs.Value = []Job{{Kind: "job", Name: "migrate", Manifest: "green", Pods: 3, Uses: map[string]JobUse{"main": {By: "host db",
				Pool: postgres.PoolSize{Connections: 10, Known: true, Trust: postgres.TrustConfigured, Database: "shop"}}}}}
		}), Fail, "+ job/migrate 3 × 10 = 70 connections"},
		{"BG-DB-10", "a Job that nothing tells the pool of", onPullRequest(func(f *Facts) {
			f.Jobs.Value = []Job{{Kind: "job", Name: "migrate", Pods: 1, Uses: map[string]JobUse{"main": {By: "host db", Pool: postgres.PoolSize{Provenance: "nothing says"}}}}}
		}), Warn, "job/migrate uses the database too (host db) and is in no sum"},
		{"BG-DB-10", "a pool is unknown", onPullRequest(func(f *Facts) { pool(f, "green", 0) }), Unknown, "the pool size of deployment/shop-green is unknown"},
		{"BG-DB-10", "a colour without manifests", onPullRequest(withoutManifests), Unknown,
			"green 3+1 pods × 5 = 20 connections, and spec.database[0].connections allows 60; not known: blue has no manifests"},
		{"BG-DB-10", "too much without the colour that has no manifests", onPullRequest(func(f *Facts) { withoutManifests(f); pool(f, "green", 16) }), Fail, "green 3+1 pods × 16 = 64"},
		{"BG-DB-10", "nothing declared on a pull request", onPullRequest(declared(0)), Unknown, "as spec.database[0].connections is not declared: BG-DB-03 judges them at the stage deploy"},
		{"BG-DB-10", "a pooler on a pull request", onPullRequest(func(f *Facts) { f.Release.Spec.Databases[0].Pooler = &release.Pooler{Instances: 1} }), Skip, "what its pooler opens"},
		{"BG-DB-10", "a pool that is assumed", onPullRequest(func(f *Facts) {
			size := f.Colors["green"].Pools["main"]["deployment/shop-green"]
			size.Trust = postgres.TrustAssumed
			f.Colors["green"].Pools["main"]["deployment/shop-green"] = size
		}), Warn, "the pool size of deployment/shop-green is assumed"},
		{"BG-DB-10", "nothing declared", declared(0), Skip, "not declared: connections of database main"},
		{"BG-DB-10", "no database", func(f *Facts) { f.Release.Spec.Databases = nil }, Skip, "not declared: database"},
		{"BG-DB-10", "more asked for than declared", declared(44), Fail, "blue 3+1 pods × 5 + green 4+1 pods × 5 = 45 connections, and spec.database[0].connections allows 44; a pool of 4 per pod fits"},
		{"BG-DB-10", "more declared than there is", declared(74), Warn, "allows 74, and the database leaves both colours 73 (cluster)"},
		{"BG-DB-10", "an autoscaler can't be seen", func(f *Facts) { f.Autoscalers.Known, f.Autoscalers.Problem = false, "forbidden" }, Warn, "unless an autoscaler adds pods: forbidden"},
		{"BG-DB-10", "the database is not known", uncounted, Unknown, "whether the database has these is not known: exporter: pg_up is 0"},
		{"BG-DB-10", "the workloads are not known", func(f *Facts) {
			f.color("blue", func(c *Color) { c.Workloads = Fact[[]cluster.Workload]{Problem: "forbidden"} })
		}, Unknown, "what blue takes: forbidden"},
		{"BG-DB-10", "the pooler is not known", func(f *Facts) {
			f.database(func(d *Database) {
				d.Pooler = &postgres.Pooler{Name: "deployment/pgbouncer", Problem: "nobody answers"}
			})
		}, Unknown, "what is asked for is not known"},
	}
}

// What isn't known weighs as that it is not declared does: it is told, and blocks in
// production alone. A pool that nothing tells does, as it would before a shift.
func TestDeclaredConnectionsBlock(t *testing.T) {
	for _, test := range plantedInDeclarations() {
		facts := healthy()
		test.plant(facts)
		if facts.Stage != StagePR || test.want != Unknown {
			continue
		}
		starter := findingsOf(Evaluate(facts, Catalogue(), StagePR), test.id)[0]
		facts.Release.Spec.Require = release.RequireProduction
		production := findingsOf(Evaluate(facts, Catalogue(), StagePR), test.id)[0]
		if want := test.name == "a pool is unknown"; starter.Blocks != want || !production.Blocks {
			t.Errorf("%s: blocks a starter: %t, production: %t", test.name, starter.Blocks, production.Blocks)
		}
	}
}

// Where no pool size fits, none is named to be set.
func TestNoPoolSizeIsNoRemedy(t *testing.T) {
	for id, declared := range map[string]int{"BG-DB-03": 0, "BG-DB-10": 5} {
		facts := healthy()
		facts.Release.Spec.Databases[0].Connections = declared
		facts.database(func(database *Database) {
			database.Declared.Connections = declared
			if declared == 0 {
				database.Snapshot.Value.Limits = postgres.Limits{MaxConnections: 10}
			}
		})
		finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), id)[0]
		if finding.Outcome != Fail || !strings.Contains(finding.Cause, "no pool size fits") || !strings.HasPrefix(finding.Remedy, "run fewer pods, or ") {
			t.Errorf("%s: %s: %s\n%s", id, finding.Outcome, finding.Cause, finding.Remedy)
		}
	}
}

// Of what the server allows and what is declared, both checks recommend what passes
// either, each by its own limit alone.
func TestBothConnectionChecksRecommendTheSame(t *testing.T) {
	for _, test := range []struct {
		size, declared int
		server, own    Outcome
		pool           string
	}{
		{20, 40, Fail, Fail, "4"},
		{7, 40, Pass, Fail, "4"},
		{20, 79, Fail, Fail, "8"},
	} {
		facts := healthy()
		facts.Release.Spec.Databases[0].Connections = test.declared
		facts.database(func(database *Database) { database.Declared.Connections = test.declared })
		pool(facts, "blue", test.size)
		pool(facts, "green", test.size)
		report := Evaluate(facts, Catalogue(), StageDeploy)
		server, own := findingsOf(report, "BG-DB-03")[0], findingsOf(report, "BG-DB-10")[0]
		if server.Outcome != test.server || own.Outcome != test.own {
			t.Errorf("%+v: BG-DB-03 is %s, BG-DB-10 %s", test, server.Outcome, own.Outcome)
		}
		if server.Evidence["recommendedPool"] != test.pool || own.Evidence["recommendedPool"] != test.pool {
			t.Errorf("%+v: BG-DB-03 recommends %s, BG-DB-10 %s", test, server.Evidence["recommendedPool"], own.Evidence["recommendedPool"])
		}
		if budget, _, _ := facts.Budget("main"); budget.Outcome != postgres.Exceeds || fmt.Sprint(budget.RecommendedPool) != test.pool {
			t.Errorf("%+v: the budget is %s with %d", test, budget.Outcome, budget.RecommendedPool)
		}
	}
}

// What is too much only as long as pods are ending is waited for.
func TestPodsThatAreEndingAreWaitedFor(t *testing.T) {
	for _, test := range []struct {
		size, declared int
		id, remedy     string
	}{
		{5, 50, "BG-DB-10", "wait until the pods that are ending are gone"},
		{5, 44, "BG-DB-10", "set deployment/shop-blue env DB_POOL_SIZE to 4"},
		{8, 200, "BG-DB-03", "wait until the pods that are ending are gone"},
		{9, 200, "BG-DB-03", "set deployment/shop-blue env DB_POOL_SIZE to 6"},
	} {
		facts := healthy()
		facts.Release.Spec.Databases[0].Connections = test.declared
		facts.database(func(database *Database) { database.Declared.Connections = test.declared })
		facts.color("blue", func(color *Color) {
			color.Owned.Value = slices.Clone(color.Owned.Value)
			for i := range color.Owned.Value[:2] {
				color.Owned.Value[i].DeletionTimestamp = &metav1.Time{Time: facts.Time}
			}
		})
		pool(facts, "blue", test.size)
		pool(facts, "green", test.size)
		finding := findingsOf(Evaluate(facts, Catalogue(), StageDeploy), test.id)[0]
		if finding.Outcome != Fail || !strings.HasPrefix(finding.Remedy, test.remedy) {
			t.Errorf("%+v: %s: %s\n%s", test, finding.Outcome, finding.Cause, finding.Remedy)
		}
		if waits := strings.Contains(finding.Cause, "it fits without the pods that are ending (2 of blue)"); waits != strings.HasPrefix(test.remedy, "wait") {
			t.Errorf("%+v: %s", test, finding.Cause)
		}
	}
}

const declaredRelease = `apiVersion: bluegreen.dev/v1alpha1
kind: Release
metadata: {name: shop, namespace: store}
spec:
  colors:
    blue: {workloads: [deployment/shop-blue], selector: {version: blue}, manifests: [blue.yaml]}
    green: {workloads: [deployment/shop-green], selector: {version: green}, manifests: [green.yaml]}
  traffic: {service: {name: svc-production}}
  database:
  - name: main
    observe: {dsn: {secretKeyRef: {name: monitor, key: url}}}
    connections: 40
`

// deploymentOf is a Deployment of a colour whose container says this besides.
func deploymentOf(color, replicas, container string) string {
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-` + color + `}
spec:
` + replicas + `  selector: {matchLabels: {version: ` + color + `}}
  strategy: {rollingUpdate: {maxSurge: 1}}
  template:
    metadata: {labels: {version: ` + color + `}}
    spec:
      containers:
      - name: app
        image: shop:v1
` + container
}

// A pull request is told at the line that sets the size, wherever that stands.
func TestDeclaredConnectionsAreLocated(t *testing.T) {
	const three = "  replicas: 3\n"
	steady := deploymentOf("blue", three, "        env: [{name: DB_POOL_SIZE, value: '4'}]\n")
	for _, test := range []struct {
		name, green string
		want        Outcome
		// at is the text at the line that is told.
		at, says string
	}{
		{"a variable", deploymentOf("green", three, "        env:\n        - name: COLOR\n          value: green\n        - name: DB_POOL_SIZE\n          value: '500'\n"), Fail, "value: '500'",
			"blue 3+1 pods × 4 + green 3+1 pods × 500 = 2016 connections, and spec.database[0].connections allows 40; a pool of 5 per pod fits"},
		{"an annotation", strings.Replace(deploymentOf("green", three, ""), "metadata: {labels: {version: green}}", "metadata:\n      labels: {version: green}\n      annotations:\n        bluegreen.dev/pool-size: '30'", 1),
			Fail, "pool-size: '30'", "green 3+1 pods × 30"},
		{"an argument", deploymentOf("green", three, "        args:\n        - serve\n        - --db-pool-size=30\n"), Fail, "--db-pool-size=30", "green 3+1 pods × 30"},
		{"an argument in two words", deploymentOf("green", three, "        command: [shop]\n        args:\n        - --db-pool-size\n        - '30'\n"), Fail, "- '30'", "green 3+1 pods × 30"},
		{"a connection string", deploymentOf("green", three, "        env:\n        - name: DATABASE_URL\n          value: postgres://shop@db/shop?pool_max_conns=30\n"), Fail, "pool_max_conns=30", "green 3+1 pods × 30"},
		{"a ConfigMap", deploymentOf("green", three, "        envFrom: [{configMapRef: {name: settings}}]\n") + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  OTHER: x\n  DB_POOL_SIZE: '30'\n",
			Fail, "DB_POOL_SIZE: '30'", "green 3+1 pods × 30"},
		{"a Secret", deploymentOf("green", three, "        env:\n        - name: DB_POOL_SIZE\n          valueFrom: {secretKeyRef: {name: settings, key: size}}\n") + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: settings}\nstringData:\n  size: '30'\n",
			Fail, "size: '30'", "green 3+1 pods × 30"},
		{"a Secret that is in no manifest", deploymentOf("green", three, "        env:\n        - name: DB_POOL_SIZE\n          valueFrom: {secretKeyRef: {name: settings, key: size}}\n"), Unknown, "valueFrom:",
			"secret/settings could not be read: it is in no manifest, and a pull request is judged by files alone"},
		{"processes", deploymentOf("green", three, "        command: [gunicorn, -w, '8', shop]\n        env:\n        - name: DB_POOL_SIZE\n          value: '4'\n"), Fail, "value: '4'", "green 3+1 pods × 32"},
		{"pods", deploymentOf("green", "  replicas: 300\n", "        env: [{name: DB_POOL_SIZE, value: '4'}]\n"), Fail, "replicas: 300", "green 300+1 pods × 4 = 1220 connections, and spec.database[0].connections allows 40; no pool size fits"},
		{"an autoscaler", deploymentOf("green", "", "        env: [{name: DB_POOL_SIZE, value: '4'}]\n") +
			"---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: shop}\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: shop-green}\n  maxReplicas: 99\n",
			Fail, "maxReplicas: 99", "green 99+1 pods × 4"},
		{"an autoscaler that is in no manifest", deploymentOf("green", "", "        env: [{name: DB_POOL_SIZE, value: '4'}]\n"), Unknown, "",
			"not known: how many pods deployment/shop-green has, which its manifest leaves to an autoscaler"},
		{"a Job", deploymentOf("green", three, "        env: [{name: DB_POOL_SIZE, value: '4'}, {name: DB_HOST, value: db}]\n") +
			"---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec:\n  parallelism: 2\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - {name: job, image: shop:v1, env: [{name: DB_HOST, value: db}, {name: DB_POOL_SIZE, value: '5'}]}\n",
			Fail, "value: '4'", "+ job/migrate 2 × 5 = 42 connections"},
		{"all is well", deploymentOf("green", three, "        env: [{name: DB_POOL_SIZE, value: '6'}]\n"), Pass, "", "blue 3+1 pods × 4 + green 3+1 pods × 6 = 40 connections"},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts := pullRequest(t, map[string]string{"bluegreen.yaml": declaredRelease, "blue.yaml": steady, "green.yaml": test.green})
			finding := findingsOf(Evaluate(facts, Catalogue(), StagePR), "BG-DB-10")[0]
			if finding.Outcome != test.want || !strings.Contains(finding.Cause, test.says) {
				t.Errorf("%s: %s", finding.Outcome, finding.Cause)
			}
			if line := lineAt(t, finding.Position); !strings.Contains(line, test.at) {
				t.Errorf("it is told at %+v, which is %q", finding.Position, line)
			}
		})
	}
}

// A size that the Release states is told there.
func TestDeclaredConnectionsAreLocatedInTheRelease(t *testing.T) {
	stated := strings.Replace(declaredRelease, "    connections: 40\n", "    connections: 40\n    pool: {size: 9}\n", 1)
	facts := pullRequest(t, map[string]string{"bluegreen.yaml": stated, "blue.yaml": deploymentOf("blue", "  replicas: 3\n", ""), "green.yaml": deploymentOf("green", "  replicas: 3\n", "")})
	finding := findingsOf(Evaluate(facts, Catalogue(), StagePR), "BG-DB-10")[0]
	if line := lineAt(t, finding.Position); finding.Outcome != Fail || !strings.Contains(line, "pool: {size: 9}") {
		t.Errorf("%s: %s; it is told at %q", finding.Outcome, finding.Cause, line)
	}
}

// pullRequest are the facts of a pull request with these files.
func pullRequest(t *testing.T, files map[string]string) *Facts {
	t.Helper()
	directory := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := release.Load(filepath.Join(directory, "bluegreen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return Collect(t.Context(), Inputs{
		Release: loaded.Release, Document: loaded.Path, Positions: loaded.Positions(), Stage: StagePR,
		Manifests: map[string][]string{"blue": loaded.Manifests("blue"), "green": loaded.Manifests("green")},
		Clock:     testingclock.NewFakeClock(time.Unix(0, 0)),
	})
}

func lineAt(t *testing.T, position *release.Position) string {
	t.Helper()
	if position == nil {
		return ""
	}
	text, err := os.ReadFile(position.File)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")[position.Line-1]
}
