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
		{name: "race detector, product", folder: "..", args: []string{"test", "-race", "-timeout", "1h", "./..."}},
		{name: "race detector, clients", folder: ".", args: []string{"test", "-race", "-timeout", "1h", "./clients/..."}},
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

// run runs it; what went wrong is in the detail.
func (t tool) run(ctx context.Context) outcome {
	began := time.Now()
	command := exec.CommandContext(ctx, "go", t.args...)
	command.Dir = t.folder
	command.Env = append(os.Environ(), t.variables...)
	output, err := command.CombinedOutput()
	found := outcome{Part: t.name, Passed: err == nil, Took: time.Since(began), Detail: "`go " + strings.Join(t.args, " ") + "`"}
	if err != nil {
		found.Detail += fmt.Sprintf(": %v: %s", err, wentWrong(string(output)))
	}
	return found
}

// wentWrong are the lines of a tool's output that name what failed, a few of them;
// the last line where none does.
func wentWrong(output string) string {
	const most = 5
	var named []string
	last := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" {
			last = line
		}
		for _, start := range []string{"--- FAIL", "FAIL\t", "panic: ", "WARNING: DATA RACE", "Failing input"} {
			if strings.HasPrefix(line, start) && len(named) < most {
				named = append(named, strings.ReplaceAll(line, "\t", " "))
			}
		}
	}
	if len(named) == 0 {
		return last
	}
	return strings.Join(named, "; ")
}
