package workflows

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// script is the only script of a job that holds a text.
func script(t *testing.T, path, name, text string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(checkout, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	var parsed workflow
	if err := yaml.Unmarshal(content, &parsed); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, step := range parsed.Jobs[name].Steps {
		if strings.Contains(step.Run.Value, text) {
			found = append(found, step.Run.Value)
		}
	}
	if len(found) != 1 {
		t.Fatalf("expected one script of job %s that holds %q, found %q", name, text, found)
	}
	return found[0]
}

// run runs a script as a runner does, with variables beside PATH, and reports
// whether it succeeded.
func run(t *testing.T, script string, variables ...string) bool {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", "-e", "-c", script)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH")}, variables...)
	out, err := command.CombinedOutput()
	t.Logf("%v: %s", err, out)
	return err == nil
}

// The gate passes by what it was seen to pass, and by nothing else.
func TestGatePassesBySuccessAlone(t *testing.T) {
	gate := script(t, "examples/workflows/pull-request.yml", "gate", "RESULT")
	for result, passes := range map[string]bool{"success": true, "failure": false, "cancelled": false, "skipped": false, "": false} {
		if got := run(t, gate, "RESULT="+result); got != passes {
			t.Errorf("with a check that ended as %q the gate passes: %t", result, got)
		}
	}
	own := script(t, ".github/workflows/ci.yml", "ci", "RESULTS")
	for results, passes := range map[string]bool{
		"success success success success": true, "success success success skipped": false, "success failure success success": false, "success success success": false,
	} {
		if got := run(t, own, "RESULTS="+results); got != passes {
			t.Errorf("with jobs that ended as %q the gate passes: %t", results, got)
		}
	}
}

// gh stands in for GitHub's program: it keeps the titles of issues, as what each
// call is, and what an issue says.
const gh = `#!/bin/sh
echo "$1 $2" >> "$FOLDER/calls"
case "$2" in
list) if [ -e "$FOLDER/issue" ]; then echo 1; else echo 0; fi ;;
create) cat > "$FOLDER/issue" ;;
esac
`

// An issue is opened once, however often going back would not work, and says why.
func TestIssueIsOpenedOnce(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "gh"), []byte(gh), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	open := script(t, "examples/workflows/rollback-check.yml", "check", "gh issue")
	for range 2 {
		if !run(t, open, "FOLDER="+folder, "GITHUB_REPOSITORY=o/r", "TITLE=t", "VERDICT=blocked", "FAILED=BG-COL-01,BG-NET-01", "RUN=https://github.com/o/r/actions/runs/1") {
			t.Fatal("the script failed")
		}
	}
	for name, want := range map[string]string{
		"calls": "issue list\nissue create\nissue list\n",
		"issue": "Verdict: blocked\nChecks that failed: BG-COL-01,BG-NET-01\nReport: https://github.com/o/r/actions/runs/1\n\nnext: kubectl bluegreen check --stage rollback\n",
	} {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// The kubeconfig is written for the runner's user alone, as it is, and later steps
// find it.
func TestKubeconfigIsForItsUserAlone(t *testing.T) {
	reach := script(t, "examples/workflows/deploy.yml", "shift", "kubeconfig")
	folder := t.TempDir()
	variables := filepath.Join(folder, "env")
	text := "users:\n- name: '%s $(id)'\n"
	if !run(t, reach, "TEXT="+text, "RUNNER_TEMP="+folder, "GITHUB_ENV="+variables) {
		t.Fatal("the script failed")
	}
	path := filepath.Join(folder, "kubeconfig")
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(got)); diff != "" {
		t.Errorf("the kubeconfig (-want +got):\n%s", diff)
	}
	if about, err := os.Stat(path); err != nil || about.Mode().Perm() != 0o600 {
		t.Errorf("it is %v, %v", about.Mode(), err)
	}
	if set, err := os.ReadFile(variables); err != nil || string(set) != "KUBECONFIG="+path+"\n" {
		t.Errorf("later steps have %q, %v", set, err)
	}
}
