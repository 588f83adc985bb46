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

// jobs are those of a workflow.
func jobs(t *testing.T, path string) map[string]job {
	t.Helper()
	var parsed workflow
	if err := yaml.Unmarshal([]byte(read(t, checkout, path)), &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed.Jobs
}

// read is a file below a folder.
func read(t *testing.T, folder, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// script is the only script of a job that holds a text.
func script(t *testing.T, path, name, text string) string {
	t.Helper()
	var found []string
	for _, step := range jobs(t, path)[name].Steps {
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

// An issue is opened once, however often going back would not work, and says why. One
// that somebody else has opened under its title, or that was closed, is not it.
func TestIssueIsOpenedOnce(t *testing.T) {
	for name, test := range map[string]struct{ verdict, failed, want string }{
		"blocked":               {"blocked", "BG-COL-01,BG-NET-01", "Verdict: blocked\nChecks that failed: BG-COL-01,BG-NET-01\n"},
		"the check never began": {"", "", "Verdict: nobody can tell\nChecks that failed: none\n"},
	} {
		t.Run(name, func(t *testing.T) {
			hub := standIn(t, map[string]string{"issues.json": `[
				{"title": "t", "state": "OPEN", "author": {"is_bot": false, "login": "mallory"}},
				{"title": "t", "state": "OPEN", "author": {"is_bot": true, "login": "app/dependabot"}},
				{"title": "t", "state": "CLOSED", "author": {"is_bot": true, "login": "app/github-actions"}},
				{"title": "u", "state": "OPEN", "author": {"is_bot": true, "login": "app/github-actions"}}
			]`})
			open := script(t, "examples/workflows/rollback-check.yml", "check", "gh issue")
			for range 2 {
				if !run(t, open, "FOLDER="+hub, "GITHUB_REPOSITORY=o/r", "TITLE=t", "VERDICT="+test.verdict, "FAILED="+test.failed, "RUN=https://github.com/o/r/actions/runs/1") {
					t.Fatal("the script failed")
				}
			}
			list := "issue list --repo o/r --state open --limit 1000\n"
			if diff := cmp.Diff(list+"issue create --repo o/r --title t --body-file -\n"+list, read(t, hub, "calls")); diff != "" {
				t.Errorf("gh was called otherwise (-want +got):\n%s", diff)
			}
			want := test.want + "Report: https://github.com/o/r/actions/runs/1\n\nnext: kubectl bluegreen check --stage rollback\n"
			if diff := cmp.Diff(want, read(t, hub, "body")); diff != "" {
				t.Errorf("the issue (-want +got):\n%s", diff)
			}
		})
	}
}

// The issue is opened whenever the check did not end well, also where it never began.
func TestIssueIsOpenedWheneverNobodyCanTell(t *testing.T) {
	for _, step := range jobs(t, "examples/workflows/rollback-check.yml")["check"].Steps {
		if strings.Contains(step.Run.Value, "gh issue") && step.If != "always() && steps.check.outcome != 'success'" {
			t.Errorf("the issue is opened if %q", step.If)
		}
	}
}

// What people are offered is the newest version, by its numbers: a candidate is not, nor
// is an older version that was mended. Each file that is published is signed.
func TestNewestVersionIsOffered(t *testing.T) {
	const path = ".github/workflows/release.yml"
	publish := script(t, path, "publish", "gh release create")
	var signed string
	for _, step := range jobs(t, path)["publish"].Steps {
		if files, signs := step.With["subject-path"]; signs {
			signed = strings.Join(strings.Fields(files.Value), " ")
		}
	}
	for name, test := range map[string]struct{ tag, released, kind, newest string }{
		"the first":                {"v1.0.0", `[]`, "--latest", "true"},
		"the next":                 {"v1.2.4", `[{"tagName": "v1.2.3"}, {"tagName": "v1.1.9"}]`, "--latest", "true"},
		"by numbers":               {"v1.10.0", `[{"tagName": "v1.9.1"}]`, "--latest", "true"},
		"an older one, mended":     {"v1.1.5", `[{"tagName": "v1.2.0"}, {"tagName": "v1.1.4"}]`, "--latest=false", "false"},
		"an older one, by numbers": {"v1.9.2", `[{"tagName": "v1.10.0"}]`, "--latest=false", "false"},
		"a candidate":              {"v1.3.0-rc.1", `[{"tagName": "v1.2.0"}]`, "--prerelease", "false"},
		"while a candidate is out": {"v1.2.1", `[{"tagName": "v1.3.0-rc.1", "isPrerelease": true}, {"tagName": "v1.2.0"}]`, "--latest", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			hub := standIn(t, map[string]string{"releases.json": test.released})
			if !run(t, publish, "FOLDER="+hub, "GITHUB_REPOSITORY=o/r", "TAG="+test.tag, "GITHUB_OUTPUT="+filepath.Join(hub, "output")) {
				t.Fatal("the script failed")
			}
			calls := strings.Split(strings.TrimSpace(read(t, hub, "calls")), "\n")
			want := "release create " + test.tag + " --repo o/r --verify-tag " + test.kind + " --title " + test.tag + " --notes-file release/CHANGELOG.md " + signed
			if diff := cmp.Diff(want, calls[len(calls)-1]); diff != "" {
				t.Errorf("it was published otherwise (-want +got):\n%s", diff)
			}
			if got := read(t, hub, "output"); got != "newest="+test.newest+"\n" {
				t.Errorf("krew-index hears by %q", got)
			}
		})
	}
	if got := jobs(t, path)["krew"].If; got != "needs.publish.outputs.newest == 'true'" {
		t.Errorf("krew-index is asked if %q", got)
	}
}

// What is released is on a branch that has rules: main, or that of its minor version.
func TestTagsOfOtherBranchesAreRefused(t *testing.T) {
	folder := filepath.Join(t.TempDir(), ".git")
	git := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		command.Env = append(os.Environ(), "GIT_DIR="+folder)
		out, err := command.Output()
		if err != nil {
			t.Fatalf("git %s: %v", args[0], err)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet", "--bare")
	tree := git("hash-object", "-t", "tree", "-w", "--stdin")
	commit := func(message string, parents ...string) string {
		return git(append([]string{"commit-tree", tree, "-m", message}, parents...)...)
	}
	first := commit("first")
	second := commit("second", "-p", first)
	mended, stray := commit("mended", "-p", first), commit("stray", "-p", second)
	git("update-ref", "refs/remotes/origin/main", second)
	git("update-ref", "refs/remotes/origin/support-v1.1", mended)
	git("update-ref", "refs/remotes/origin/release-v1.2.0", stray)

	allowed := script(t, ".github/workflows/release.yml", "build", "merge-base")
	for name, test := range map[string]struct {
		tag, commit string
		passes      bool
	}{
		"on main":                     {"v1.2.0", second, true},
		"on main, earlier":            {"v1.2.0", first, true},
		"a candidate":                 {"v1.2.0-rc.1", second, true},
		"on a branch for its mends":   {"v1.1.5", mended, true},
		"a candidate of a mend":       {"v1.1.5-rc.1", mended, true},
		"a mend of another version":   {"v1.2.1", mended, false},
		"on no branch that has rules": {"v1.2.0", stray, false},
	} {
		t.Run(name, func(t *testing.T) {
			git("update-ref", "--no-deref", "HEAD", test.commit)
			if got := run(t, allowed, "GIT_DIR="+folder, "TAG="+test.tag); got != test.passes {
				t.Errorf("it may be released: %t", got)
			}
		})
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
