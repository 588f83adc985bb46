package race

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/audit"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/crash"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

const (
	// hang bounds one race, far above what it takes.
	hang = 5 * time.Minute
	// settling is how long what has just been answered may take to be in the
	// log, or what has just been written to be in the EndpointSlices.
	settling = 500 * time.Millisecond
	// fewest are the writes without which a run neither begins nor ends: the
	// lease and the record, each taken and given up, and three stamps, each
	// between its intent and its result.
	fewest = 13
)

// Outcome is what came of a race.
type Outcome struct {
	Race Race
	// Slept: the process was put to sleep before it had ended. Vacant is how
	// long its run had nobody to drive it then, and somebody to take it over.
	Slept  bool
	Vacant time.Duration
	// Ending is what became of it.
	Ending Ending
	// Verdict is what the audit log says.
	Verdict audit.Verdict
	Took    time.Duration
	// Refused: one new connection was refused, which is no error by itself.
	Refused bool
	// Err is nil where the run converged, nobody noticed and no rule was
	// broken.
	Err error
}

// Hold holds a race, and judges it.
func (a *Arena) Hold(ctx context.Context, drawn Race) Outcome {
	ctx, cancel := context.WithTimeout(ctx, hang)
	defer cancel()
	began, found := time.Now(), Outcome{Race: drawn}
	a.Logf("%s", drawn)
	offset, err := audit.Size(a.Lab.AuditLog())
	if err == nil {
		err = a.watched(ctx, drawn, &found)
	}
	verdict, failure := a.judged(ctx, offset)
	if failure == nil && len(verdict.Violations) > 0 {
		failure = fmt.Errorf("%d violations: %s", len(verdict.Violations), strings.Join(verdict.Violations, "; "))
	}
	found.Verdict, found.Took = verdict, time.Since(began)
	found.Ending = endingOf(found.Slept, verdict.TakeOvers, found.Vacant)
	a.Logf("%s, after it was vacant for %s", found.Ending, found.Vacant.Round(10*time.Millisecond))
	if err = errors.Join(err, failure, a.harmless(ctx)); err != nil {
		found.Err = fmt.Errorf("%s: %w", drawn, err)
	}
	return found
}

// watched holds a race while the route and the clients are watched.
func (a *Arena) watched(ctx context.Context, drawn Race, found *Outcome) error {
	watch, err := a.Driver.Watch(ctx, a.Shop.Client(), a.Shop)
	if err != nil {
		return err
	}
	defer watch.Stop()
	before := a.Load.Counts()
	err = a.compete(ctx, drawn, found)
	if err = errors.Join(err, a.converge(ctx)); err == nil {
		err = a.serves(ctx)
	}
	err = errors.Join(err, watch.Check(ctx))
	counts := a.Load.Counts().Since(before)
	found.Refused = crash.OneRefused(counts)
	return errors.Join(err, crash.Lost(counts))
}

// compete lets everybody loose, and waits until they have ended.
func (a *Arena) compete(ctx context.Context, drawn Race, found *Outcome) error {
	before, err := a.record(ctx)
	if err != nil {
		return err
	}
	id := journal.NewRunID(time.Now(), rand.String(5))
	asleep := sleeperOf(drawn, a.usual)
	a.use(asleep)
	command := []string{"shift"}
	if drawn.Carries {
		command = []string{"job", "shift", "--run", id, "--holder", "carrier-" + id}
	}
	asleep.process, err = a.start(ctx, sleeping, command...)
	close(asleep.started)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if drawn.Rival == Guard {
		group.Go(func() error { return a.guard(ctx, drawn, asleep.process, before) })
	}
	group.Go(func() error {
		var err error
		if found.Slept, err = asleep.sleeps(ctx); err != nil || !found.Slept {
			return err
		}
		group.Go(func() error {
			found.Vacant = a.vacant(ctx, drawn.Rival, idOf(before), drawn.Asleep)
			return ignoreGone(asleep.process.Signal(syscall.SIGCONT))
		})
		a.disturb(ctx, group, asleep)
		return nil
	})
	group.Go(func() error { return a.ended(sleeping, command, asleep.process) })
	return group.Wait()
}

// idOf is the id of a run, "" where there is none.
func idOf(run *journal.Run) string {
	if run == nil {
		return ""
	}
	return run.ID
}

