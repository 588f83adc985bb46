package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// comparison is one thing measured beside another, run by run in turn.
type comparison struct {
	name, beside string
	// limit is the ratio of the medians that is promised.
	limit        float64
	ours, theirs []time.Duration
}

// startups times whole processes: ours and kubectl's, in turn.
func startups(ctx context.Context, plugin string, runs int) ([]comparison, error) {
	var found []comparison
	for _, argument := range []string{"version", "--help"} {
		measured := comparison{name: "kubectl-bluegreen " + argument, beside: "kubectl version --client", limit: 2}
		for run := range runs + 1 {
			ours, err := timed(ctx, plugin, argument)
			if err != nil {
				return nil, err
			}
			theirs, err := timed(ctx, "kubectl", "version", "--client")
			if err != nil {
				return nil, err
			}
			if run == 0 {
				continue // the first fills the page cache
			}
			measured.ours, measured.theirs = append(measured.ours, ours), append(measured.theirs, theirs)
		}
		found = append(found, measured)
	}
	return found, nil
}

// timed is how long one process takes from start to end.
func timed(ctx context.Context, program string, args ...string) (time.Duration, error) {
	return timedIn(ctx, nil, program, args...)
}

// timedIn is timed with an environment; nil is this process's.
func timedIn(ctx context.Context, environment []string, program string, args ...string) (time.Duration, error) {
	command := exec.CommandContext(ctx, program, args...)
	command.Env = environment
	began := time.Now()
	if output, err := command.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("run %s %v: %w: %s", program, args, err, output)
	}
	return time.Since(began), nil
}
