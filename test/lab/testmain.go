package lab

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

const (
	// ReuseVariable names the environment variable with the name of a lab
	// that tests shall use and leave up.
	ReuseVariable = "BLUEGREEN_LAB"
	// insideVariable tells a test binary that it runs inside this lab.
	insideVariable = "BLUEGREEN_LAB_INSIDE"
)

// Main is the body of a TestMain for tests that need a cluster. It starts a
// lab, runs the test binary a second time inside it with the same flags, takes
// the lab down however that ended, and returns the exit status.
//
// Without a name in the options the lab gets one of its own, so test binaries
// may run side by side. A lab named by BLUEGREEN_LAB is started if it isn't up
// and is left up.
func Main(m *testing.M, options Options) int {
	if os.Getenv(insideVariable) != "" {
		return m.Run()
	}
	flag.Parse()
	if list := flag.Lookup("test.list"); list != nil && list.Value.String() != "" {
		return m.Run()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer stop()
	status, err := runInside(ctx, options)
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		return 1
	}
	return status
}

// Current returns the lab that the test runs in. The package's TestMain must
// have called [Main].
func Current(t testing.TB) *Lab {
	t.Helper()
	name := os.Getenv(insideVariable)
	if name == "" {
		t.Fatal("this test runs inside a lab: call lab.Main from the package's TestMain")
	}
	current, err := Attach(name)
	if err != nil {
		t.Fatal(err)
	}
	return current
}

// runInside starts the lab, runs this binary in it and takes the lab down.
func runInside(ctx context.Context, options Options) (status int, err error) {
	reused := os.Getenv(ReuseVariable)
	switch {
	case reused != "":
		options.Name = reused
	case options.Name == "":
		options.Name = fmt.Sprintf("test-%d", os.Getpid())
		fallthrough
	default:
		options.Owned = true
	}
	if options.Out == nil {
		options.Out = os.Stderr
	}
	started, err := Start(ctx, options)
	if err != nil {
		return 1, err
	}
	if reused == "" {
		defer func() {
			// An interrupt ends ctx, and the lab must go even so.
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			err = errors.Join(err, started.Stop(last))
		}()
	}
	return started.again(ctx)
}

// again runs this binary with its own arguments inside the lab and returns its
// exit status.
func (l *Lab) again(ctx context.Context) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 1, fmt.Errorf("run the tests inside lab %s: %w", l.Name(), err)
	}
	inside := l.Command(ctx, self, os.Args[1:]...)
	inside.Stdin, inside.Stdout, inside.Stderr = os.Stdin, os.Stdout, os.Stderr
	inside.Env = append(inside.Env, insideVariable+"="+l.Name())
	inside.SysProcAttr = diesWithParent()
	// An interrupt lets tests clean up before they are ended.
	inside.Cancel = func() error { return inside.Process.Signal(syscall.SIGINT) }
	inside.WaitDelay = 10 * time.Second
	err = inside.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(1, exit.ExitCode()), nil
	}
	if err != nil {
		return 1, fmt.Errorf("run the tests inside lab %s: %w", l.Name(), err)
	}
	return 0, nil
}
