// Command soak repeats what one pass can't prove: healthy releases that must
// never roll back and never lose a request, once an A/A run has shown that this
// machine can tell; the race detector over everything; long fuzzing of what
// reads people's input; processes that race for a release; a kill of the
// program at every point of a run; every fault of docs/faults.md in every phase
// of one. It keeps what has passed and goes on from
// there when it is started again with the same code; in a tree with changes it
// keeps nothing. All but the tools run inside a lab that writes an audit log (make
// soak), races, kills and faults in several shops at once. It takes hours:
// BLUEGREEN_SHARD=2/5 does the second fifth of the kills and of the faults,
// --parts=races,kills those alone, --faults the faults whose names match, --drivers
// the kills on the kinds of routes whose names match, and --kills-sample=4 every
// fourth of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
)

// options are the command line.
type options struct {
	lab, plugin, out, state string
	releases, races, lanes  int
	seed                    uint64
	fuzz                    time.Duration
	parts, shard, faults    string
	// wanted are the kinds of routes whose runs are killed, and sample says of how
	// many kills one is made.
	wanted string
	sample int
	// endToEnd are the names of the tests end to end that are a part of the soak.
	endToEnd string
	// addons: what the lab needs is told, and what is not here is fetched; nothing
	// else is done.
	addons bool
}

// part is one kind of work. It does what has not passed yet.
type part struct {
	name string
	do   func(ctx context.Context, chosen options, kept *keeper) error
	// needs are the addons without which it can't be done, beside those that
	// every soak has; nil for none.
	needs func(options) ([]lab.Addon, error)
}

// allParts are all kinds, in order.
func allParts() []part {
	return []part{
		{name: "releases", do: releases}, {name: "tools", do: runTools}, {name: "postgres", do: servers}, {name: "races", do: races},
		{name: "kills", do: kills, needs: killAddons}, {name: "cancels", do: cancels}, {name: "endtoend", do: endToEnd, needs: endToEndAddons}, {name: "faults", do: breakEverything},
	}
}

// partsOf are those that are named, separated by commas.
func partsOf(names string) ([]part, error) {
	var chosen []part
	for name := range strings.SplitSeq(names, ",") {
		found := slices.IndexFunc(allParts(), func(known part) bool { return known.name == name })
		if found < 0 {
			return nil, fmt.Errorf("--parts has %q: expected some of %s, separated by commas", name, everything())
		}
		chosen = append(chosen, allParts()[found])
	}
	return chosen, nil
}

// everything names all parts.
func everything() string {
	var names []string
	for _, known := range allParts() {
		names = append(names, known.name)
	}
	return strings.Join(names, ",")
}

func main() {
	chosen := options{}
	flag.StringVar(&chosen.lab, "lab", "soak", "the lab that this runs in")
	flag.StringVar(&chosen.plugin, "plugin", "", "the program under test")
	flag.StringVar(&chosen.out, "out", "docs/soak.md", "the file to write")
	flag.StringVar(&chosen.state, "state", "", "the folder that keeps what is done")
	flag.IntVar(&chosen.releases, "releases", 20, "healthy releases")
	flag.IntVar(&chosen.races, "races", 200, "races for a release, half of them with a guard")
	flag.Uint64Var(&chosen.seed, "seed", 1, "what the races are drawn from")
	flag.IntVar(&chosen.lanes, "lanes", 4, "shops in which races and kills are made at once")
	flag.DurationVar(&chosen.fuzz, "fuzz", 10*time.Minute, "time for each fuzz target")
	flag.StringVar(&chosen.parts, "parts", everything(), "what is done; several programs with other parts may run side by side")
	flag.StringVar(&chosen.shard, "shard", os.Getenv("BLUEGREEN_SHARD"), "which part of the kills and the faults, such as 2/5; all without")
	flag.StringVar(&chosen.faults, "faults", "", "the faults that are made, as a regular expression of their names: '^Prometheus.* in phase baseline$'; all without")
	flag.StringVar(&chosen.wanted, "drivers", "", "the kinds of routes whose runs are killed, as a regular expression of their names: '^(service|httproute)$'; all without")
	flag.IntVar(&chosen.sample, "kills-sample", 1, "of how many kills one is made: with 4 each point of a run is killed once, on one side and with one way to go on; all without")
	flag.StringVar(&chosen.endToEnd, "endtoend", "", "the tests end to end that are a part of the soak, separated by commas")
	flag.BoolVar(&chosen.addons, "addons", false, "print the flags of `lab up` for what is chosen, fetch what is not here, and do nothing else")
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
// part, so that an interruption loses what was under way alone.
func run(ctx context.Context, chosen options) error {
	if chosen.addons {
		flags, err := addonFlags(chosen)
		fmt.Println(flags)
		if err != nil {
			return err
		}
		return fetchServers(ctx)
	}
	parts, err := partsOf(chosen.parts)
	if err != nil {
		return err
	}
	if _, _, err := crash.ParseShard(chosen.shard); err != nil {
		return err
	}
	if chosen.sample < 1 {
		return fmt.Errorf("--kills-sample=%d: expected 1 or more", chosen.sample)
	}
	if chosen.lanes < 1 || chosen.lanes > connections/podsPerLane {
		return fmt.Errorf("%d lanes: from 1 to %d, whose pods share %d sessions of PostgreSQL", chosen.lanes, connections/podsPerLane, connections)
	}
	found, err := openRecord(ctx, chosen.state)
	if err != nil {
		return err
	}
	kept := &keeper{kept: found, write: func() error { return os.WriteFile(chosen.out, []byte(document(found)), 0o644) }}
	for _, part := range parts {
		if err := part.do(ctx, chosen, kept); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if err := errors.Join(kept.reload(), kept.write()); err != nil {
		return err
	}
	return found.verdict()
}
