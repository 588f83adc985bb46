package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/faults"
)

// A fault is named by what is promised of it, so that a promise that has changed
// is tried again.
func TestAPromiseThatChangesIsTriedAgain(t *testing.T) {
	rows, err := faults.ReadTable(filepath.Join("..", "..", "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := faults.Matrix(rows)[0]
	kept := opened(t, t.TempDir())
	add(t, kept, outcome{Part: promise(found), Passed: true})
	other := found
	other.Row.Ends.Phase = rollout.Held
	if !kept.done(promise(found)) || kept.done(promise(other)) {
		t.Errorf("%q is done: %t; %q is done: %t", promise(found), kept.done(promise(found)), promise(other), kept.done(promise(other)))
	}
}

// No shop has more to bear than it should, and nothing is left out but what
// harms everybody.
func TestPortions(t *testing.T) {
	rows, err := faults.ReadTable(filepath.Join("..", "..", "docs", "faults.md"))
	if err != nil {
		t.Fatal(err)
	}
	matrix := faults.Matrix(rows)
	total := len(faults.Everybody(matrix))
	for _, portion := range portions(matrix) {
		total += len(portion.Cases)
		if len(portion.Cases) == 0 || len(portion.Cases) > perShop {
			t.Errorf("%s: %d cases in one shop", portion.Name, len(portion.Cases))
		}
	}
	if total != len(matrix) {
		t.Errorf("%d cases, want %d", total, len(matrix))
	}
}

// Faults are a table of their own, by the last attempt of each; what failed is
// told below, also where it has passed since.
func TestFaultsAreATable(t *testing.T) {
	kept := opened(t, t.TempDir())
	in := func(phase string, passed bool, detail string) outcome {
		return outcome{Part: "fault: Prometheus cut, in phase " + phase, Passed: passed, Detail: detail, Fault: "Prometheus cut", Stretch: "before"}
	}
	add(t, kept, in("preflight", false, "exit code 0, want 2"), in("preflight", true, ""), in("apply", false, "lost 3 requests"))
	text := document(kept)
	for _, part := range []string{"| Fault | before | switch | watch | after | back |", "| Prometheus cut | 1 of 2 | 0 of 0 |", "2 faults in phases of a run, at commit v1", "- exit code 0, want 2", "- lost 3 requests"} {
		if !strings.Contains(text, part) {
			t.Errorf("nothing says %q in:\n%s", part, text)
		}
	}
	if strings.Contains(text, "| fault: ") {
		t.Errorf("a fault is told as a part:\n%s", text)
	}
}
