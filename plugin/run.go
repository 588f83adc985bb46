package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/utils/clock"
)

// completionPrefix starts the name under which kubectl looks for a program
// that completes the arguments of a plugin: kubectl_complete-bluegreen.
const completionPrefix = "kubectl_complete-"

// Environment is what the commands know of the process that runs them. It
// is a value so that tests can hand over another one.
type Environment struct {
	// Program is argv[0], the name by which the program was called.
	Program string
	// LookupEnv reads one environment variable, like os.LookupEnv.
	LookupEnv func(name string) (value string, found bool)
	// Identity names this process among all that could hold a lease, such
	// as ana@laptop/4711.
	Identity string
	// Image is the reference, by digest, of the image that was released with
	// this program; "" for a build that was not released.
	Image string
	// Version is that of the release that this program is of, such as v1.2.3; ""
	// for what the Go toolchain stamped on it.
	Version string
	// Programs are files, by the names under which a kubeconfig may name them as what
	// it logs in with; every other name is looked for on PATH.
	Programs map[string]string
	// Artefacts is the folder under which runs keep what they preserve; "" for
	// ./bluegreen-runs.
	Artefacts string
	// Trigger is what has this process do what it does, such as the address of a
	// workflow's run, which does not change when it is run again; "" for a person.
	Trigger string
	// Unattended: no person sits before this process, so that an interrupt hands a
	// guarded run over as every other signal does.
	Unattended bool
	// Observer is told what a command comes to.
	Observer Observer
	// Clock is the time; nil means the real one.
	Clock clock.WithTicker
}

// Interrupted is the cause of a context that a signal cancelled.
type Interrupted struct {
	// Signal is the signal's name, such as interrupt.
	Signal string
}

// Error says which signal it was.
func (i *Interrupted) Error() string { return "interrupted by signal: " + i.Signal }

// ExitStatus is ExitHeld: what was done is in the journal, the state is kept.
func (i *Interrupted) ExitStatus() int { return ExitHeld }

// Run carries out one command line and returns the exit code of the process.
// It never exits, never panics on bad input, and stops soon after ctx does.
// args are the arguments after the program's name.
func Run(ctx context.Context, environment Environment, streams Streams, args []string) int {
	if environment.Clock == nil {
		environment.Clock = clock.RealClock{}
	}
	streams = streams.styled(environment)
	if strings.HasPrefix(filepath.Base(environment.Program), completionPrefix) {
		args = append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	kubeconfig := genericclioptions.NewConfigFlags(true).WithWrapConfigFn(environment.login)
	call := &invocation{environment: environment, streams: streams, kubeconfig: kubeconfig}
	root := newRoot(call)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitDone
	}
	status := ExitStatus(ctx, err)
	err = describe(ctx, err)
	call.environment.Observer.failed(err)
	call.printError(err)
	return status
}

// describe prefers the cause of an interruption over what it left behind in
// whatever call was under way, such as "context canceled".
func describe(ctx context.Context, err error) error {
	var interrupted *Interrupted
	if !errors.As(context.Cause(ctx), &interrupted) {
		return err
	}
	if isCancellation(err) || errors.As(err, &interrupted) {
		return fmt.Errorf("stopped: %w", interrupted)
	}
	return err
}
