// Command bench compares the program with what it stands in for, both in one
// run on one machine, and writes what it found as Markdown. It runs inside a
// lab (make bench).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// options are the command line.
type options struct {
	lab, plugin, out string
	startups, moves  int
	checks           int
}

func main() {
	chosen := options{}
	flag.StringVar(&chosen.lab, "lab", "bench", "the lab that this runs in")
	flag.StringVar(&chosen.plugin, "plugin", "", "the program under test")
	flag.StringVar(&chosen.out, "out", "docs/benchmarks.md", "the file to write")
	flag.IntVar(&chosen.startups, "startups", 21, "runs of each command for start-up")
	flag.IntVar(&chosen.moves, "moves", 7, "switches of each kind")
	flag.IntVar(&chosen.checks, "checks", 5, "runs of the checks in a cluster that is empty, and in a full one")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, chosen)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run measures everything, writes it, and then holds it against what is
// promised.
func run(ctx context.Context, chosen options) error {
	current, err := lab.Attach(chosen.lab)
	if err != nil {
		return err
	}
	starts, err := startups(ctx, chosen.plugin, chosen.startups)
	if err != nil {
		return err
	}
	opened, err := shop.OpenAlone(ctx, current.Kubeconfig(), chosen.plugin, current, shop.Options{Namespace: "bench", GreenByHand: true, Release: quick})
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close(context.WithoutCancel(ctx)) }()
	moved, err := moves(ctx, opened, chosen.moves)
	if err != nil {
		return err
	}
	alone, beside, err := crowded(ctx, opened, current.Kubeconfig(), chosen.plugin, chosen.checks)
	if err != nil {
		return err
	}
	source, err := shop.Source(ctx)
	if err != nil {
		return err
	}
	made, err := sizes(ctx, source)
	if err != nil {
		return err
	}
	entered, err := entries(ctx, source, chosen.startups)
	if err != nil {
		return err
	}
	measured := slices.Concat(starts, []comparison{moved})
	text := document(ctx, measured, time.Now()) + crowdTable(alone, beside) + made.text() + entered.text()
	fmt.Print(text)
	if err := os.WriteFile(chosen.out, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", chosen.out, err)
	}
	return verdict(measured)
}
