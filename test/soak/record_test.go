package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What passed is done and kept with the thresholds it was judged by; what
// failed is done again, and stays in the document.
func TestRecordGoesOnFromWhatPassed(t *testing.T) {
	folder := t.TempDir()
	first := opened(t, folder)
	limits := thresholds{P95: 0.9}
	add(t, first, outcome{Part: "A/A", Passed: true, Thresholds: &limits}, outcome{Part: "healthy release 1", Passed: true},
		outcome{Part: "healthy release 2", Detail: "exit code 3"})
	if err := first.verdict(); err == nil || !strings.Contains(err.Error(), "1 parts failed: healthy release 2") {
		t.Errorf("verdict = %v, want release 2 named", err)
	}

	second := opened(t, folder)
	if difference := cmp.Diff(first.Outcomes, second.Outcomes); difference != "" {
		t.Errorf("what is read (+) against what was kept (-):\n%s", difference)
	}
	if found, ok := second.thresholds(); !ok || found != limits {
		t.Errorf("thresholds = %+v, %t; want %+v", found, ok, limits)
	}
	if left := outstanding(3, second); cmp.Diff([]string{"healthy release 2", "healthy release 3"}, left) != "" {
		t.Errorf("outstanding = %v", left)
	}
	add(t, second, outcome{Part: "healthy release 2", Passed: true})
	if err := second.verdict(); err != nil {
		t.Errorf("verdict after the second attempt = %v", err)
	}
	if text := document(second); !strings.Contains(text, "FAILED") || !strings.Contains(text, "exit code 3") {
		t.Errorf("the document hides the first attempt:\n%s", text)
	}
}

// Lines are of any length, and one that was cut off as it was written is done
// again: it stands in the way neither of what is read nor of what comes after.
func TestRecordWithALineCutOff(t *testing.T) {
	folder := t.TempDir()
	long := outcome{Part: "healthy release 1", Passed: true, Commit: "v1", Detail: strings.Repeat("lost ", 40_000)}
	add(t, opened(t, folder), long)
	path := opened(t, folder).path
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []string{`{"part":"healthy rel`, `{"part":"healthy release 2","passed":true}`} {
		write(t, path, string(whole)+cut)
		kept := opened(t, folder)
		if difference := cmp.Diff([]outcome{long}, kept.Outcomes); difference != "" {
			t.Fatalf("what is read (+) of what was kept whole (-):\n%s", difference)
		}
		next := outcome{Part: "healthy release 2", Passed: true, Commit: "v1"}
		add(t, kept, next)
		if difference := cmp.Diff([]outcome{long, next}, opened(t, folder).Outcomes); difference != "" {
			t.Errorf("after %q what is read (+) against what was kept (-):\n%s", cut, difference)
		}
	}
}

// A line in the middle that can't be read is no accident of writing.
func TestRecordWithABrokenLineIsRefused(t *testing.T) {
	folder := t.TempDir()
	write(t, opened(t, folder).path, "{\n{}\n")
	if kept, err := readRecord("v1", "code", folder); err == nil {
		t.Errorf("read %+v", kept)
	}
}

// A tree with changes is no commit: nothing is read for it, nothing kept. The
// documents that the program writes are no changes.
func TestChangedTreeKeepsNothing(t *testing.T) {
	tree, folder := t.TempDir(), t.TempDir()
	t.Chdir(tree)
	write(t, "main.go", "package main")
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "start"}} {
		if output, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, output)
		}
	}
	add(t, recordOf(t, folder), outcome{Part: "healthy release 1", Passed: true})
	write(t, filepath.Join("docs", "soak.md"), "# Soak")
	if kept := recordOf(t, folder); !kept.done("healthy release 1") {
		t.Errorf("at the same commit nothing is done: %+v", kept)
	}

	write(t, "main.go", "package main // changed")
	changed := recordOf(t, folder)
	if changed.done("healthy release 1") || !strings.HasSuffix(changed.Commit, "-dirty") {
		t.Errorf("the changed tree has the record of its commit: %+v", changed)
	}
	add(t, changed, outcome{Part: "healthy release 1", Passed: true})
	if again := recordOf(t, folder); len(again.Outcomes) != 0 {
		t.Errorf("the changed tree kept %+v", again.Outcomes)
	}
}

// What passed stays so through commits of documents, and not through one of the
// code; there the document still tells what was done before, and at which commit.
func TestARecordIsOfTheCode(t *testing.T) {
	tree, folder := t.TempDir(), t.TempDir()
	t.Chdir(tree)
	commit := func(name, text string) *record {
		t.Helper()
		write(t, name, text)
		for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", name}} {
			if output, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
				t.Fatalf("git %v: %v: %s", args, err, output)
			}
		}
		return recordOf(t, folder)
	}
	first := commit("main.go", "package main")
	add(t, first, outcome{Part: "healthy release 1", Passed: true}, outcome{Part: "A/A", Passed: true})
	if kept := commit(filepath.Join("docs", "faults.md"), "# Faults"); !kept.done("A/A") || len(kept.Earlier) != 0 {
		t.Errorf("a document has made the record another one: %+v", kept)
	}
	second := commit("main.go", "package main // better")
	if second.done("A/A") {
		t.Error("what passed with other code is done")
	}
	add(t, second, outcome{Part: "A/A", Passed: true})
	text := document(recordOf(t, folder))
	for _, line := range []string{"| healthy release 1 | passed | 0s | " + first.Commit + " |", "| A/A | passed | 0s | " + second.Commit + " |"} {
		if !strings.Contains(text, line) {
			t.Errorf("nothing says %q in:\n%s", line, text)
		}
	}
	if strings.Contains(text, "| A/A | passed | 0s | "+first.Commit+" |") {
		t.Errorf("what was done again is told by the first time:\n%s", text)
	}
}

// Kills are a table of their own, by the last attempt; what failed before is
// told all the same. The table is made from what was kept.
func TestKillsAreATable(t *testing.T) {
	folder := t.TempDir()
	first := opened(t, folder)
	chain := service.Chains()[0]
	add(t, first, outcome{Part: "service: chain", Driver: "service", Case: &chain, Detail: "lost 3 requests"},
		outcome{Part: "healthy release 1", Passed: true})
	if text := document(first); !strings.Contains(text, "| shift | begin | FAILED |") {
		t.Errorf("the failure is not in the table:\n%s", text)
	}
	add(t, first, outcome{Part: "service: chain", Driver: "service", Case: &chain, Passed: true})
	text := document(opened(t, folder))
	for _, part := range []string{"| healthy release 1 | passed |", "## Killed runs of a service: 1 cases", "| shift | transition switch → prove | converged |", "- service: chain: lost 3 requests"} {
		if !strings.Contains(text, part) {
			t.Errorf("nothing says %q in:\n%s", part, text)
		}
	}
	if strings.Contains(text, "| service: chain |") || strings.Contains(text, "FAILED") {
		t.Errorf("a kill is told as a part, or by an attempt that was made again:\n%s", text)
	}
}

func opened(t *testing.T, folder string) *record {
	t.Helper()
	kept, err := readRecord("v1", "code", folder)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func recordOf(t *testing.T, folder string) *record {
	t.Helper()
	kept, err := openRecord(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func add(t *testing.T, kept *record, outcomes ...outcome) {
	t.Helper()
	for _, found := range outcomes {
		if err := kept.add(found); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
