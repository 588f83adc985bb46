package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// Result is how a process ended.
type Result struct {
	// Code is the exit code.
	Code           int
	Stdout, Stderr string
	Took           time.Duration
}

// Status reads the RunStatus that -o json printed.
func (r Result) Status() (*rollout.RunStatus, error) {
	status := &rollout.RunStatus{}
	if err := json.Unmarshal([]byte(r.Stdout), status); err != nil {
		return nil, fmt.Errorf("read RunStatus: %w in %q", err, r.Stdout)
	}
	if status.Kind != "RunStatus" {
		return nil, fmt.Errorf("read RunStatus: the kind is %q", status.Kind)
	}
	return status, nil
}

// Process is a program while it runs.
type Process struct {
	command        *exec.Cmd
	stdout, stderr synchronized
	began          time.Time
	done           chan struct{}
	took           time.Duration
	failure        error
}

// Run runs kubectl-bluegreen in the shop's folder until it ends. A code other
// than 0 is no error.
func (s *Shop) Run(ctx context.Context, args ...string) (Result, error) {
	return s.place.Run(ctx, s.Folder, nil, s.place.Plugin, args...)
}

// Start runs kubectl-bluegreen in the shop's folder.
func (s *Shop) Start(ctx context.Context, args ...string) (*Process, error) {
	return s.place.Start(ctx, s.Folder, nil, s.place.Plugin, args...)
}

// Run runs any program in a folder until it ends. A code other than 0 is no
// error.
func (p *Place) Run(ctx context.Context, folder string, variables []string, program string, args ...string) (Result, error) {
	process, err := p.Start(ctx, folder, variables, program, args...)
	if err != nil {
		return Result{}, err
	}
	return process.Wait()
}

// Start runs any program in a folder. Its environment is this process's, with
// the place's kubeconfig, without colours in the output, and with the
// variables, of which the last of a name counts.
func (p *Place) Start(ctx context.Context, folder string, variables []string, program string, args ...string) (*Process, error) {
	process := &Process{command: exec.CommandContext(ctx, program, args...), began: time.Now(), done: make(chan struct{})}
	process.command.Dir = folder
	process.command.Env = append(append(os.Environ(), p.variables()...), variables...)
	process.command.Stdout, process.command.Stderr = &process.stdout, &process.stderr
	if err := process.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go func() {
		defer close(process.done)
		process.failure = process.command.Wait()
		process.took = time.Since(process.began)
	}()
	return process, nil
}

// variables are those of every program that runs for the place.
func (p *Place) variables() []string {
	if p.Kubeconfig == "" {
		return []string{"NO_COLOR=1"}
	}
	return []string{"NO_COLOR=1", "KUBECONFIG=" + p.Kubeconfig}
}

// Wait returns how the process ended. It may be called again.
func (p *Process) Wait() (Result, error) {
	<-p.done
	result := Result{Stdout: p.stdout.String(), Stderr: p.stderr.String(), Took: p.took}
	var exit *exec.ExitError
	switch {
	case errors.As(p.failure, &exit) && exit.Exited():
		result.Code = exit.ExitCode()
	case p.failure != nil:
		return result, fmt.Errorf("run %s: %w\n%s", p.command.Path, p.failure, result.Stderr)
	}
	return result, nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stderr is what it has said so far.
func (p *Process) Stderr() string { return p.stderr.String() }

// PID is the process's number.
func (p *Process) PID() int { return p.command.Process.Pid }

// Signal sends a signal.
func (p *Process) Signal(signal os.Signal) error { return p.command.Process.Signal(signal) }

// synchronized is a buffer that is read while it is written.
type synchronized struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

// Write implements io.Writer.
func (s *synchronized) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.Write(text)
}

func (s *synchronized) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.String()
}
