package main

import (
	"bytes"
	"context"
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

// TestTheSecondSignalLeavesAtOnce: a command that does not come back is left,
// and says so in one line.
func TestTheSecondSignalLeavesAtOnce(t *testing.T) {
	for name, sent := range map[string][]os.Signal{
		"interrupted twice":              {os.Interrupt, os.Interrupt},
		"a closed terminal":              {syscall.SIGHUP, os.Interrupt},
		"a terminal closed in two steps": {syscall.SIGHUP, syscall.SIGHUP, syscall.SIGTERM},
		"closed after an interrupt":      {os.Interrupt, syscall.SIGHUP},
	} {
		t.Run(name, func(t *testing.T) {
			signals, told, deaf := make(chan os.Signal), &bytes.Buffer{}, newDeaf(t)
			code := make(chan int, 1)
			go func() { code <- supervise(signals, told, deaf.command) }()
			for _, signal := range sent { // each is heard before the next
				signals <- signal
				await(t, deaf.cancelled, "the cancellation")
			}
			select {
			case got := <-code:
				if got != plugin.ExitHeld {
					t.Errorf("exit code %d, expected %d", got, plugin.ExitHeld)
				}
			case <-time.After(hangGuard):
				t.Fatal("the last signal was not heard")
			}
			if cause := deaf.cause.Error(); cause != "interrupted by signal: "+sent[0].String() {
				t.Errorf("the cause does not name the first signal: %s", cause)
			}
			if want := "left at once: what it was doing is in the record; next: kubectl bluegreen status\n"; told.String() != want {
				t.Errorf("told %q, expected %q", told, want)
			}
		})
	}
}

// TestAClosedTerminalMaySendItsSignalTwice: the command ends in its own time.
func TestAClosedTerminalMaySendItsSignalTwice(t *testing.T) {
	signals, told, deaf := make(chan os.Signal), &bytes.Buffer{}, newDeaf(t)
	code := make(chan int, 1)
	go func() { code <- supervise(signals, told, deaf.command) }()
	for range 3 { // the third is taken only when the second did not leave
		select {
		case signals <- syscall.SIGHUP:
		case got := <-code:
			t.Fatalf("left with exit code %d", got)
		}
	}
	close(deaf.ends)
	if got := <-code; got != plugin.ExitRolledBack || told.Len() > 0 {
		t.Errorf("exit code %d, expected %d; told %q", got, plugin.ExitRolledBack, told)
	}
}

// deaf is a command that ends only when it is let.
type deaf struct {
	cancelled, ends chan struct{}
	cause           error
}

func newDeaf(t *testing.T) *deaf {
	made := &deaf{cancelled: make(chan struct{}), ends: make(chan struct{})}
	t.Cleanup(func() {
		select {
		case <-made.ends:
		default:
			close(made.ends)
		}
	})
	return made
}

func (d *deaf) command(ctx context.Context) int {
	<-ctx.Done()
	d.cause = context.Cause(ctx)
	close(d.cancelled)
	<-d.ends
	return plugin.ExitRolledBack
}

func TestACommandThatReturnsKeepsItsCode(t *testing.T) {
	if got := supervise(make(chan os.Signal), &bytes.Buffer{}, func(context.Context) int { return plugin.ExitRolledBack }); got != plugin.ExitRolledBack {
		t.Errorf("exit code %d, expected %d", got, plugin.ExitRolledBack)
	}
}
