package shop

import (
	"strings"
	"syscall"
	"testing"
)

// A program has the kubeconfig of its place, whatever this process has, and the
// variables that are given; a code is no error, an end without one is.
func TestRunSaysHowAProgramEnded(t *testing.T) {
	t.Setenv("KUBECONFIG", "/somebody/elses")
	place, folder := &Place{Kubeconfig: "/the/places"}, t.TempDir()
	result, err := place.Run(t.Context(), folder, []string{"WORD=said"}, "sh", "-c", `pwd; echo $KUBECONFIG $WORD >&2; exit 3`)
	if err != nil {
		t.Fatal(err)
	}
	if result.Code != 3 || strings.TrimSpace(result.Stdout) != folder || result.Stderr != "/the/places said\n" || result.Took <= 0 {
		t.Errorf("%+v; want code 3 in %s, with the kubeconfig and the word", result, folder)
	}
	if result, err := place.Run(t.Context(), folder, []string{"KUBECONFIG=/another"}, "sh", "-c", "echo $KUBECONFIG"); err != nil || result.Stdout != "/another\n" {
		t.Errorf("what is given does not come last: %q, %v", result.Stdout, err)
	}

	killed, err := place.Start(t.Context(), folder, nil, "sleep", "60")
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if result, err := killed.Wait(); err == nil {
		t.Errorf("a killed program ended with code %d", result.Code)
	}
	if _, err := place.Run(t.Context(), folder, nil, "no-such-program"); err == nil {
		t.Error("a program that is not there was run")
	}
}
