package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// tool is one run of the go command.
type tool struct {
	name, folder string
	args         []string
	// variables are those of its process beside the soak's own.
	variables []string
}

// fuzzed are the targets of fuzzing, a package each and what it reads.
func fuzzed() []struct{ reads, pkg, target string } {
	return []struct{ reads, pkg, target string }{
		{"release.Parse", "release", "FuzzParse"},
		{"checks of a team's own", "release", "FuzzParseChecks"},
		{"CEL", "preflight/custom", "FuzzCompile"},
		{"rules of alerts", "preflight", "FuzzConnectionThreshold"},
		{"manifests", "cluster", "FuzzReadManifests"},
		{"connection strings", "postgres", "FuzzNewTarget"},
		{"pgbouncer.ini", "postgres", "FuzzParsePgBouncer"},
		{"sign-offs", "signoff", "FuzzDecode"},
		{"SQL", "migration", "FuzzEvaluate"},
		{"SQL, its statements", "migration/statement", "FuzzSplit"},
	}
}

// tools are what needs no cluster.
func tools(fuzz time.Duration) []tool {
	all := []tool{
		{name: "race detector, product", folder: "..", args: []string{"test", "-race", "./..."}},
		{name: "race detector, clients", folder: ".", args: []string{"test", "-race", "./clients/..."}},
		{name: "archives of six targets, twice", folder: ".", args: []string{"test", "-count=1", "-timeout", "1h", "-tags", "archives", "-run", "^TestSameBytesTwice$", "./release"}},
	}
	for _, found := range fuzzed() {
		args := []string{"test", "./pkg/" + found.pkg, "-run", "^$", "-fuzz", "^" + found.target + "$", "-fuzztime", fuzz.String()}
		all = append(all, tool{name: "fuzzing " + found.reads, folder: "..", args: args})
	}
	return all
}

// runTools runs those that have not passed yet.
func runTools(ctx context.Context, chosen options, kept *keeper) error {
	return runAll(ctx, tools(chosen.fuzz), kept)
}

func runAll(ctx context.Context, all []tool, kept *keeper) error {
	for _, found := range all {
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
	command.Env = append(os.Environ(), t.variables...)
	output, err := command.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	found := outcome{Part: t.name, Passed: err == nil, Took: time.Since(began), Detail: "`go " + strings.Join(t.args, " ") + "`"}
	if err != nil {
		found.Detail += fmt.Sprintf(": %v: %s", err, lines[len(lines)-1])
	}
	return found
}
