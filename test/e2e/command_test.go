package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// command runs a program in a folder, with the cluster's kubeconfig and what
// is given of the environment, until it ends.
func command(t *testing.T, folder string, environment []string, program string, args ...string) shop.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	var stdout, stderr bytes.Buffer
	process := exec.CommandContext(ctx, program, args...)
	process.Dir = folder
	process.Env = append(os.Environ(), append([]string{"NO_COLOR=1", "KUBECONFIG=" + place(t).Kubeconfig}, environment...)...)
	process.Stdout, process.Stderr = &stdout, &stderr
	began := time.Now()
	err := process.Run()
	result := shop.Result{Stdout: stdout.String(), Stderr: stderr.String(), Took: time.Since(began)}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.Exited():
		result.Code = exit.ExitCode()
	case err != nil:
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, result.Stderr)
	}
	return result
}

// byHand runs the cluster's own kubectl in the shop's namespace, and fails
// the test unless it ends well.
func (s *scenario) byHand(args ...string) string {
	s.t.Helper()
	args = slices.Insert(args, 0, "-n", s.shop.Namespace)
	result := command(s.t, s.shop.Folder, nil, "kubectl", args...)
	if result.Code != 0 {
		s.t.Fatalf("kubectl %s: exit code %d\n%s", strings.Join(args, " "), result.Code, result.Stderr)
	}
	return result.Stdout
}

// says fails the test unless a text holds all the parts.
func says(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("nothing says %q in:\n%s", part, text)
		}
	}
}
