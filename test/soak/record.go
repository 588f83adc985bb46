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
	"strings"
	"time"
)

// outcome is one part of a soak.
type outcome struct {
	Part   string        `json:"part"`
	Passed bool          `json:"passed"`
	Detail string        `json:"detail"`
	Took   time.Duration `json:"took"`
}

// record is what was done at one commit, a line of JSON each.
type record struct {
	Commit   string
	path     string
	Outcomes []outcome
}

// openRecord reads what an earlier start has done at this commit.
func openRecord(ctx context.Context, folder string) (*record, error) {
	output, err := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty").Output()
	if err != nil {
		return nil, fmt.Errorf("read commit: %w", err)
	}
	kept := &record{Commit: strings.TrimSpace(string(output))}
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

// done reports whether a part has been carried out.
func (r *record) done(part string) bool {
	for _, outcome := range r.Outcomes {
		if outcome.Part == part {
			return true
		}
	}
	return false
}

// add keeps one outcome.
func (r *record) add(found outcome) error {
	line, err := json.Marshal(found)
	if err != nil {
		return fmt.Errorf("keep %s: %w", found.Part, err)
	}
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("keep %s: %w", found.Part, err)
	}
	_, err = file.Write(append(line, '\n'))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("keep %s: %w", found.Part, err)
	}
	r.Outcomes = append(r.Outcomes, found)
	fmt.Printf("%-28s %-6s %8s  %s\n", found.Part, word(found.Passed), found.Took.Round(time.Second), found.Detail)
	return nil
}

// verdict is an error that counts what failed.
func (r *record) verdict() error {
	failed := 0
	for _, outcome := range r.Outcomes {
		if !outcome.Passed {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d parts failed", failed, len(r.Outcomes))
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

// document is docs/soak.md.
func document(kept *record) string {
	text := strings.Builder{}
	fmt.Fprintf(&text, "# Soak\n\n<!-- written by make soak -->\n\nCommit %s, %s.\n\n| Part | Verdict | Took | |\n|---|---|---|---|\n", kept.Commit, time.Now().UTC().Format(time.DateOnly))
	for _, outcome := range kept.Outcomes {
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", outcome.Part, word(outcome.Passed), outcome.Took.Round(time.Second), outcome.Detail)
	}
	return text.String()
}
