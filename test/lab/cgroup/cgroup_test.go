package cgroup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hierarchy makes folders that look like cgroups.
func hierarchy(t *testing.T, folders ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, folder := range folders {
		path := filepath.Join(root, folder)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "cgroup.procs"), []byte("17\n18\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestHierarchies(t *testing.T) {
	first := hierarchy(t, "cpu", "memory")
	if err := os.Symlink(filepath.Join(first, "cpu"), filepath.Join(first, "cpuacct")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(first, "other"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(first, "cpu"), filepath.Join(first, "memory")}
	if diff := cmp.Diff(want, hierarchies(first)); diff != "" {
		t.Errorf("first generation (-want +got):\n%s", diff)
	}
	second := hierarchy(t, ".", "system.slice")
	if diff := cmp.Diff([]string{second}, hierarchies(second)); diff != "" {
		t.Errorf("second generation (-want +got):\n%s", diff)
	}
}

func TestMembersAreThoseOfEveryDepth(t *testing.T) {
	root := hierarchy(t, "lab", "lab/pods", "lab/pods/a")
	if got := len(members(filepath.Join(root, "lab"))); got != 6 {
		t.Errorf("found %d, want 6", got)
	}
}

func TestListed(t *testing.T) {
	group := Group{Name: "bluegreen-a"}
	tests := map[string]struct {
		memberships string
		want        bool
	}{
		"below it":             {"4:memory:/\n3:pids:/bluegreen-a/kubepods/x\n", true},
		"in it":                {"0::/bluegreen-a\n", true},
		"in one with its name": {"3:pids:/bluegreen-ab/x\n", false},
		"in one further down":  {"3:pids:/x/bluegreen-a/y\n", false},
		"none":                 {"", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := group.listed(test.memberships); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
