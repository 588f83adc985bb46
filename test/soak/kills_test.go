package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
)

// matrix is a small one.
func matrix() []crash.Case { return crash.Matrix(service.Forward()[:3], crash.Backward()[:2]) }

// The lanes share what is left of the chosen shard, each case once.
func TestLanesShareWhatIsLeft(t *testing.T) {
	all, kept := matrix(), opened(t, t.TempDir())
	add(t, kept, outcome{Part: caseName(service, all[1]), Passed: true}, outcome{Part: caseName(service, all[2])})
	left, err := unkilled(all, options{sample: 1}, service, kept)
	if err != nil || len(left) != len(all)-1 {
		t.Fatalf("%d cases are left of %d, %v", len(left), len(all), err)
	}
	var shared []string
	for number := range 3 {
		for _, found := range crash.Shard(left, number+1, 3) {
			shared = append(shared, found.Name)
		}
	}
	want := []string{all[0].Name}
	for _, found := range all[2:] {
		want = append(want, found.Name)
	}
	if difference := cmp.Diff(want, shared); difference != "" {
		t.Errorf("what the lanes do (-want +got):\n%s", difference)
	}
	if left, err := unkilled(all, options{sample: 1, shard: "2/2"}, service, opened(t, t.TempDir())); err != nil || !cmp.Equal(all[len(all)/2:], left) {
		t.Errorf("the second half of %d cases is %d of them, %v", len(all), len(left), err)
	}
}

// A selection is one of the whole matrix, and shared out like that.
func TestLanesShareASelection(t *testing.T) {
	selected := crash.Sample(matrix(), 4)
	left, err := unkilled(matrix(), options{sample: 4}, service, opened(t, t.TempDir()))
	if difference := cmp.Diff(selected, left); err != nil || difference != "" {
		t.Errorf("%v %s", err, difference)
	}
	if len(selected) == 0 || 3*len(selected) > len(matrix()) {
		t.Errorf("the selection is %d of %d", len(selected), len(matrix()))
	}
}

// The document says how many kills of how many were made, for each kind of route
// at the commit at which they were; the kills of one kind leave those of another
// where they are.
func TestKillsAreCounted(t *testing.T) {
	folder, all := t.TempDir(), matrix()
	kill := func(driver string, number, of int) outcome {
		return outcome{Part: caseName(crash.Driver{Name: driver}, all[number]), Passed: true, Driver: driver, Case: &all[number], Of: of}
	}
	old, err := readRecord("v1", "one", folder)
	if err != nil {
		t.Fatal(err)
	}
	add(t, old, kill("service", 0, 8), kill("service", 1, 8), kill("routegroup", 0, 12))
	now, err := readRecord("v2", "other", folder)
	if err != nil {
		t.Fatal(err)
	}
	add(t, now, kill("routegroup", 1, 12), kill("custom", 0, 0))
	text := document(now)
	for _, title := range []string{
		"## Killed runs of a service: 2 of 8 cases, at commit v1\n", "## Killed runs of a routegroup: 1 of 12 cases, at commit v2\n",
		"## Killed runs of a custom: 1 cases, at commit v2\n",
	} {
		if !strings.Contains(text, title) {
			t.Errorf("nothing says %q in:\n%s", title, text)
		}
	}
}

// A case that one lane alone has come to, or come to twice, is there once.
func TestMatricesAreJoined(t *testing.T) {
	all, extra := matrix(), crash.Case{Name: "seen in lane 2 alone"}
	got := joined([][]crash.Case{append(matrix(), all[1]), append(matrix()[1:], extra)})
	if difference := cmp.Diff(append(matrix(), extra), got); difference != "" {
		t.Errorf("joined (-want +got):\n%s", difference)
	}
}

// The pods of all lanes have less sessions than there are.
func TestPoolsFit(t *testing.T) {
	for lanes := 1; lanes <= connections/podsPerLane; lanes++ {
		if used := lanes * podsPerLane * poolOf(lanes); used > connections || poolOf(lanes) < 1 {
			t.Errorf("%d lanes use %d sessions, with pools of %d", lanes, used, poolOf(lanes))
		}
	}
}

var service = crash.Driver{Name: "service"}
