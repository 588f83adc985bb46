package act

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/compile"
)

// source is the root of the repository.
var source = filepath.Join("..", "..")

// What pull requests change of the example's files.
const (
	manifest  = "deploy/green/deployment.yaml"
	migration = "db/0002_second.sql"
)

// expand is a migration that the old version can live with, and contract one that it
// can't.
const (
	expand   = "SET lock_timeout = '2s';\nCREATE TABLE reasons (id bigint PRIMARY KEY, reason text);\n"
	contract = "SET lock_timeout = '2s';\n\nALTER TABLE recommendations DROP COLUMN score;\n"
)

// The workflow that keeps a pull request from being merged is run as it is: the job to
// require passes for a good one and fails for a bad one, whose annotations stand at the
// very lines that have to change. A fork, whose token may only read, is judged alike,
// and so is the merge queue.
func TestGate(t *testing.T) {
	runner := start(t)
	good, bad := pullRequest(t, expand, nil), pullRequest(t, contract, harm)
	// How many migrations are judged is told wherever it is not all of them.
	judged := []Annotation{{Level: "notice", File: "bluegreen.yaml", Line: lineOf(t, good, "bluegreen.yaml", "after:"), Title: "BG-DB-08"}}
	wrong := []Annotation{
		{Level: "error", File: manifest, Line: lineOf(t, bad, manifest, "- name: recommendation"), Title: "BG-COL-02"},
		{Level: "error", File: migration, Line: lineOf(t, bad, migration, "DROP COLUMN"), Title: "BG-DB-08"},
		{Level: "error", File: manifest, Line: lineOf(t, bad, manifest, "DB_POOL_SIZE"), Title: "BG-DB-10"},
		judged[0],
		{Level: "warning", File: manifest, Line: lineOf(t, bad, manifest, "image: recommendation:latest"), Title: "BG-COL-12"},
		{Level: "warning", File: manifest, Line: lineOf(t, bad, manifest, "DB_POOL_SIZE"), Title: "BG-COL-14"}, // the pool is not blue's
		{Level: "warning", File: migration, Line: lineOf(t, bad, migration, "DROP COLUMN"), Title: "BG-DB-08"},
	}
	fetched := 0
	for _, test := range []struct {
		name, event, checkout string
		// from is the repository that the pull request comes from, "" for none.
		from, result string
		told         []Annotation
		shown        string
		// scanned: code scanning gets the findings.
		scanned bool
		// asked are the verbs of what GitHub is asked for.
		asked []string
	}{
		{"a good pull request", "pull_request", good, Repository, "success", judged, "✅ nothing blocks", true, []string{"GET", "POST"}},
		{"a bad one", "pull_request", bad, Repository, "failure", wrong, "❌ blocked by BG-COL-02, BG-DB-08, BG-DB-10", true, []string{"GET", "POST"}},
		{"a bad one of a fork", "pull_request", bad, "mallory/shop", "failure", wrong, "❌ blocked by BG-COL-02, BG-DB-08, BG-DB-10", false, []string{"GET", "POST"}},
		{"the merge queue", "merge_group", good, "", "success", judged, "✅ nothing blocks", false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			fork := test.from != "" && test.from != Repository
			runner.GitHub.ReadOnly(fork)
			outcome, err := runner.Run(t.Context(), Trigger{Checkout: test.checkout, Workflow: "pull-request.yml", Event: test.event, Payload: payload(test.from)})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(outcome.Log)
			asked := runner.GitHub.Asked()
			fetched += fetches(asked)
			if diff := cmp.Diff(map[string]string{"check": test.result, "gate": test.result}, outcome.Jobs); diff != "" {
				t.Errorf("the jobs ended otherwise (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.told, places(outcome)); diff != "" {
				t.Errorf("the annotations (-want +got):\n%s", diff)
			}
			step, _ := outcome.Step("check", "check")
			if !strings.Contains(step.Summary, test.shown) || step.Result != test.result {
				t.Errorf("the step ended as %q and shows:\n%s", step.Result, step.Summary)
			}
			kept(t, outcome, test.scanned)
			if diff := cmp.Diff(test.asked, commented(t, asked, test.shown)); diff != "" {
				t.Errorf("GitHub was asked (-want +got):\n%s", diff)
			}
			if notice := slices.ContainsFunc(outcome.Told("notice"), func(told Annotation) bool { return strings.Contains(told.Message, "comes from a fork") }); notice != fork {
				t.Errorf("that nothing may be written for a fork is told: %t", notice)
			}
			if strings.Contains(outcome.Log, Token) {
				t.Error("the token is told")
			}
		})
	}
	if fetched != 1 {
		t.Errorf("the engine was fetched %d times: it is verified each time, and kept", fetched)
	}
}

// start lays out the Action, with an engine that make built or one that is built now.
func start(t *testing.T) *Runner {
	t.Helper()
	engine := os.Getenv("BLUEGREEN_ACTION")
	if engine == "" {
		engine = filepath.Join(t.TempDir(), "bluegreen-action")
		check(t, compile.Static(t.Context(), source, "./cmd/bluegreen-action", engine))
	}
	runner, err := New(Options{Source: source, Engine: engine, Folder: t.TempDir()})
	check(t, err)
	t.Cleanup(runner.Close)
	return runner
}

