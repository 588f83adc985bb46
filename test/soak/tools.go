package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// tool is one run of the go command.
type tool struct {
	name, folder string
	args         []string
}

// tools are what needs no cluster.
func tools(fuzz time.Duration) []tool {
	return []tool{
		{"race detector, product", "..", []string{"test", "-race", "./..."}},
		{"race detector, clients", ".", []string{"test", "-race", "./clients/..."}},
		{"fuzzing release.Parse", "..", []string{"test", "./pkg/release", "-run", "^$", "-fuzz", "^FuzzParse$", "-fuzztime", fuzz.String()}},
	}
}

// runTools runs those that have not passed yet.
func runTools(ctx context.Context, chosen options, kept *keeper) error {
	for _, found := range tools(chosen.fuzz) {
		if kept.done(found.name) {
			continue
		}
		outcome := found.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := kept.add(outcome); err != nil {
			return err
		}
	}
	return nil
}

// run runs it; the last line of its output is the detail.
func (t tool) run(ctx context.Context) outcome {
	began := time.Now()
	command := exec.CommandContext(ctx, "go", t.args...)
	command.Dir = t.folder
	output, err := command.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	found := outcome{Part: t.name, Passed: err == nil, Took: time.Since(began), Detail: "`go " + strings.Join(t.args, " ") + "`"}
	if err != nil {
		found.Detail += fmt.Sprintf(": %v: %s", err, lines[len(lines)-1])
	}
	return found
}
