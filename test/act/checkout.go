package act

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Workflows is the folder of a checkout that workflows stand in.
const Workflows = ".github/workflows"

// Checkout makes a folder the checkout of a repository: with what is in the folder
// files, and the workflows of the folder workflows, unmodified, all in one commit.
func Checkout(ctx context.Context, folder, files, workflows string) error {
	if err := os.CopyFS(folder, os.DirFS(files)); err != nil {
		return fmt.Errorf("make a checkout: %w", err)
	}
	if err := os.CopyFS(filepath.Join(folder, filepath.FromSlash(Workflows)), os.DirFS(workflows)); err != nil {
		return fmt.Errorf("make a checkout: %w", err)
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "--all"},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=all"},
	} {
		command := exec.CommandContext(ctx, "git", args...)
		command.Dir = folder
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("make a checkout: git %s: %w: %s", args[0], err, output)
		}
	}
	return nil
}
