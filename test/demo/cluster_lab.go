package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/filelock"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/programs"
)

// labName is the demo's own lab.
const labName = "demo"

// tellInLab brings the lab up, tells the story inside it and takes it down,
// however the story ended.
func tellInLab(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	fmt.Fprintf(stdout, "Bringing up a Kubernetes cluster with PostgreSQL, Prometheus and Alertmanager.\n"+
		"The first time this installs and builds what is missing, which takes about 10 minutes.\n\n")
	release, err := onlyDemo(ctx, stdout)
	if err != nil {
		return err
	}
	defer release()
	// The story begins with a fresh cluster, also after --keep.
	if err := errors.Join(lab.Sweep(ctx), lab.Remove(ctx, labName)); err != nil {
		return err
	}
	started, err := lab.Start(ctx, lab.Options{Name: labName, Out: stdout, Owned: !o.keep})
	if err != nil {
		return err
	}
	if o.keep {
		defer fmt.Fprintf(stdout, kept, labName, longest)
	} else {
		defer func() {
			// An interrupt ends ctx, and the lab must go even so.
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			err = errors.Join(err, started.Stop(last))
		}()
	}
	return tellInside(ctx, started, o, stdout, stderr)
}

// kept is said of a cluster that stays up.
const kept = `
The cluster stays up, and the load goes on for %[2]s from its beginning. Blue serves;
green is the release that was rolled back, at 0 replicas, and a shift would bring it back
as bad as it was. To look around and to take it down, in the folder test:
  go run ./lab/cmd/lab exec --name %[1]s -- bash
  # export PATH=$PWD/../bin:$PATH; cd $(mktemp -d)
  # kubectl -n bluegreen-demo set env deployment/recommendation-green FAULT_ERROR_RATE-    (mends green)
  # kubectl bluegreen init svc/svc-production -n bluegreen-demo
  # exit
  go run ./lab/cmd/lab down --name %[1]s
`

// onlyDemo waits until no other demo uses the lab.
func onlyDemo(ctx context.Context, stdout io.Writer) (release func(), err error) {
	cache, err := programs.Cache()
	if err != nil {
		return nil, err
	}
	return filelock.Take(ctx, filepath.Join(cache, "locks", "story"), func() {
		fmt.Fprintln(stdout, "waiting for another demo on this machine to end")
	})
}

// tellInside runs this program once more inside the lab, where the addresses
// of its cluster exist. What it put there goes with the lab.
func tellInside(ctx context.Context, started *lab.Lab, o options, stdout, stderr io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("run inside lab %s: %w", labName, err)
	}
	inside := started.Command(ctx, self, "--cluster="+clusterCurrent, "--inside="+labName, "--deployed", "--keep",
		"--plugin="+o.plugin, "--rate="+strconv.Itoa(o.rate))
	inside.Stdout, inside.Stderr = stdout, stderr
	inside.Cancel = func() error { return inside.Process.Signal(syscall.SIGINT) }
	inside.WaitDelay = 20 * time.Second
	err = inside.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit):
		return errTold
	case err != nil:
		return fmt.Errorf("run inside lab %s: %w", labName, err)
	}
	return nil
}
