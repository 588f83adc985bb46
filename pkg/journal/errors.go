package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// ErrLost says that the tenure is no more: the lease could not be renewed in
// time, or somebody else has taken the release. It wraps cluster.ErrFenced.
// Whoever gets it stops writing at once.
var ErrLost = fmt.Errorf("the lease was lost: %w", cluster.ErrFenced)

// ErrEnded says that a run can't be continued, for somebody has brought it to
// its end.
var ErrEnded = errors.New("it has ended")

// HeldError says that somebody else, who is alive, holds the release.
type HeldError struct {
	Release string
	Holder  string
	Run     string
	// Since and Renewed are the holder's own times.
	Since   time.Time
	Renewed time.Time
}

// Error names the holder and the run.
func (e *HeldError) Error() string {
	text := fmt.Sprintf("release %s is held by %s", e.Release, e.Holder)
	if e.Run != "" {
		text += " with run " + e.Run
	}
	return text + fmt.Sprintf(" since %s, renewed %s", e.Since.UTC().Format(time.RFC3339), e.Renewed.UTC().Format(time.RFC3339))
}

// Hint is the command that watches the other run.
func (e *HeldError) Hint() string { return "kubectl bluegreen status -w" }

// UnfinishedError says that a run was interrupted and has to be brought to an
// end before a new one.
type UnfinishedError struct {
	Release string
	Run     string
	Holder  string
	Phase   string
}

// Error names the run and where it stands.
func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("run %s of release %s, by %s, was interrupted in phase %s", e.Run, e.Release, e.Holder, e.Phase)
}

// Hint is the command that goes on.
func (e *UnfinishedError) Hint() string {
	return "kubectl bluegreen resume, or: kubectl bluegreen rollback"
}

// LeftoverError says that a run has ended, with its outcome in the current
// record, but that it could not be archived or its lease not be given up. The
// outcome stands: the next run archives the record before it begins, and a
// lease that nobody renews runs out.
type LeftoverError struct {
	Run string
	Err error
}

// Error names the run and what was left.
func (e *LeftoverError) Error() string {
	return fmt.Sprintf("run %s has ended, and its record stays the current one, but: %v", e.Run, e.Err)
}

// Unwrap returns what went wrong.
func (e *LeftoverError) Unwrap() error { return e.Err }

// RecordError says that an object of the journal can't be read for what it
// is; nothing is concluded from it.
type RecordError struct {
	// Object is kind namespace/name.
	Object string
	Reason string
	Remedy string
}

// Error names the object and what is wrong with it.
func (e *RecordError) Error() string { return fmt.Sprintf("read %s: %s", e.Object, e.Reason) }

// Hint is what a person can do about it.
func (e *RecordError) Hint() string { return e.Remedy }
