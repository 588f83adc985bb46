// Command lab starts and stops real Kubernetes clusters on this machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run carries a command line out and returns the exit status: that of the
// command which `exec` ran, else 1 for an error.
func run(ctx context.Context, args []string) int {
	command := newCommand()
	command.SetArgs(args)
	err := command.ExecuteContext(ctx)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		return 1
	}
	return 0
}
