// Package process starts programs that outlive the one that started them, and
// later ends exactly those.
//
// A pid alone is not enough to end a process: once it has ended, the kernel
// may give its number to a stranger. A [Record] therefore holds the time at
// which the process started too, and every signal goes through a handle
// (pidfd) that is checked against that time after it was opened.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// poll is how often a process that should end is looked at again.
const poll = 10 * time.Millisecond

// Record identifies one process for ever, even once its pid is used again.
type Record struct {
	// PID is the process's number.
	PID int `json:"pid"`
	// Started is when it started, in clock ticks since boot: field 22 of
	// /proc/PID/stat, see proc(5).
	Started uint64 `json:"started"`
}

// Start runs cmd in a session of its own, so that it neither ends with its
// parent nor sees its terminal's signals, and says which process it is.
func Start(cmd *exec.Cmd) (Record, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		return Record{}, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	record, err := Find(cmd.Process.Pid)
	// Waiting keeps it from staying a zombie while this process lives.
	go func() { _ = cmd.Wait() }()
	if err != nil {
		return Record{}, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return record, nil
}

// Find returns the record of the process that has the pid now.
func Find(pid int) (Record, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Record{}, fmt.Errorf("find process %d: %w", pid, err)
	}
	_, started, err := parseStat(string(stat))
	if err != nil {
		return Record{}, fmt.Errorf("find process %d: %w", pid, err)
	}
	return Record{PID: pid, Started: started}, nil
}

// parseStat reads a process's state (field 3) and start time (field 22) from
// /proc/PID/stat. The name, field 2, may itself hold spaces and brackets, so
// fields are counted from the last closing one.
func parseStat(stat string) (state string, started uint64, err error) {
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return "", 0, fmt.Errorf("parse stat %q: no process name", stat)
	}
	fields := strings.Fields(stat[end+1:])
	const startTime = 22 - 3
	if len(fields) <= startTime {
		return "", 0, fmt.Errorf("parse stat %q: %d fields after the name", stat, len(fields))
	}
	started, err = strconv.ParseUint(fields[startTime], 10, 64)
	if err != nil {
		return "", 0, fmt.Errorf("parse stat: start time: %w", err)
	}
	return fields[0], started, nil
}

// Alive reports whether that very process still runs. A zombie doesn't.
func (r Record) Alive() bool {
	if r.PID <= 0 {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.PID))
	if err != nil {
		return false
	}
	state, started, err := parseStat(string(stat))
	return err == nil && started == r.Started && state != "Z" && state != "X"
}

// Signal sends a signal to that very process, and to nobody if it has ended:
// then the error is [os.ErrProcessDone].
func (r Record) Signal(signal syscall.Signal) error {
	if r.PID <= 0 {
		return os.ErrProcessDone
	}
	handle, err := os.FindProcess(r.PID)
	if err != nil {
		return fmt.Errorf("signal process %d: %w", r.PID, err)
	}
	defer func() { _ = handle.Release() }()
	if !r.Alive() {
		return os.ErrProcessDone
	}
	if err := handle.Signal(signal); err != nil {
		return fmt.Errorf("signal process %d: %w", r.PID, err)
	}
	return nil
}

// Stop asks the process to end and, once grace has passed, ends it. It returns
// when the process is gone, and at once if it already was.
func (r Record) Stop(ctx context.Context, grace time.Duration) error {
	if err := r.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return nil
	} else if err != nil {
		return err
	}
	// A paused process sees no SIGTERM before it goes on.
	_ = r.Signal(syscall.SIGCONT)
	gentle, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if r.Wait(gentle) == nil {
		return nil
	}
	return r.Kill(ctx)
}

// Kill ends the process without asking and returns when it is gone.
func (r Record) Kill(ctx context.Context) error {
	if err := r.Signal(syscall.SIGKILL); errors.Is(err, os.ErrProcessDone) {
		return nil
	} else if err != nil {
		return err
	}
	return r.Wait(ctx)
}

// Wait returns when the process has ended, or the context's error.
func (r Record) Wait(ctx context.Context) error {
	err := wait.PollUntilContextCancel(ctx, poll, true, func(context.Context) (bool, error) {
		return !r.Alive(), nil
	})
	if err != nil {
		return fmt.Errorf("wait for process %d: %w", r.PID, err)
	}
	return nil
}
