package workflows

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

var update = flag.Bool("update", false, "rewrite generated documents")

// unreleased is the Action in the examples, to be replaced by one that is released.
var unreleased = Action{Reference: "bluegreen-dev/kubectl-bluegreen@" + strings.Repeat("0", 40), Version: "the digest of a release"}

func example(t *testing.T) *release.Release {
	t.Helper()
	loaded, err := release.Load(filepath.Join("..", "..", "examples", "recommendation", "bluegreen.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return loaded.Release
}

// The examples are what the generator writes for the example's release.
func TestCurrentExamples(t *testing.T) {
	for _, kind := range Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			current(t, kind, filepath.Join("examples", "workflows"),
				Options{Action: unreleased, File: "bluegreen.yaml", Environment: "production", URL: "https://shop.example.com", Branch: "main"})
		})
	}
}

// This repository keeps a release of its own, and has its changes judged as others
// have theirs.
func TestCurrentGate(t *testing.T) {
	current(t, Gate, filepath.Join(".github", "workflows"), Options{Action: Action{Reference: "./"}, File: "examples/recommendation/bluegreen.yaml"})
}

// current fails the test unless a folder of the repository has what is generated.
func current(t *testing.T, kind Kind, folder string, options Options) {
	t.Helper()
	text, err := Write(example(t), kind, options)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", folder, kind.File())
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(committed)); diff != "" {
		t.Errorf("%s is not what is generated, run with -update:\n%s", path, diff)
	}
}

// Whatever stands in the options is a value, and the text around it stays a
// workflow.
func TestOptionsAreValues(t *testing.T) {
	options := Options{Action: Action{Reference: "./"}, File: `a "b": {c} #d.yaml`, Environment: "p: [", Branch: "c++/!1", URL: "https://shop.example.com/#x"}
	for _, kind := range Kinds() {
		text, err := Write(example(t), kind, options)
		if err != nil {
			t.Fatal(err)
		}
		if want := `    branches: ["c\\+\\+/\\!1"]` + "\n"; kind == Deploy && !strings.Contains(string(text), want) {
			t.Errorf("a push starts it by another branch than %s: %s", want, text)
		}
		var parsed struct {
			Jobs map[string]struct {
				Steps []struct {
					Uses string            `yaml:"uses"`
					With map[string]string `yaml:"with"`
				} `yaml:"steps"`
			} `yaml:"jobs"`
		}
		if err := yaml.Unmarshal(text, &parsed); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		found := 0
		for _, job := range parsed.Jobs {
			for _, step := range job.Steps {
				if step.Uses == "./" {
					found++
					if step.With["release"] != options.File {
						t.Errorf("%s: the Action gets %q", kind, step.With["release"])
					}
				}
			}
		}
		if found == 0 {
			t.Errorf("%s never uses the Action", kind)
		}
	}
}

func TestOptionsThatCannotStand(t *testing.T) {
	for name, options := range map[string]Options{
		"an expression": {File: "${{ secrets.KUBECONFIG }}.yaml"},
		"a second line": {Environment: "production\n  run: x"},
		"a link":        {URL: "https://${{ inputs.x }}"},
		"a label":       {RunsOn: []string{"${{ inputs.x }}"}},
		"a name":        {Name: "a\" #"},
		"a pattern":     {Branch: "release/[0-9]*"},
	} {
		if text, err := Write(example(t), Deploy, options); err == nil {
			t.Errorf("%s was written:\n%s", name, text)
		}
	}
	rel := example(t)
	rel.Spec.Databases[0].Migrations = &release.Migrations{Paths: []string{"db/${{ secrets.KUBECONFIG }}"}}
	if text, err := Write(rel, Deploy, Options{File: "bluegreen.yaml"}); err == nil {
		t.Errorf("an expression among the paths was written:\n%s", text)
	}
}