// learn shifts without a rival, which creates what all other shifts find, and
// learns how long that is.
func (a *Arena) learn(ctx context.Context) error {
	counted := awake()
	a.use(counted)
	process, err := a.start(ctx, sleeping, "shift")
	close(counted.started)
	if err != nil {
		return err
	}
	result, err := process.Wait()
	if err == nil && result.Code != rollout.CodeDone {
		err = fmt.Errorf("exit code %d: %s%s", result.Code, result.Stdout, result.Stderr)
	}
	if err != nil {
		return fmt.Errorf("shift without a rival: %w", err)
	}
	a.usual = length{took: result.Took, writes: counted.counted()}
	a.Logf("a shift takes %s and %d writes", a.usual.took.Round(time.Second), a.usual.writes)
	return nil
}

// disturb lets the others begin while the process sleeps, and its write go.
func (a *Arena) disturb(ctx context.Context, group *errgroup.Group, asleep *sleeper) {
	drawn := asleep.race
	at := func(delay time.Duration, do func() error) {
		group.Go(func() error { return errors.Join(pause(ctx, delay), do()) })
	}
	at(drawn.Held, func() error { close(asleep.let); return nil })
	for i, other := range drawn.Others {
		at(drawn.Delay, func() error { return a.runs(ctx, []role{first, second}[i], strings.Fields(other)...) })
	}
}

// ignoreGone leaves out that a process has ended.
func ignoreGone(err error) error {
	if err == nil || strings.Contains(err.Error(), "process already finished") {
		return nil
	}
	return err
}

// runs runs the program as somebody until it ends.
func (a *Arena) runs(ctx context.Context, who role, args ...string) error {
	process, err := a.start(ctx, who, args...)
	if err != nil {
		return err
	}
	a.others.Add(1)
	defer a.others.Add(-1)
	return a.ended(who, args, process)
}

// ended waits for a process. One that lost the race says so; one that could
// not prove what it did is a failure, and so is one that failed itself, and one
// that is kept from beginning by what an earlier race has left.
func (a *Arena) ended(who role, args []string, process *shop.Process) error {
	result, err := process.Wait()
	if err != nil {
		return fmt.Errorf("%s, %s: %w", who, args[0], err)
	}
	a.Logf("%s: %s ended with %d after %s: %s", who, strings.Join(args, " "), result.Code, result.Took.Round(10*time.Millisecond), lastLine(result))
	hindered := strings.Contains(result.Stdout, "carries an emergency stop")
	if hindered || result.Code == rollout.CodeUnproven || result.Code == rollout.CodeFailed {
		return fmt.Errorf("%s, %s: exit code %d: %s%s", who, args[0], result.Code, result.Stdout, result.Stderr)
	}
	return nil
}

// lastLine is what a process said last.
func lastLine(result shop.Result) string {
	text := strings.TrimSpace(result.Stdout)
	if text == "" {
		text = strings.TrimSpace(result.Stderr)
	}
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// guard guards the run once it is recorded, as a Job's pod does.
func (a *Arena) guard(ctx context.Context, drawn Race, process *shop.Process, before *journal.Run) error {
	for {
		run, err := a.record(ctx)
		if err != nil {
			return err
		}
		if run != nil && (before == nil || run.ID != before.ID) {
			return a.runs(ctx, first, "job", "guard", "--run", run.ID, "--holder", "guard-"+run.ID, "--silence", lease.String(), "--policy", string(drawn.Policy))
		}
		select {
		case <-process.Done():
			return nil
		default:
		}
		if err := pause(ctx, settling/5); err != nil {
			return err
		}
	}
}

// converge brings to an end what is left, as somebody who had no part in it.
func (a *Arena) converge(ctx context.Context) error {
	for _, command := range []string{resume, rollback, ""} {
		run, err := a.record(ctx)
		switch {
		case err != nil:
			return err
		case run == nil || !run.Finished.IsZero():
			if open := unanswered(run); len(open) > 0 {
				return fmt.Errorf("run %s ended with open intents: %s", run.ID, strings.Join(open, ", "))
			}
			return nil
		case command == "":
			return fmt.Errorf("run %s is still in phase %s, after a resume and a rollback", run.ID, run.Phase)
		}
		if err := a.runs(ctx, bystander, command); err != nil {
			return err
		}
	}
	return nil
}

// unanswered are the intents that a run has left open.
func unanswered(run *journal.Run) []string {
	if run == nil {
		return nil
	}
	var open []string
	for _, intent := range journal.Open(run.Entries) {
		open = append(open, intent.Action+" "+intent.Object)
	}
	return slices.Compact(open)
}

// serves wants one colour to serve whole, whichever.
func (a *Arena) serves(ctx context.Context) error {
	var err error
	for range 60 {
		live, failure := a.Shop.Live(ctx)
		if err = failure; err == nil {
			err = a.Shop.Serves(ctx, live)
		}
		if err == nil {
			return nil
		}
		if pause(ctx, settling) != nil {
			break
		}
	}
	return err
}
