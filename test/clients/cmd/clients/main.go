// Command clients sends keep-alive and fresh traffic to a URL and counts what
// was lost: one line per second on stderr, a JSON summary on stdout at the
// end, exit status 2 when any request failed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
)

// errLost is the end of traffic of which some was lost.
var errLost = errors.New("requests failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errLost):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	options, duration, err := parse(args, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	traffic, err := clients.Start(ctx, options)
	if err != nil {
		return err
	}
	progress(traffic, stderr)
	counts := traffic.Stop()
	encoder := json.NewEncoder(stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(counts); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	if counts.Failed > 0 {
		return errLost
	}
	return nil
}

// parse reads the flags. Both bounds have a default, so that forgotten traffic
// ends by itself.
func parse(args []string, stderr io.Writer) (clients.Options, time.Duration, error) {
	var options clients.Options
	var body string
	flags := flag.NewFlagSet("clients", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&options.URL, "url", "", "http URL to request")
	flags.StringVar(&options.Method, "method", "GET", "method of the requests")
	flags.StringVar(&body, "body", "", "body of the requests")
	flags.IntVar(&options.Rate, "rate", 300, "requests per second of all clients together")
	flags.IntVar(&options.KeepAlive, "keep-alive", 10, "clients that hold one connection each")
	flags.IntVar(&options.Fresh, "fresh", 5, "clients that open a connection for every request")
	flags.DurationVar(&options.Timeout, "timeout", clients.DefaultTimeout, "bound on one request")
	flags.Uint64Var(&options.MaxRequests, "requests", 1_000_000, "end after so many requests")
	flags.BoolVar(&options.Strict, "strict", false, "count every answer but a 2xx as a failure, and not only a 5xx")
	flags.IntVar(&options.KeepFailures, "failures", clients.DefaultKeepFailures, "failures to print in full")
	duration := flags.Duration("duration", 10*time.Minute, "end after this long")
	if err := flags.Parse(args); err != nil {
		return clients.Options{}, 0, err
	}
	if flags.NArg() > 0 {
		return clients.Options{}, 0, fmt.Errorf("read arguments: %q is not a flag", flags.Arg(0))
	}
	options.Body = []byte(body)
	return options, *duration, nil
}

// progress prints a line per second until the traffic ends.
func progress(traffic *clients.Run, stderr io.Writer) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var before clients.Counts
	for {
		select {
		case <-traffic.Done():
			return
		case now := <-second.C:
			counts := traffic.Counts()
			last := counts.Since(before)
			before = counts
			fmt.Fprintf(stderr, "%s requests=%d failed=%d versions=%v connections=%d\n",
				now.UTC().Format(time.TimeOnly), last.Requests, last.Failed, last.ByVersion, last.Connections)
		}
	}
}
