package network

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

// members lists the processes whose network namespace is the given file, but
// for the excepted ones.
func members(namespace os.FileInfo, except map[int]bool) ([]process.Record, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var found []process.Record
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || except[pid] {
			continue
		}
		// First who it is, then where it is: so a pid that is used again in
		// between never stands for a process elsewhere.
		record, err := process.Find(pid)
		if err != nil {
			continue
		}
		info, err := os.Stat(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err == nil && os.SameFile(info, namespace) {
			found = append(found, record)
		}
	}
	return found, nil
}

// ancestors is the set of pid, its parent, that one's parent and so on.
func ancestors(pid int) map[int]bool {
	seen := map[int]bool{}
	for pid > 0 && !seen[pid] {
		seen[pid] = true
		pid = parent(pid)
	}
	return seen
}

// parent is the pid of a process's parent, 0 if there is none.
func parent(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in brackets may hold anything; the state and the parent follow.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	number, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return number
}
