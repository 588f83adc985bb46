package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// source is a clone with one commit checked out.
type source struct {
	Folder, Commit string
}

// clone makes a clone. Its history is whole, for Go stamps a program by the tags
// that are in it.
func clone(ctx context.Context, checkout, commit, folder string) (*source, error) {
	found, err := git(ctx, checkout, "rev-parse", "--verify", commit+"^{commit}")
	if err != nil {
		return nil, err
	}
	root, err := filepath.Abs(checkout)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", checkout, err)
	}
	if _, err := git(ctx, checkout, "clone", "--quiet", "--shared", "--no-checkout", root, folder); err != nil {
		return nil, err
	}
	if _, err := git(ctx, folder, "checkout", "--quiet", "--detach", found); err != nil {
		return nil, err
	}
	return &source{Folder: folder, Commit: found}, nil
}

// git runs git in a folder and returns what it printed.
func git(ctx context.Context, folder string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = folder
	var refusal bytes.Buffer
	command.Stderr = &refusal
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(refusal.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// pinned refuses pins that are not of the commit at hand: the pins are the last
// thing that a release changes, and the only one that its archives don't hold.
func pinned(ctx context.Context, wanted options, before pins) error {
	if before.Version != wanted.Version || before.Commit == "" {
		return fmt.Errorf("read pins %s: they are of %q, not of %q; pin the release first (make pin), commit that, and tag the commit", wanted.Verify, before.Version, wanted.Version)
	}
	changed, err := git(ctx, wanted.Checkout, "diff", "--name-only", before.Commit, "HEAD")
	if err != nil {
		return err
	}
	if changed != pinsFile {
		return fmt.Errorf("the tagged commit differs from the pinned one in %s: expected %s alone; pin the release again", strings.Join(strings.Fields(changed), ", "), pinsFile)
	}
	return nil
}
