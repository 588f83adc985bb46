// Package promtooltest runs Prometheus's own tool in tests: its parser and its
// engine are those that a server has.
package promtooltest

import (
	"os/exec"
	"testing"
)

// Run runs promtool, and says what it wrote and whether it passed. Without promtool
// the test fails.
func Run(t testing.TB, arguments ...string) (output string, passed bool) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is needed: it is part of Prometheus")
	}
	text, err := exec.CommandContext(t.Context(), path, arguments...).CombinedOutput() //nolint:gosec // a tool of the test's own choice
	return string(text), err == nil
}
