package network

import (
	"os"
	"slices"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

// isSelf recognises the test itself.
func isSelf(record process.Record) bool { return record.PID == os.Getpid() }

func TestAncestorsHoldSelfAndParent(t *testing.T) {
	seen := ancestors(os.Getpid())
	for _, pid := range []int{os.Getpid(), os.Getppid()} {
		if !seen[pid] {
			t.Errorf("ancestors lack %d: %v", pid, seen)
		}
	}
}

func TestMembersLeavesTheExceptedOut(t *testing.T) {
	own, err := os.Stat("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	all, err := members(own, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all, isSelf) {
		t.Errorf("members of the own namespace lack the test itself")
	}
	rest, err := members(own, map[int]bool{os.Getpid(): true})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(rest, isSelf) {
		t.Errorf("members hold a process that was excepted")
	}
}

func TestANamespaceThatIsNotThereHasNoProcesses(t *testing.T) {
	pids, err := Namespace{Name: "bluegreen-there-is-none"}.Processes()
	if err != nil || len(pids) != 0 {
		t.Errorf("got %v, %v", pids, err)
	}
}
