// Command soak repeats what one pass can't prove: healthy releases that must
// never roll back, with thresholds set by an A/A run; the race detector over
// everything; long fuzzing of what reads people's input. It keeps what has
// passed and goes on from there when it is started again at the same commit; in
// a tree with changes it keeps nothing.
// The releases run inside a lab (make soak).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// options are the command line.
type options struct {
	lab, plugin, out, state string
	releases                int
	fuzz                    time.Duration
}

func main() {
	chosen := options{}
	flag.StringVar(&chosen.lab, "lab", "soak", "the lab that this runs in")
	flag.StringVar(&chosen.plugin, "plugin", "", "the program under test")
	flag.StringVar(&chosen.out, "out", "docs/soak.md", "the file to write")
	flag.StringVar(&chosen.state, "state", "", "the folder that keeps what is done")
	flag.IntVar(&chosen.releases, "releases", 20, "healthy releases")
	flag.DurationVar(&chosen.fuzz, "fuzz", 10*time.Minute, "time for each fuzz target")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, chosen)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run carries out what is not done yet, and writes the document after each
// part, so that an interruption loses one part at most.
func run(ctx context.Context, chosen options) error {
	kept, err := openRecord(ctx, chosen.state)
	if err != nil {
		return err
	}
	write := func() error { return os.WriteFile(chosen.out, []byte(document(kept)), 0o644) }
	if err := releases(ctx, chosen, kept); err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	for _, part := range tools(chosen.fuzz) {
		if kept.done(part.name) {
			continue
		}
		outcome := part.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := kept.add(outcome); err != nil {
			return err
		}
		if err := write(); err != nil {
			return err
		}
	}
	return kept.verdict()
}
