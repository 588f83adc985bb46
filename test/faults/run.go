package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// hang bounds one command, far above what it takes.
const hang = 5 * time.Minute

// trap is a fault that waits for a phase.
type trap struct {
	found Case

	mutex  sync.Mutex
	sprung bool
	mend   func(context.Context) error
	err    error
}

// see is the hook that knows the phase of the run, by what has landed in its
// record, and springs the trap.
func (s *Suite) see(ctx context.Context, exchange *interpose.Exchange) interpose.Reaction {
	s.mutex.Lock()
	trap := s.trap
	s.mutex.Unlock()
	if trap == nil || !exchange.Wrote() {
		return interpose.Pass()
	}
	if run := crash.RunOf(exchange, shop.Release); run != nil && rollout.Phase(run.Phase) == trap.found.Phase {
		trap.spring(ctx, s)
	}
	return interpose.Pass()
}

// spring begins the fault, once, and ends it again when it has lasted.
func (t *trap) spring(ctx context.Context, suite *Suite) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.sprung {
		return
	}
	t.sprung = true
	// The exchange ends with its connection; the fault doesn't.
	ctx = context.WithoutCancel(ctx)
	t.mend, t.err = t.found.Fault.begin(ctx, suite)
	if t.err == nil && t.found.Fault.Lasts > 0 {
		time.AfterFunc(t.found.Fault.Lasts, func() { t.end(ctx) })
	}
}

// end mends what the trap has broken, once.
func (t *trap) end(ctx context.Context) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.mend != nil {
		t.err = errors.Join(t.err, t.mend(context.WithoutCancel(ctx)))
		t.mend = nil
	}
}

// broken runs the command of a case, which meets its fault.
func (s *Suite) broken(ctx context.Context, found Case) (shop.Result, error) {
	trap := &trap{found: found}
	s.set(trap)
	result, err := s.run(ctx, found.Command())
	s.set(nil)
	trap.end(ctx)
	trap.mutex.Lock()
	defer trap.mutex.Unlock()
	switch {
	case trap.err != nil:
		return result, fmt.Errorf("make the fault: %w", trap.err)
	case err == nil && !trap.sprung:
		return result, fmt.Errorf("%s ended with exit code %d and never came to phase %s:\n%s", found.Command(), result.Code, found.Phase, result.Stderr)
	}
	if found.Fault.Everybody && err == nil {
		err = s.setting.Lab.AwaitHealthy(ctx)
	}
	return result, err
}

func (s *Suite) set(trap *trap) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.trap = trap
}

// run runs the program over the suite's ways until it ends.
func (s *Suite) run(ctx context.Context, args ...string) (shop.Result, error) {
	bounded, cancel := context.WithTimeout(ctx, hang)
	defer cancel()
	result, err := s.setting.Shop.Run(bounded, append(args, "--kubeconfig", s.kubeconfig)...)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		err = fmt.Errorf("%s has no end: it was killed after %s\n%s", args[0], hang, result.Stderr)
	}
	if err == nil {
		s.setting.Logf("    %s: exit code %d after %s: %s", strings.Join(args, " "), result.Code, result.Took.Round(100*time.Millisecond), firstLine(result.Stdout))
	}
	return result, err
}

// firstLine is the one that says how a command ended.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// well runs the program and wants it to end with 0.
func (s *Suite) well(ctx context.Context, args ...string) error {
	result, err := s.run(ctx, args...)
	if err == nil && result.Code != rollout.CodeDone {
		err = fmt.Errorf("%s ended with exit code %d:\n%s%s", args[0], result.Code, result.Stdout, result.Stderr)
	}
	return err
}

// status is what the program knows of the last run, by a way that is whole.
func (s *Suite) status(ctx context.Context) (*rollout.RunStatus, error) {
	result, err := s.setting.Shop.Run(ctx, "status", "-o", "json")
	if err != nil {
		return nil, err
	}
	return result.Status()
}

// shifted reports whether the last run has moved traffic and left it there.
func shifted(status *rollout.RunStatus) bool {
	return status.Phase == rollout.Done && !status.Finished.IsZero() && status.Live == status.To+"=100"
}

// sides are the colours of a case by what they are in it.
type sides map[string]string

// sides finds out which colour is which before a case begins.
func (s *Suite) sides(ctx context.Context, found Case) (sides, error) {
	live, err := s.setting.Shop.Live(ctx)
	if err != nil {
		return nil, err
	}
	other := shop.Blue
	if live == shop.Blue {
		other = shop.Green
	}
	if found.Phase.Reverse() {
		return sides{Target: live, Old: other}, nil
	}
	return sides{Target: other, Old: live}, nil
}

// named puts the names of the colours into a text.
func (s sides) named(text string) string {
	return strings.NewReplacer("«"+Target+"»", s[Target], "«"+Old+"»", s[Old]).Replace(text)
}

// ended returns an error unless a command, the run and the route have ended as
// they should.
func (s *Suite) ended(ctx context.Context, result shop.Result, want Ending, sides sides) error {
	status, err := s.status(ctx)
	if err != nil {
		return err
	}
	var problems []error
	if result.Code != want.Code {
		problems = append(problems, fmt.Errorf("exit code %d, want %d", result.Code, want.Code))
	}
	if status.Phase != want.Phase {
		problems = append(problems, fmt.Errorf("the run is %s, want %s", status.Phase, want.Phase))
	}
	return errors.Join(append(problems, s.setting.Shop.Serves(ctx, sides[want.Traffic]))...)
}
