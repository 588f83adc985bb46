package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// document is docs/benchmarks.md.
func document(ctx context.Context, measured []comparison, now time.Time) string {
	text := strings.Builder{}
	fmt.Fprintf(&text, "# Benchmarks\n\n<!-- written by make bench -->\n\nCommit %s, %s, %d cores, %s. Each pair was run in turn on the same machine; the ratio is that of the medians.\n\n",
		commit(ctx), now.UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version())
	text.WriteString("| What | min | median | max | Beside | min | median | max | Ratio | Promised |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, compared := range measured {
		text.WriteString(compared.row())
	}
	text.WriteString("\nThe last row is the time until a new connection is answered by the other colour. For `shift` it counts from the\nend of what is checked before (preflight, readiness, health, baseline), by the run's own journal, and includes the\nintent that is journalled before the write; for `kubectl patch` from the start of the process.\n")
	return text.String()
}

// row is one comparison as a table shows it.
func (c comparison) row() string {
	ours, theirs := slices.Sorted(slices.Values(c.ours)), slices.Sorted(slices.Values(c.theirs))
	return fmt.Sprintf("| %#q (%d runs) | %s | %s | %s | %#q | %s | %s | %s | %.2f | ≤ %.1f |\n", c.name, len(ours),
		short(ours[0]), short(median(ours)), short(ours[len(ours)-1]), c.beside,
		short(theirs[0]), short(median(theirs)), short(theirs[len(theirs)-1]), c.ratio(), c.limit)
}

// ratio is that of the medians.
func (c comparison) ratio() float64 {
	ours, theirs := slices.Sorted(slices.Values(c.ours)), slices.Sorted(slices.Values(c.theirs))
	return float64(median(ours)) / float64(median(theirs))
}

// verdict is an error that names every ratio above what is promised.
func verdict(measured []comparison) error {
	var broken []error
	for _, compared := range measured {
		if ratio := compared.ratio(); ratio > compared.limit {
			broken = append(broken, fmt.Errorf("%s takes %.2f times as long as %s, promised is at most %.1f", compared.name, ratio, compared.beside, compared.limit))
		}
	}
	return errors.Join(broken...)
}

// median of sorted values.
func median(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

// short rounds for people.
func short(value time.Duration) string { return value.Round(100 * time.Microsecond).String() }

// commit is the version that was measured.
func commit(ctx context.Context) string {
	output, err := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(output))
}
