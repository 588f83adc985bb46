package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// terminal is where the story's commands are typed: in a folder, with the
// plugin on PATH as kubectl wants it.
type terminal struct {
	folder, plugin string
	narrator       narrator
}

// ending is how a command ended.
type ending struct {
	code int
	took time.Duration
	// text is all that it wrote.
	text string
}

// grace is how long a command may take to end after an interrupt.
const grace = 30 * time.Second

// show runs a kubectl command for all to see. A filter may leave lines
// out; nil shows all.
func (t terminal) show(ctx context.Context, choose filter, args ...string) (ending, error) {
	t.narrator.command("kubectl " + strings.Join(quoted(args), " "))
	output := &excerpt{out: t.narrator.out, show: choose}
	command := t.command(ctx, args)
	command.Stdout, command.Stderr = output, output
	began := time.Now()
	code, err := exitCode(command.Run())
	ended := ending{code: code, took: time.Since(began), text: output.finish()}
	if err != nil {
		return ended, errors.Join(fmt.Errorf("run kubectl %s: %w", args[0], err), context.Cause(ctx))
	}
	t.narrator.result("exit code %d after %.1f s", ended.code, ended.took.Seconds())
	return ended, nil
}

// read runs a kubectl command behind the scenes and returns what it wrote to
// stdout.
func (t terminal) read(ctx context.Context, args ...string) ([]byte, error) {
	var complaint strings.Builder
	command := t.command(ctx, args)
	command.Stderr = &complaint
	output, err := command.Output()
	if _, err := exitCode(err); err != nil {
		return nil, fmt.Errorf("run kubectl %s: %w", args[0], err)
	}
	if len(output) == 0 {
		return nil, fmt.Errorf("run kubectl %s: %s", strings.Join(args, " "), complaint.String())
	}
	return output, nil
}

// command prepares one. An interrupt is passed on, so that the program can
// leave things in order.
func (t terminal) command(ctx context.Context, args []string) *exec.Cmd {
	command := exec.CommandContext(ctx, "kubectl", args...)
	command.Dir = t.folder
	path := filepath.Dir(t.plugin) + string(os.PathListSeparator) + os.Getenv("PATH")
	command.Env = append(slices.Clone(os.Environ()), "PATH="+path, "NO_COLOR=1")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = grace
	return command
}

// exitCode turns an end by exit code into that code.
func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// quoted writes arguments as a shell wants them.
func quoted(args []string) []string {
	words := make([]string, 0, len(args))
	for _, word := range args {
		if strings.ContainsAny(word, " '\"$*?&;|<>()") {
			word = `"` + strings.ReplaceAll(word, `"`, `\"`) + `"`
		}
		words = append(words, word)
	}
	return words
}