// pullRequest is a checkout of the example as a pull request would have it: with a
// second migration, and a change to a manifest.
func pullRequest(t *testing.T, second string, change func(string) string) string {
	t.Helper()
	files, folder := t.TempDir(), t.TempDir()
	example := filepath.Join(source, "examples", "recommendation")
	check(t, os.CopyFS(filepath.Join(files, "deploy"), os.DirFS(filepath.Join(example, "deploy"))))
	document, err := os.ReadFile(filepath.Join(example, "bluegreen.yaml"))
	check(t, err)
	pool := "      pool: {env: DB_POOL_SIZE}\n"
	declared := strings.Replace(string(document), pool, pool+"      migrations: {paths: [db], after: 0001_first.sql}\n", 1)
	check(t, write(filepath.Join(files, "bluegreen.yaml"), []byte(declared)))
	check(t, write(filepath.Join(files, "db", "0001_first.sql"), []byte("CREATE TABLE recommendations (id bigint PRIMARY KEY, score double precision);\n")))
	check(t, write(filepath.Join(files, migration), []byte(second)))
	if change != nil {
		path := filepath.Join(files, manifest)
		text, err := os.ReadFile(path)
		check(t, err)
		check(t, write(path, []byte(change(string(text)))))
	}
	check(t, Checkout(context.WithoutCancel(t.Context()), folder, files, filepath.Join(source, "examples", "workflows")))
	return folder
}

// harm takes the readiness probe out of a manifest, pins the image no more, and lets each
// pod open more connections than the database has.
func harm(text string) string {
	text = strings.Replace(text, "recommendation:v2.5.0", "recommendation:latest", 1)
	text = strings.Replace(text, `{name: DB_POOL_SIZE, value: "8"}`, `{name: DB_POOL_SIZE, value: "500"}`, 1)
	from := strings.Index(text, "          readinessProbe:")
	to := strings.Index(text, "          livenessProbe:")
	return text[:from] + text[to:]
}

// payload is what an event says of a pull request from a repository, of none for "".
func payload(from string) map[string]any {
	if from == "" {
		return map[string]any{}
	}
	return map[string]any{"number": 12, "pull_request": map[string]any{
		"number": 12, "base": map[string]any{"ref": "main"},
		"head": map[string]any{"ref": "change", "repo": map[string]any{"full_name": from}},
	}}
}

// lineOf is the first line of a file in a checkout that holds a text.
func lineOf(t *testing.T, checkout, file, text string) int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(checkout, file))
	check(t, err)
	lines := strings.Split(string(content), "\n")
	index := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, text) })
	if index < 0 {
		t.Fatalf("no line of %s holds %q", file, text)
	}
	return index + 1
}

// places are the annotations about files, one of each check at each line, by what they
// are about: their titles are cut to the id of the check.
func places(outcome *Outcome) []Annotation {
	var found []Annotation
	for _, annotation := range outcome.Annotations {
		title, _, _ := strings.Cut(annotation.Title, " ")
		place := Annotation{Level: annotation.Level, File: annotation.File, Line: annotation.Line, Title: title}
		if annotation.File != "" && !slices.Contains(found, place) {
			found = append(found, place)
		}
	}
	slices.SortFunc(found, func(a, b Annotation) int {
		return strings.Compare(a.Level+a.Title, b.Level+b.Title)
	})
	return found
}

// kept fails the test unless the report was uploaded, and went to code scanning where
// that is wanted.
func kept(t *testing.T, outcome *Outcome, scanning bool) {
	t.Helper()
	report := struct{ Kind string }{}
	text, err := os.ReadFile(filepath.Join(outcome.Kept, "artifact", "bluegreen-check", "report.json"))
	check(t, err)
	if err := json.Unmarshal(text, &report); err != nil || report.Kind != "CheckReport" {
		t.Errorf("the artefact holds a report of kind %q, %v", report.Kind, err)
	}
	if _, err := os.Stat(filepath.Join(outcome.Kept, "sarif", "bluegreen.sarif")); (err == nil) != scanning {
		t.Errorf("code scanning: %v, want a file: %t", err, scanning)
	}
}

// commented are the verbs of what was asked of GitHub's API, and fails the test unless
// a comment that was written shows a text.
func commented(t *testing.T, asked []Request, shown string) []string {
	t.Helper()
	var verbs []string
	for _, request := range asked {
		if !strings.HasPrefix(request.Path, api) {
			continue
		}
		verbs = append(verbs, request.Method)
		if request.Method == http.MethodPost && !strings.Contains(request.Body, shown) {
			t.Errorf("the comment says %s", request.Body)
		}
	}
	return verbs
}

// fetches is how often a release was asked for.
func fetches(asked []Request) int {
	count := 0
	for _, request := range asked {
		if strings.HasPrefix(request.Path, releases) {
			count++
		}
	}
	return count
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
