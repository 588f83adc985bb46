package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
)

// outcome is one attempt at one part of a soak.
type outcome struct {
	Part   string        `json:"part"`
	Passed bool          `json:"passed"`
	Detail string        `json:"detail"`
	Took   time.Duration `json:"took"`
	// Thresholds are what an A/A run found, nil for every other part.
	Thresholds *thresholds `json:"thresholds,omitempty"`
	// Case is what was killed, and Driver the kind of route; nil and "" for
	// every other part.
	Case   *crash.Case `json:"case,omitempty"`
	Driver string      `json:"driver,omitempty"`
}

// record is what was done at one commit, a line of JSON each.
type record struct {
	Commit string
	// path is "" where nothing can be kept: a tree with changes is no
	// commit, and what passed before the next change is no result for it.
	path     string
	Outcomes []outcome
}

// openRecord reads what an earlier start has done at this commit.
func openRecord(ctx context.Context, folder string) (*record, error) {
	commit, err := git(ctx, "describe", "--tags", "--always")
	if err != nil {
		return nil, err
	}
	changes, err := git(ctx, "status", "--porcelain", "--", ":(top)", ":(top,exclude)docs/soak.md", ":(top,exclude)docs/benchmarks.md")
	if err != nil {
		return nil, err
	}
	if changes != "" {
		fmt.Println("the tree has changes that are not committed: everything is done anew, and nothing of it is kept")
		return &record{Commit: commit + "-dirty"}, nil
	}
	return readRecord(commit, folder)
}

// git is the output of one git command.
func git(ctx context.Context, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return "", fmt.Errorf("read commit: git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(output)), nil
}

// readRecord reads the record of a commit, empty where there is none. A
// folder of "" is the user's cache.
func readRecord(commit, folder string) (*record, error) {
	kept := &record{Commit: commit}
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find a folder for the record: %w", err)
		}
		folder = filepath.Join(cache, "kubectl-bluegreen", "soak")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("keep record: %w", err)
	}
	kept.path = filepath.Join(folder, kept.Commit+".jsonl")
	file, err := os.Open(kept.path)
	if errors.Is(err, os.ErrNotExist) {
		return kept, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := outcome{}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("read record %s: %w", kept.path, err)
		}
		kept.Outcomes = append(kept.Outcomes, line)
	}
	return kept, nil
}

// done reports whether a part has passed; one that failed is done again.
func (r *record) done(part string) bool {
	return slices.ContainsFunc(r.Outcomes, func(found outcome) bool { return found.Part == part && found.Passed })
}

// thresholds are those of the A/A run that the kept releases were judged by.
func (r *record) thresholds() (thresholds, bool) {
	for _, found := range r.Outcomes {
		if found.Passed && found.Thresholds != nil {
			return *found.Thresholds, true
		}
	}
	return thresholds{}, false
}

// add keeps one outcome.
func (r *record) add(found outcome) error {
	if err := r.keep(found); err != nil {
		return fmt.Errorf("keep %s: %w", found.Part, err)
	}
	r.Outcomes = append(r.Outcomes, found)
	fmt.Printf("%-28s %-6s %8s  %s\n", found.Part, word(found.Passed), found.Took.Round(time.Second), found.Detail)
	return nil
}

// keep appends one line to the file.
func (r *record) keep(found outcome) error {
	if r.path == "" {
		return nil
	}
	line, err := json.Marshal(found)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}

// verdict is an error that names the parts whose last attempt failed.
func (r *record) verdict() error {
	var failed []string
	for position, found := range r.Outcomes {
		again := slices.ContainsFunc(r.Outcomes[position+1:], func(later outcome) bool { return later.Part == found.Part })
		if !found.Passed && !again {
			failed = append(failed, found.Part)
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d parts failed: %s", len(failed), strings.Join(failed, ", "))
	}
	return nil
}

// word is a verdict for people.
func word(passed bool) string {
	if passed {
		return "passed"
	}
	return "FAILED"
}

// explained says how to read the table.
const explained = `A/A is both colours at one version and under the same load. It passes when nobody loses a request, both are read all the
time, and both stay below what the release's own rules call healthy; then twice its worst latency, 800 ms at the least,
is what a release is rolled back for. Nothing is judged on a machine where it fails. A healthy release passes when the
shift ends as done and no client loses a request.
`

// document is docs/soak.md. It shows every attempt, those that failed and were
// made again too.
func document(kept *record) string {
	text := strings.Builder{}
	fmt.Fprintf(&text, "# Soak\n\n<!-- written by make soak -->\n\nCommit %s, %s.\n\n"+explained+"\n| Part | Verdict | Took | |\n|---|---|---|---|\n", kept.Commit, time.Now().UTC().Format(time.DateOnly))
	for _, outcome := range kept.Outcomes {
		if outcome.Case != nil {
			continue
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", outcome.Part, word(outcome.Passed), outcome.Took.Round(time.Second), outcome.Detail)
	}
	return text.String() + killTables(kept.Outcomes)
}
