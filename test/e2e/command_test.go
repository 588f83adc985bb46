package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// command runs a program in a folder, with the cluster's kubeconfig and what
// is given of the environment, until it ends.
func command(t *testing.T, folder string, environment []string, program string, args ...string) shop.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	result, err := place(t).Run(ctx, folder, environment, program, args...)
	if err != nil {
		t.Fatal(err)
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

// well fails the test unless a command has ended well.
func well(t *testing.T, result shop.Result) {
	t.Helper()
	if result.Code != 0 {
		t.Fatalf("exit code %d\n%s%s", result.Code, result.Stdout, result.Stderr)
	}
}
