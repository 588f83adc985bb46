package programs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const (
	// policy is what Debian's package scripts ask before they start a daemon;
	// exit status 101 forbids it.
	policy = "/usr/sbin/policy-rc.d"
	// forbidding is what is written there. It says whose it is, so that what a
	// killed process left is known again.
	forbidding = "#!/bin/sh\n# Written by kubectl-bluegreen's lab while it installs packages, and removed by it.\nexit 101\n"
)

// forbidDaemons keeps package scripts from starting daemons until allow is
// called. A policy that is there already stays in charge.
func forbidDaemons(path string) (allow func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("forbid daemons to start: %w", err)
	}
	_, err = file.WriteString(forbidding)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("forbid daemons to start: %w", err), os.Remove(path))
	}
	return func() { _ = os.Remove(path) }, nil
}

// policyLeftOver reports whether the policy at a path was written here. While
// nobody holds the lock for installing, it was left by a process that was
// killed.
func policyLeftOver(path string) bool {
	content, err := os.ReadFile(path)
	return err == nil && string(content) == forbidding
}

// removeLeftOver removes such a policy, and no other one.
func removeLeftOver(path string) error {
	if !policyLeftOver(path) {
		return nil
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("allow daemons to start: %w", err)
	}
	return nil
}

// units lists systemd's units that it has files of, and chosen says which. A
// machine without systemd has none.
func units(ctx context.Context, chosen ...string) ([]string, error) {
	if _, err := exec.LookPath("systemctl"); err != nil {
		return nil, nil //nolint:nilerr // nothing starts with a machine that has no systemd
	}
	args := append([]string{"list-unit-files", "--no-legend", "--no-pager"}, chosen...)
	output, err := exec.CommandContext(ctx, "systemctl", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("list systemd's units: %w", err)
	}
	var names []string
	for line := range strings.Lines(string(output)) {
		if fields := strings.Fields(line); len(fields) > 0 {
			names = append(names, fields[0])
		}
	}
	return names, nil
}

// added are those of the names that were not known.
func added(known, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(known, name) })
}

// disable keeps the units that are enabled and were not known before from
// starting with the machine, and says so: a database and a monitoring that were
// installed for a lab's images are not what somebody expects to find running.
func disable(ctx context.Context, out io.Writer, known []string) error {
	enabled, err := units(ctx, "--state=enabled")
	if err != nil {
		return err
	}
	names := added(known, enabled)
	if len(names) == 0 {
		return nil
	}
	output, err := exec.CommandContext(ctx, "systemctl", append([]string{"disable"}, names...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("disable %s: %w\n%s", strings.Join(names, ", "), err, tail(string(output), 5))
	}
	fmt.Fprintf(out, "disabled what these packages would start with the machine: %s (systemctl enable NAME changes that)\n", strings.Join(names, ", "))
	return nil
}
