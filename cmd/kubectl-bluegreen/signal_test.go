package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// hangGuard ends a test that waits for something that never comes. It is no
// measurement: everything here takes milliseconds.
const hangGuard = time.Minute

// TestTheFirstSignalCancelsWithItsName interrupts the program while the API
// server keeps it waiting, as a person does who loses patience.
func TestTheFirstSignalCancelsWithItsName(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			asked := make(chan struct{}, 64)
			silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
				asked <- struct{}{}
				<-request.Context().Done()
			}))
			defer silent.Close()
			command, stderr := program(t, "status", "svc/shop", "--server", silent.URL)
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = command.Process.Kill() }()
			await(t, asked, "the first request")
			if err := command.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if code := exitCode(t, command); code != plugin.ExitHeld {
				t.Errorf("exit code %d, expected %d", code, plugin.ExitHeld)
			}
			if want := "error: stopped: interrupted by signal: " + signal.String() + "\n"; stderr.String() != want {
				t.Errorf("stderr %q, expected %q", stderr, want)
			}
		})
	}
}

// TestAReaderThatIsGoneEndsNothing: the lines go nowhere, and the command on.
func TestAReaderThatIsGoneEndsNothing(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	command, _ := program(t, "help")
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, command); code != plugin.ExitDone {
		t.Errorf("ended with %s, expected exit code %d", command.ProcessState, plugin.ExitDone)
	}
}

// program is this test binary, run as the plugin.
func program(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self, args...)
	command.Args[0] = "kubectl-bluegreen"
	command.Dir = t.TempDir()
	command.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(command.Dir, "none"))
	stderr := &bytes.Buffer{}
	command.Stderr = stderr
	return command, stderr
}

func exitCode(t *testing.T, command *exec.Cmd) int {
	t.Helper()
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }()
	await(t, ended, "the program's end")
	return command.ProcessState.ExitCode()
}

func await(t *testing.T, happened <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-happened:
	case <-time.After(hangGuard):
		t.Fatalf("still waiting for %s", what)
	}
}
