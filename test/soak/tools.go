package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// part is one run of the go command.
type part struct {
	name, folder string
	args         []string
}

// tools are the parts that need no cluster.
func tools(fuzz time.Duration) []part {
	return []part{
		{"race detector, product", "..", []string{"test", "-race", "./..."}},
		{"race detector, clients", ".", []string{"test", "-race", "./clients/..."}},
		{"fuzzing release.Parse", "..", []string{"test", "./pkg/release", "-run", "^$", "-fuzz", "^FuzzParse$", "-fuzztime", fuzz.String()}},
	}
}

// run carries the part out; the last line of its output is the detail.
func (p part) run(ctx context.Context) outcome {
	began := time.Now()
	command := exec.CommandContext(ctx, "go", p.args...)
	command.Dir = p.folder
	output, err := command.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	found := outcome{Part: p.name, Passed: err == nil, Took: time.Since(began), Detail: "`go " + strings.Join(p.args, " ") + "`"}
	if err != nil {
		found.Detail += fmt.Sprintf(": %v: %s", err, lines[len(lines)-1])
	}
	return found
}
