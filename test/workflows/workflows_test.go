package workflows

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	generated "github.com/bluegreen-dev/kubectl-bluegreen/pkg/workflows"
)

// checkout is the root of the repository.
var checkout = filepath.Join("..", "..")

// files are all workflows: this repository's own, and those for others.
func files(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, folder := range []string{filepath.Join(".github", "workflows"), filepath.Join("examples", "workflows")} {
		names, err := filepath.Glob(filepath.Join(checkout, folder, "*.y*ml"))
		if err != nil || len(names) == 0 {
			t.Fatalf("no workflow in %s, %v", folder, err)
		}
		found = append(found, names...)
	}
	return found
}

// problems are what actionlint finds in a workflow of this repository.
func problems(t *testing.T, path string, text []byte) []string {
	t.Helper()
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(checkout)
	if err != nil {
		t.Fatal(err)
	}
	project, err := actionlint.NewProject(root)
	if err != nil {
		t.Fatal(err)
	}
	found, err := linter.Lint(path, text, project)
	if err != nil {
		t.Fatal(err)
	}
	var messages []string
	for _, problem := range found {
		messages = append(messages, problem.Error())
	}
	return messages
}

// Every workflow passes both linters.
func TestEveryWorkflow(t *testing.T) {
	for _, path := range files(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, problem := range problems(t, path, text) {
				t.Error(problem)
			}
			findings, err := Lint(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, finding := range findings {
				t.Error(finding)
			}
		})
	}
}

// A branch and paths whose names mean something in a pattern stand for themselves in
// one, by actionlint's rules too.
func TestNamesAreNoPatterns(t *testing.T) {
	rel := &release.Release{Metadata: release.Metadata{Name: "shop", Namespace: "shop"}, Spec: release.Spec{Colors: map[string]release.Color{"blue": {Manifests: []string{"b+/"}}, "green": {Manifests: []string{"!g[1].yaml"}}}}}
	text, err := generated.Write(rel, generated.Deploy, generated.Options{Action: generated.Action{Reference: "./"}, File: "a?*.yaml", Environment: "production", Branch: "c++"})
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems(t, filepath.Join(checkout, ".github", "workflows", "deploy.yml"), text) {
		t.Error(problem)
	}
}

// actionlint reads action.yml where a workflow uses ./, and finds what that does
// not know.
func TestActionlintFindsPlantedFaults(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(checkout, ".github", "workflows", "ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ old, planted, want string }{
		"an input that there is not":   {"          command: check\n", "          comand: check\n", `input "comand" is not defined in action`},
		"an output that there is not":  {"steps.check.outputs.verdict", "steps.check.outputs.outcome", `property "outcome" is not defined`},
		"an event that there is not":   {"  merge_group:\n", "  merge_groups:\n", `unknown Webhook event "merge_groups"`},
		"a job that nobody knows":      {"needs: [test, lint,", "needs: [test, lints,", `which does not exist`},
		"a permission that is unknown": {"contents: read # the checkout\n", "content: read\n", `unknown permission scope "content"`},
	} {
		t.Run(name, func(t *testing.T) {
			planted := strings.Replace(string(text), test.old, test.planted, 1)
			if planted == string(text) {
				t.Fatalf("%q is not in the workflow", test.old)
			}
			found := problems(t, filepath.Join(checkout, ".github", "workflows", "ci.yml"), []byte(planted))
			if !slices.ContainsFunc(found, func(problem string) bool { return strings.Contains(problem, test.want) }) {
				t.Errorf("expected a problem that holds %q, got %q", test.want, found)
			}
		})
	}
}

// An action is one version everywhere: what is brought up to date here is so for
// others too.
func TestOneVersionOfEachAction(t *testing.T) {
	known := map[string]string{}
	for _, path := range files(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`uses: ([^@\s]+)@(\S+ # \S+)`).FindAllStringSubmatch(string(text), -1) {
			if before, found := known[match[1]]; found && before != match[2] {
				t.Errorf("%s uses %s@%s, another workflow %s", filepath.Base(path), match[1], match[2], before)
			}
			known[match[1]] = match[2]
		}
	}
	if len(known) < 5 {
		t.Errorf("expected more actions than %v", known)
	}
}

// The job that a branch requires always runs, needs every other job, and passes
// only when all of them were seen to pass.
func TestGateCannotBeSkippedIntoSuccess(t *testing.T) {
	for path, gate := range map[string]string{".github/workflows/ci.yml": "ci", ".github/workflows/pull-request.yml": "gate", "examples/workflows/pull-request.yml": "gate"} {
		t.Run(path, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(checkout, filepath.FromSlash(path)))
			if err != nil {
				t.Fatal(err)
			}
			var parsed workflow
			if err := yaml.Unmarshal(text, &parsed); err != nil {
				t.Fatal(err)
			}
			if got := events(&parsed.On); !slices.Contains(got, "merge_group") || !slices.Contains(got, "pull_request") {
				t.Errorf("it starts on %v", got)
			}
			if regexp.MustCompile(`(?m)^\s*paths(-ignore)?:`).Match(text) {
				t.Error("a filter of paths leaves the check pending for ever")
			}
			var others []string
			for name := range parsed.Jobs {
				if name != gate {
					others = append(others, name)
				}
			}
			slices.Sort(others)
			required := parsed.Jobs[gate]
			needs := needed(&required.Needs)
			slices.Sort(needs)
			if required.If != "always()" || !slices.Equal(needs, others) {
				t.Errorf("the gate runs if %q and needs %v of %v", required.If, needs, others)
			}
			want := `= success`
			if len(others) > 1 {
				want = `= "` + strings.TrimSpace(strings.Repeat("success ", len(others))) + `"`
			}
			if script := required.Steps[0].Run.Value; !strings.HasSuffix(strings.TrimSpace(script), want) {
				t.Errorf("the gate of %d jobs ends with %q", len(others), script)
			}
		})
	}
}

// needed are the jobs that a job needs, one or several.
func needed(needs *yaml.Node) []string {
	if needs.Kind == yaml.ScalarNode {
		return []string{needs.Value}
	}
	var names []string
	for _, node := range needs.Content {
		names = append(names, node.Value)
	}
	return names
}
