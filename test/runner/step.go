package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// What the runner waits after SIGINT, and then after SIGTERM.
const (
	AfterInterrupt = 7500 * time.Millisecond
	AfterTerminate = 2500 * time.Millisecond
)

// Options say what step is run.
type Options struct {
	// Entry is the folder of the Action's entry, action/entry, and Engine the program
	// that it is given to start, bluegreen-action.
	Entry, Engine string
	// Checkout is the folder that it runs in, and Temp a folder of the step's own.
	Checkout, Temp string
	// Inputs are by their names in action.yml.
	Inputs map[string]string
	// Variables are further ones, NAME=VALUE.
	Variables []string
}

// Step is a step of a job.
type Step struct {
	options Options
	place   *shop.Place
	process *shop.Process
}

// The files that a step writes to, by the variables that name them.
const (
	outputs = "GITHUB_OUTPUT"
	state   = "GITHUB_STATE"
	summary = "GITHUB_STEP_SUMMARY"
)

// Start starts the main part of a step.
func Start(ctx context.Context, place *shop.Place, options Options) (*Step, error) {
	step := &Step{options: options, place: place}
	for _, file := range []string{outputs, state, summary} {
		if err := os.WriteFile(step.file(file), nil, 0o600); err != nil {
			return nil, fmt.Errorf("make the step's files: %w", err)
		}
	}
	process, err := step.part(ctx, "main", nil)
	if err != nil {
		return nil, err
	}
	step.process = process
	return step, nil
}

// Process is that of the main part.
func (s *Step) Process() *shop.Process { return s.process }

// Cancel plays the sequence of a cancel until the main part has ended. killed
// reports that only SIGKILL ended it.
func (s *Step) Cancel(ctx context.Context) (killed bool, err error) {
	for _, next := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, AfterInterrupt}, {syscall.SIGTERM, AfterTerminate}} {
		if err := s.process.Signal(next.signal); err != nil {
			return false, fmt.Errorf("cancel the step: %w", err)
		}
		timer := time.NewTimer(next.wait)
		select {
		case <-s.process.Done():
			timer.Stop()
			return false, nil
		case <-ctx.Done():
			timer.Stop()
			return false, ctx.Err()
		case <-timer.C:
		}
	}
	for _, child := range children(s.process.PID()) { // a runner kills the whole tree
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	if err := s.process.Signal(syscall.SIGKILL); err != nil {
		return false, fmt.Errorf("cancel the step: %w", err)
	}
	<-s.process.Done()
	return true, nil
}

// Freeze stops whatever the step has started where it is: it hears no signal but
// SIGKILL from then on.
func (s *Step) Freeze() error {
	started := children(s.process.PID())
	if len(started) == 0 {
		return errors.New("freeze the step: it has started nothing")
	}
	for _, child := range started {
		if err := syscall.Kill(child, syscall.SIGSTOP); err != nil {
			return fmt.Errorf("freeze the step: %w", err)
		}
	}
	return nil
}

// children are the processes that a process has started and that still run.
func children(process int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", process, process))
	if err != nil {
		return nil // it has ended
	}
	var found []int
	for field := range strings.FieldsSeq(string(text)) {
		if child, err := strconv.Atoi(field); err == nil {
			found = append(found, child)
		}
	}
	return found
}

// Post runs the post part until it ends, with what main left to it.
func (s *Step) Post(ctx context.Context) (shop.Result, error) {
	left, err := s.values(state)
	if err != nil {
		return shop.Result{}, err
	}
	var variables []string
	for _, name := range slices.Sorted(maps.Keys(left)) {
		variables = append(variables, "STATE_"+name+"="+left[name])
	}
	process, err := s.part(ctx, "post", variables)
	if err != nil {
		return shop.Result{}, err
	}
	return process.Wait()
}

// Outputs are those that the step has set so far.
func (s *Step) Outputs() (map[string]string, error) { return s.values(outputs) }

// Summary is what the step shows.
func (s *Step) Summary() (string, error) {
	text, err := os.ReadFile(s.file(summary))
	return string(text), err
}

func (s *Step) file(variable string) string { return filepath.Join(s.options.Temp, variable) }

func (s *Step) part(ctx context.Context, part string, more []string) (*shop.Process, error) {
	// A shift of another step is none of an earlier attempt, whatever job this runs in.
	variables := []string{"GITHUB_RUN_ID=", "GITHUB_ACTIONS=true", "GITHUB_WORKSPACE=" + s.options.Checkout, "RUNNER_TEMP=" + s.options.Temp, "INPUT_BINARY=" + s.options.Engine}
	for _, file := range []string{outputs, state, summary} {
		variables = append(variables, file+"="+s.file(file))
	}
	for _, name := range slices.Sorted(maps.Keys(s.options.Inputs)) {
		variables = append(variables, "INPUT_"+strings.ToUpper(name)+"="+s.options.Inputs[name])
	}
	variables = append(append(variables, s.options.Variables...), more...)
	return s.place.Start(ctx, s.options.Checkout, variables, "node", filepath.Join(s.options.Entry, part+".js"))
}

func (s *Step) values(file string) (map[string]string, error) {
	text, err := os.ReadFile(s.file(file))
	if err != nil {
		return nil, err
	}
	return parse(string(text))
}
