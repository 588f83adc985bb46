// Command soak repeats what one pass can't prove: healthy releases that must
// never roll back and never lose a request, once an A/A run has shown that this
// machine can tell; the race detector over everything; long fuzzing of what
// reads people's input; a kill of the program at every point of a run. It keeps
// what has passed and goes on from there when it is started again at the same
// commit; in a tree with changes it keeps nothing.
// The releases and the kills run inside a lab (make soak). The kills take hours;
// BLUEGREEN_SHARD=2/5 does the second fifth of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
)

// options are the command line.
type options struct {
	lab, plugin, out, state string
	releases                int
	fuzz                    time.Duration
	kills                   bool
	shard                   string
}

func main() {
	chosen := options{}
	flag.StringVar(&chosen.lab, "lab", "soak", "the lab that this runs in")
	flag.StringVar(&chosen.plugin, "plugin", "", "the program under test")
	flag.StringVar(&chosen.out, "out", "docs/soak.md", "the file to write")
	flag.StringVar(&chosen.state, "state", "", "the folder that keeps what is done")
	flag.IntVar(&chosen.releases, "releases", 20, "healthy releases")
	flag.DurationVar(&chosen.fuzz, "fuzz", 10*time.Minute, "time for each fuzz target")
	flag.BoolVar(&chosen.kills, "kills", true, "kill the program at every point of a run")
	flag.StringVar(&chosen.shard, "shard", os.Getenv("BLUEGREEN_SHARD"), "which part of the kills, such as 2/5; all without")
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
	if _, _, err := crash.ParseShard(chosen.shard); err != nil {
		return err
	}
	kept, err := openRecord(ctx, chosen.state)
	if err != nil {
		return err
	}
	write := func() error { return os.WriteFile(chosen.out, []byte(document(kept)), 0o644) }
	if err := errors.Join(releases(ctx, chosen, kept), write()); err != nil {
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
	if chosen.kills {
		if err := kills(ctx, chosen, kept, write); err != nil {
			return err
		}
	}
	return kept.verdict()
}