func TestParseAction(t *testing.T) {
	digest := strings.Repeat("0a", 20)
	for text, want := range map[string]string{
		"bluegreen-dev/kubectl-bluegreen@" + digest:             "bluegreen-dev/kubectl-bluegreen@" + digest,
		"bluegreen-dev/kubectl-bluegreen@" + digest + "#v1.2.3": "bluegreen-dev/kubectl-bluegreen@" + digest + " # v1.2.3",
		"./":                                      "./",
		"./tools/bluegreen":                       "./tools/bluegreen",
		"bluegreen-dev/kubectl-bluegreen@v1":      "",
		"bluegreen-dev/kubectl-bluegreen@main":    "",
		"bluegreen-dev/kubectl-bluegreen":         "",
		"docker://alpine":                         "",
		"a/b@" + digest + "#v1\n  run: x":         "",
		"./x # y":                                 "",
		"a/b@" + strings.Repeat("0a", 19) + "0":   "",
		"a/b@" + digest + "#v1 ${{ github.ref }}": "",
	} {
		action, err := ParseAction(text)
		if got := action.String(); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v", text, got, err)
		}
		if err != nil && release.HintOf(err) == "" {
			t.Errorf("%q is refused without a hint", text)
		}
	}
}

// A job outlasts the run in it, at every deadline.
func TestMinutesOutlastTheRun(t *testing.T) {
	rel := example(t)
	// The runbooks' figures: 15 m and 60 s to move, 10 m to watch, 2 m each for the
	// last transactions and the drain; back in 4 × 2 m, 60 s, 2 m and 90 s; 5 m beside.
	if got := Minutes(rel); got != 48 {
		t.Errorf("a job may take %d minutes", got)
	}
	if got := inMinutes(back(rel)); got != 13 {
		t.Errorf("going back may take %d minutes", got)
	}
	rel.Spec.Traffic.Watch = release.Duration(6 * time.Hour)
	if got := Minutes(rel); got != 48-10+360 {
		t.Errorf("with a long watch a job may take %d minutes", got)
	}
	// Going back takes no longer for that: 13 m for the process that is waited for, 13 m for
	// what takes over from it, 5 m beside.
	if got := RollbackMinutes(rel); got != 30 {
		t.Errorf("the job of a rollback may take %d minutes", got)
	}
}

// Where GitHub would end a job before the release does, the workflow says what goes on.
func TestJobThatGitHubEnds(t *testing.T) {
	long := example(t)
	long.Spec.Traffic.Watch = release.Duration(8 * time.Hour)
	slow := example(t)
	slow.Spec.Traffic.Deadlines.Rollback = release.Duration(time.Hour)
	for name, test := range map[string]struct {
		rel     *release.Release
		kind    Kind
		options Options
		want    string
	}{
		"a shift":              {long, Deploy, Options{}, "after 360 minutes: shift with args: --guard --guard-policy=continue there"},
		"one that is guarded":  {long, Deploy, Options{Guard: true}, "args: --guard --guard-policy=continue"},
		"on runners of others": {long, Deploy, Options{RunsOn: []string{"self-hosted"}}, ""},
		"its rollback":         {long, Rollback, Options{}, ""},
		"a slow rollback":      {slow, Rollback, Options{}, "after 360 minutes: then rollback --force"},
	} {
		text, err := Write(test.rel, test.kind, test.options)
		if told := strings.Contains(string(text), "360 minutes"); err != nil || told != (test.want != "") || !strings.Contains(string(text), test.want) {
			t.Errorf("%s: expected %q, %v:\n%s", name, test.want, err, text)
		}
	}
}

// Going back is promised to a cancelled job only where GitHub gives it the time; else
// the guard is named.
func TestCancelledJobIsPromisedNoMoreThanItHas(t *testing.T) {
	rel := example(t)
	for limit, want := range map[time.Duration]string{
		2 * time.Minute:         "may take 13: with args: --guard a Job in the cluster goes on then",
		9 * time.Second:         "may take 6: with args: --guard",
		7500 * time.Millisecond: "goes back, within the 5 minutes that GitHub gives it",
	} {
		rel.Spec.Traffic.Deadlines.Rollback = release.Duration(limit)
		text, err := Write(rel, Deploy, Options{Action: unreleased, File: "bluegreen.yaml", Environment: "production", Branch: "main"})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for line := range strings.Lines(string(text)) {
			told = append(told, strings.TrimPrefix(strings.TrimSpace(line), "# "))
		}
		if !strings.Contains(strings.Join(told, " "), want) {
			t.Errorf("with %s for each step back it isn't told that it %s:\n%s", limit, want, text)
		}
	}
}
