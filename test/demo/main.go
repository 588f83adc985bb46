// Command demo tells what the product does, on a real cluster and under
// constant load: a healthy release, a way back, the incident that a preflight
// prevents, and a bad release that is caught. Every command that it shows is
// run, every number that it prints was counted.
//
// It is a test of itself: a chapter that does not end as told ends the demo
// with exit status 1.
//
// The story needs a kubeconfig and a way to give the cluster images, no more.
// With --cluster=lab it runs a second time inside a lab that it brought up;
// with --cluster=current it uses the cluster of the kubeconfig.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errTold):
		os.Exit(1)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "interrupted")
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// errTold is a failure that was told where it happened.
var errTold = errors.New("the demo did not end as told")

// run tells the story where the command line says.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	options, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if options.cluster == clusterLab {
		return tellInLab(ctx, options, stdout, stderr)
	}
	return tellInCurrent(ctx, options, stdout)
}
