package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Residue lists what this machine still has of a lab: processes, mounts, links,
// namespaces, cgroups and files, in words. A lab that was taken down has none.
// Processes are looked for by what they were started with too, not only where
// taking the lab down looks for them.
func Residue(ctx context.Context, name string) ([]string, error) {
	where, err := newLayout(name)
	if err != nil {
		return nil, err
	}
	var left []string
	if where.namespace().Exists() {
		left = append(left, "network namespace "+where.namespace().Path())
	}
	for _, folder := range where.cgroup().Folders() {
		left = append(left, "cgroup "+folder)
	}
	if _, err := os.Stat(where.folder()); err == nil {
		left = append(left, "folder "+where.folder())
	}
	unused, err := unusedMountPoints(name)
	if err != nil {
		return nil, err
	}
	left = append(left, unused...)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	left = append(left, matching("mount", string(mounts), where.marks())...)
	links, err := exec.CommandContext(ctx, "ip", "-o", "link").Output()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	left = append(left, matching("link", string(links), []string{"node0", "uplink0", "link-netns " + where.identity()})...)
	processes, err := commandLines("/proc")
	if err != nil {
		return nil, err
	}
	return append(left, matching("process", processes, where.marks())...), nil
}

// unusedMountPoints are those that labs made, unless another lab needs them.
func unusedMountPoints(name string) ([]string, error) {
	names, err := Names()
	if err != nil || slices.ContainsFunc(names, func(other string) bool { return other != name }) {
		return nil, err
	}
	var left []string
	for _, folder := range insisted().made() {
		left = append(left, "mount point "+folder)
	}
	return left, nil
}

// commandLines lists every process that proc tells of, its pid and its
// arguments a line.
func commandLines(proc string) (string, error) {
	files, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "cmdline"))
	if err != nil {
		return "", fmt.Errorf("list processes: %w", err)
	}
	var lines strings.Builder
	for _, file := range files {
		// One that has ended meanwhile is none.
		arguments, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		// An argument may hold a line break, and ends with a zero byte.
		line := strings.NewReplacer("\x00", " ", "\n", " ").Replace(string(arguments))
		fmt.Fprintf(&lines, "%s %s\n", filepath.Base(filepath.Dir(file)), line)
	}
	return lines.String(), nil
}

// marks are texts that stand for the lab wherever they occur.
func (l layout) marks() []string {
	return []string{l.folder() + "/", l.namespace().Path()}
}

// matching returns the lines that hold one of the marks, each with what kind
// of thing it is.
func matching(kind, lines string, marks []string) []string {
	var found []string
	for line := range strings.Lines(lines) {
		for _, mark := range marks {
			if strings.Contains(line, mark) {
				found = append(found, kind+" "+strings.TrimSpace(line))
				break
			}
		}
	}
	return found
}
