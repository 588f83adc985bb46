package dialect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Since marks as Named those migrations alone whose files were changed or added
// since a commit of git: in commits since the common ancestor, in the working
// tree, or not yet known to git.
func Since(ctx context.Context, reference string, migrations []Migration) error {
	program, err := exec.LookPath("git")
	if err != nil {
		return release.WithHint(fmt.Errorf("find what changed since %s: %w", reference, err), "install git, or name the files that changed")
	}
	changed := map[string]bool{}
	asked := map[string]bool{}
	for i, migration := range migrations {
		folder := filepath.Dir(migration.Path)
		if !asked[folder] {
			asked[folder] = true
			names, err := git(program).changedIn(ctx, folder, reference)
			if err != nil {
				return err
			}
			for _, name := range names {
				changed[filepath.Join(folder, name)] = true
			}
		}
		migrations[i].Named = changed[filepath.Clean(migration.Path)]
	}
	return nil
}

// git is the path of the program.
type git string

// changedIn lists the files of a folder that are not as they were at the
// common ancestor of a commit and HEAD.
func (g git) changedIn(ctx context.Context, folder, reference string) ([]string, error) {
	commit, err := g.run(ctx, folder, "rev-parse", "--verify", "--quiet", "--end-of-options", reference+"^{commit}")
	if err != nil {
		return nil, explain(err, folder, reference)
	}
	ancestor, err := g.run(ctx, folder, "merge-base", strings.TrimSpace(commit), "HEAD")
	if err != nil {
		return nil, release.WithHint(fmt.Errorf("find what changed since %s: it and HEAD have no commit in common: %w", reference, err), "fetch the whole history: git fetch --unshallow")
	}
	modified, err := g.run(ctx, folder, "diff", "--name-only", "-z", "--no-ext-diff", "--no-renames", "--diff-filter=ACMT", "--relative", strings.TrimSpace(ancestor), "--", ".")
	if err != nil {
		return nil, fmt.Errorf("find what changed since %s: %w", reference, err)
	}
	untracked, err := g.run(ctx, folder, "ls-files", "--others", "-z", "--", ".")
	if err != nil {
		return nil, fmt.Errorf("find what changed since %s: %w", reference, err)
	}
	return strings.FieldsFunc(modified+untracked, func(char rune) bool { return char == 0 }), nil
}

func (g git) run(ctx context.Context, folder string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, string(g), append([]string{"-C", folder, "-c", "core.fsmonitor=false"}, arguments...)...)
	var failure bytes.Buffer
	command.Stderr = &failure
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", arguments[0], err, strings.TrimSpace(failure.String()))
	}
	return string(output), nil
}

// explain says why a commit can't be found.
func explain(err error, folder, reference string) error {
	if strings.Contains(err.Error(), "not a git repository") {
		return release.WithHint(fmt.Errorf("find what changed since %s: %s is in no git repository", reference, folder), "leave --since out, and name the files to judge")
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return release.WithHint(fmt.Errorf("find what changed since %s: git knows no such commit", reference), "fetch it first: git fetch origin "+strings.TrimPrefix(reference, "origin/"))
	}
	return fmt.Errorf("find what changed since %s: %w", reference, err)
}
