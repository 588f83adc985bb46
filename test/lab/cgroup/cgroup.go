// Package cgroup makes a cgroup of one name in every hierarchy of the machine,
// finds what runs in it and removes it.
//
// Both generations are served: of the first there is a hierarchy for each
// controller, below /sys/fs/cgroup/NAME; the second has one in all, which is
// /sys/fs/cgroup itself, or a folder of it when both are in use.
package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

// mounted is where the hierarchies are.
const mounted = "/sys/fs/cgroup"

// Group is a cgroup of the same name in every hierarchy.
type Group struct {
	// Name is that of the folder.
	Name string
}

// Create makes the group in every hierarchy, with every controller enabled.
func (g Group) Create() error {
	for _, hierarchy := range hierarchies(mounted) {
		enableControllers(hierarchy)
		if err := os.MkdirAll(filepath.Join(hierarchy, g.Name), 0o755); err != nil {
			return fmt.Errorf("make cgroup: %w", err)
		}
	}
	return nil
}

// hierarchies lists the roots of the hierarchies: the folders that can hold
// processes.
func hierarchies(mounted string) []string {
	var roots []string
	if isCgroup(mounted) {
		return []string{mounted}
	}
	// The pattern is fixed and well-formed.
	folders, _ := filepath.Glob(filepath.Join(mounted, "*"))
	for _, folder := range folders {
		info, err := os.Lstat(folder)
		// cpu,cpuacct and its like are often reached by links too.
		if err == nil && info.IsDir() && isCgroup(folder) {
			roots = append(roots, folder)
		}
	}
	return roots
}

// isCgroup reports whether a folder is a cgroup.
func isCgroup(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "cgroup.procs"))
	return err == nil
}

// enableControllers lets groups in a second-generation hierarchy have every
// controller there is. What can't be enabled is found out by who needs it.
func enableControllers(hierarchy string) {
	available, err := os.ReadFile(filepath.Join(hierarchy, "cgroup.controllers"))
	if err != nil {
		return
	}
	for controller := range strings.FieldsSeq(string(available)) {
		_ = os.WriteFile(filepath.Join(hierarchy, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
	}
}

// Folders lists the group's folder in each hierarchy where it is.
func (g Group) Folders() []string {
	var folders []string
	for _, hierarchy := range hierarchies(mounted) {
		folder := filepath.Join(hierarchy, g.Name)
		if _, err := os.Stat(folder); err == nil {
			folders = append(folders, folder)
		}
	}
	return folders
}

// Processes lists what runs in the group and in groups below it.
func (g Group) Processes() []process.Record {
	seen := map[int]bool{}
	var found []process.Record
	for _, folder := range g.Folders() {
		for _, pid := range members(folder) {
			if seen[pid] {
				continue
			}
			seen[pid] = true
			// First who it is, then where it is: so a pid that is used again
			// in between never stands for a process elsewhere.
			record, err := process.Find(pid)
			if err == nil && g.holds(pid) {
				found = append(found, record)
			}
		}
	}
	return found
}

// members lists the pids in a folder and those below it.
func members(root string) []int {
	var pids []int
	for _, folder := range deepestFirst(root) {
		content, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(content)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// holds reports whether a process is in the group or below it.
func (g Group) holds(pid int) bool {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return err == nil && g.listed(string(content))
}

// listed looks for the group in the text of /proc/PID/cgroup, see cgroups(7).
func (g Group) listed(memberships string) bool {
	for line := range strings.Lines(memberships) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && (fields[2] == "/"+g.Name || strings.HasPrefix(fields[2], "/"+g.Name+"/")) {
			return true
		}
	}
	return false
}

// Remove removes the group from every hierarchy; nothing may run in it. The
// kernel may need a moment after the last process has ended.
func (g Group) Remove(ctx context.Context) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		last = nil
		for _, root := range g.Folders() {
			for _, folder := range deepestFirst(root) {
				if err := os.Remove(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
					last = err
				}
			}
		}
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("remove cgroup %s: %w", g.Name, errors.Join(err, last))
	}
	return nil
}

// deepestFirst lists a folder and those below it, in the order in which they
// can be removed.
func deepestFirst(root string) []string {
	var folders []string
	// A group that goes while it is listed is gone, which is the aim.
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, path)
		}
		return nil
	})
	slices.Reverse(folders)
	return folders
}
