package lab

import (
	"context"
	"fmt"
	"syscall"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab/process"
)

// Pause stops a component where it stands: its connections stay open and
// nothing answers, as on a machine that hangs. [Lab.Resume] lets it go on.
func (l *Lab) Pause(component Component) error { return l.signal(component, syscall.SIGSTOP) }

// Resume lets a paused component go on.
func (l *Lab) Resume(component Component) error { return l.signal(component, syscall.SIGCONT) }

// Kill ends a component without asking, as a crash does, and returns when it
// is gone. Containers go on without kubelet and containerd. [Lab.Start] starts
// it again.
func (l *Lab) Kill(ctx context.Context, component Component) error {
	running, err := l.process(component)
	if err != nil {
		return err
	}
	if err := running.Kill(ctx); err != nil {
		return fmt.Errorf("kill %s: %w", component, err)
	}
	return nil
}

// Start starts a component that was killed, with the arguments it had. It
// doesn't wait until the component answers. One that runs is left alone.
func (l *Lab) Start(component Component) error {
	running, err := l.process(component)
	if err != nil {
		return err
	}
	if running.Alive() {
		return nil
	}
	return l.launch(component)
}

// signal sends a signal to a component.
func (l *Lab) signal(component Component, signal syscall.Signal) error {
	running, err := l.process(component)
	if err != nil {
		return err
	}
	if err := running.Signal(signal); err != nil {
		return fmt.Errorf("signal %s: %w", component, err)
	}
	return nil
}

// process returns a component's latest process.
func (l *Lab) process(component Component) (process.Record, error) {
	known, err := l.record.read()
	if err != nil {
		return process.Record{}, err
	}
	running, ok := known.Processes[component]
	if !ok {
		return process.Record{}, fmt.Errorf("lab %s has no component %q", l.Name(), component)
	}
	return running, nil
}
