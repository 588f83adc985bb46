// Command verdicts counts how often the relative gate is wrong about releases that
// were made up: how many healthy ones it fails, how many bad ones it finds and
// after what time, beside the fixed thresholds of the first runbook and the judge
// of Kayenta. It writes what it counted as Markdown, whatever it is. It needs no
// cluster, and its numbers don't depend on the machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// options are the command line.
type options struct {
	out             string
	healthy, faulty int
}

func main() {
	chosen := options{}
	flag.StringVar(&chosen.out, "out", "docs/relative.md", "the file to write")
	flag.IntVar(&chosen.healthy, "healthy", 1000, "healthy releases of each kind of traffic and of route")
	flag.IntVar(&chosen.faulty, "faulty", 40, "releases of each fault besides")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, chosen)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run counts everything and writes it.
func run(ctx context.Context, chosen options) error {
	counted, err := count(ctx, chosen.healthy, chosen.faulty)
	if err != nil {
		return err
	}
	text := document(counted, chosen)
	fmt.Print(text)
	if err := os.WriteFile(chosen.out, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", chosen.out, err)
	}
	return nil
}
