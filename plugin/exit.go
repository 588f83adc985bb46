package plugin

import (
	"context"
	"errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// The exit codes. They are the same for every command and every -o.
const (
	// ExitDone: done, passed, a requested rollback proven, or nothing to do.
	ExitDone = rollout.CodeDone
	// ExitFailed: the tool failed (bad input, no access).
	ExitFailed = rollout.CodeFailed
	// ExitBlocked: a check, a gate or somebody else's lease stands in the way.
	ExitBlocked = rollout.CodeBlocked
	// ExitRolledBack: rolled back by itself, and proven.
	ExitRolledBack = rollout.CodeRolledBack
	// ExitHeld: interrupted, held or frozen; the state is kept.
	ExitHeld = rollout.CodeHeld
	// ExitUnproven: a rollback that could not be proven. Page someone.
	ExitUnproven = rollout.CodeUnproven
)

// StatusError is an error with the exit code that it stands for.
type StatusError struct {
	// Status is one of the exit codes of this package.
	Status int
	// Err is what to print; nil when what there is to say was printed.
	Err error
}

// Error is the text of the wrapped error, "" when there is none.
func (e *StatusError) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// Unwrap returns the wrapped error.
func (e *StatusError) Unwrap() error { return e.Err }

// ExitStatus returns the exit code.
func (e *StatusError) ExitStatus() int { return e.Status }

// ExitStatus returns the exit code of an error that a command returned: what
// the error itself says, ExitHeld when it is the echo of an interruption, and
// ExitFailed otherwise.
func ExitStatus(ctx context.Context, err error) int {
	var coded interface{ ExitStatus() int }
	if errors.As(err, &coded) {
		return coded.ExitStatus()
	}
	if isCancellation(err) && errors.As(context.Cause(ctx), &coded) {
		return coded.ExitStatus()
	}
	return ExitFailed
}

// isCancellation reports whether an error is what a cancelled context leaves
// behind.
func isCancellation(err error) bool { return errors.Is(err, context.Canceled) }
