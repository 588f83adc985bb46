package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// hangGuard ends a test that waits for something that never comes.
const hangGuard = time.Minute

// TestACancelledStep plays the runner's signals while the API server keeps the
// step waiting: the first ends it with the outputs written and nothing said to be
// finished, and the second at once.
func TestACancelledStep(t *testing.T) {
	for name, test := range map[string]struct {
		signals []os.Signal
		says    string
	}{
		"one signal":  {[]os.Signal{os.Interrupt}, "error: stopped: interrupted by signal: interrupt\n"},
		"by SIGTERM":  {[]os.Signal{syscall.SIGTERM}, "error: stopped: interrupted by signal: terminated\n"},
		"two signals": {[]os.Signal{os.Interrupt, syscall.SIGTERM}, ""}, // which of both ends is told is up to the machine
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{}, 64)
			silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
				asked <- struct{}{}
				<-request.Context().Done()
			}))
			defer silent.Close()
			folder := t.TempDir()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			log := &bytes.Buffer{}
			command := exec.Command(self, "main")
			command.Args[0], command.Dir, command.Stdout, command.Stderr = "bluegreen-action", folder, log, log
			command.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(folder, "none"), "INPUT_COMMAND=shift", "INPUT_ARGS=svc/shop --server "+silent.URL,
				"GITHUB_OUTPUT="+filepath.Join(folder, "output"), "GITHUB_STATE="+filepath.Join(folder, "state"), "GITHUB_STEP_SUMMARY="+filepath.Join(folder, "summary"), "RUNNER_TEMP="+folder)
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = command.Process.Kill() }()
			await(t, asked, "the first request")
			for _, signal := range test.signals {
				_ = command.Process.Signal(signal) // it may have ended by the first
			}
			ended := make(chan struct{})
			go func() { _ = command.Wait(); close(ended) }()
			await(t, ended, "the program's end")
			if code := command.ProcessState.ExitCode(); code != plugin.ExitHeld || !strings.Contains(log.String(), test.says) {
				t.Errorf("exit code %d:\n%s", code, log)
			}
			state, err := os.ReadFile(filepath.Join(folder, "state"))
			if err != nil || !strings.Contains(string(state), "\nshift\n") || strings.Contains(string(state), "finished") {
				t.Errorf("the state is %s, %v", state, err)
			}
			output, err := os.ReadFile(filepath.Join(folder, "output"))
			if test.says != "" && (err != nil || !strings.Contains(string(output), "\nheld\n")) {
				t.Errorf("the outputs are %s, %v", output, err)
			}
		})
	}
}

func await(t *testing.T, happened <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(hangGuard):
		t.Fatalf("still waiting for %s", what)
	}
}
