package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
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

// Process is the program under test while it runs.
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
	return s.run(ctx, s.place.Plugin, args...)
}

// Start runs kubectl-bluegreen in the shop's folder.
func (s *Shop) Start(ctx context.Context, args ...string) (*Process, error) {
	return s.start(ctx, s.place.Plugin, args...)
}

func (s *Shop) run(ctx context.Context, program string, args ...string) (Result, error) {
	process, err := s.start(ctx, program, args...)
	if err != nil {
		return Result{}, err
	}
	return process.Wait()
}

func (s *Shop) start(ctx context.Context, program string, args ...string) (*Process, error) {
	process := &Process{command: exec.CommandContext(ctx, program, args...), began: time.Now(), done: make(chan struct{})}
	process.command.Dir = s.Folder
	process.command.Env = s.environment()
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

// environment is this process's, with the place's kubeconfig and without
// colours in the output.
func (s *Shop) environment() []string {
	variables := os.Environ()
	if s.place.Kubeconfig == "" {
		return append(variables, "NO_COLOR=1")
	}
	variables = slices.DeleteFunc(variables, func(variable string) bool { return strings.HasPrefix(variable, "KUBECONFIG=") })
	return append(variables, "NO_COLOR=1", "KUBECONFIG="+s.place.Kubeconfig)
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
