package crash

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// hang bounds one command, far above what it takes.
const hang = 6 * time.Minute

// lease is how long a process of the program may be silent: a killed one is
// waited for that long, and there are many.
const lease = 4 * time.Second

// Suite is a shop whose releases are killed, under load.
type Suite struct {
	driver Driver
	shop   *shop.Shop
	client *cluster.Client
	load   *clients.Run
	logf   func(format string, args ...any)
	proxy  *interpose.Proxy
	ledger *Ledger
	// refusals are those of everything that was watched.
	refusals Refusals

	mutex sync.Mutex
	// victim is the process that is driven now.
	victim *victim
}

// Setting is what a suite works on.
type Setting struct {
	Driver Driver
	// Shop is open, with blue in production.
	Shop *shop.Shop
	// Place is where it stands.
	Place *shop.Place
	// Load is sent to production all the time.
	Load *clients.Run
	// Logf is told what happens.
	Logf func(format string, args ...any)
}

// Open starts the proxy through which the program is driven, until ctx ends.
func Open(ctx context.Context, setting Setting) (*Suite, error) {
	proxy, err := interpose.Start(ctx, setting.Place.Kubeconfig, setting.Shop.Folder)
	if err != nil {
		return nil, err
	}
	suite := &Suite{
		driver: setting.Driver, shop: setting.Shop, client: setting.Place.Client, load: setting.Load, logf: setting.Logf,
		proxy: proxy, ledger: NewLedger(setting.Shop.Namespace, shop.Release),
	}
	proxy.Use(suite.see)
	return suite, nil
}

// Close ends the proxy.
func (s *Suite) Close() { s.proxy.Close() }

// see is the hook that reads every write, and kills.
func (s *Suite) see(_ context.Context, exchange *interpose.Exchange) interpose.Reaction {
	point, known := s.ledger.See(exchange)
	s.mutex.Lock()
	victim := s.victim
	s.mutex.Unlock()
	if !known || victim == nil || !victim.dies(point, exchange) {
		return interpose.Pass()
	}
	victim.die()
	return interpose.Drop()
}

// victim is one process of the program, and where it is killed.
type victim struct {
	kill *Kill

	mutex  sync.Mutex
	points []Point // that landed
	struck bool

	// started is closed once process, or nothing, is there.
	started chan struct{}
	process *shop.Process
}

// dies counts a point, and reports whether it is the one to be killed at.
func (v *victim) dies(point Point, exchange *interpose.Exchange) bool {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.struck {
		return true // what a dead process has sent beside it
	}
	if exchange.Landed() {
		v.points = append(v.points, point)
	}
	if v.kill == nil || v.kill.Point != point || v.kill.Begun && !slices.ContainsFunc(v.points, func(landed Point) bool { return landed.Kind == Begin }) {
		return false
	}
	v.struck = v.kill.Landing == Before && exchange.Stage == interpose.Arriving || v.kill.Landing == After && exchange.Landed()
	return v.struck
}

// die kills the process and waits until it is gone.
func (v *victim) die() {
	<-v.started
	if v.process == nil {
		return
	}
	_ = v.process.Signal(os.Kill)
	<-v.process.Done()
}

// run carries out one step, and returns the points that landed.
func (s *Suite) run(ctx context.Context, step Step) ([]Point, error) {
	ctx, cancel := context.WithTimeout(ctx, hang)
	defer cancel()
	current := &victim{kill: step.Kill, started: make(chan struct{})}
	s.mutex.Lock()
	s.victim = current
	s.mutex.Unlock()
	process, err := s.shop.Start(ctx, s.arguments(step.Command)...)
	current.process = process
	close(current.started)
	if err != nil {
		return nil, err
	}
	result, err := process.Wait()
	if quiet := s.proxy.Quiet(ctx); quiet != nil {
		return nil, quiet
	}
	current.mutex.Lock()
	defer current.mutex.Unlock()
	switch {
	case current.struck:
		s.logf("%s: killed %s it, after %s", step.Kill.Point, step.Kill.Landing, result.Took.Round(10*time.Millisecond))
		return current.points, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", step.Command, err)
	case step.Kill != nil && result.Code == 0:
		return nil, &missedError{step: step, said: result.Stderr}
	case result.Code != 0:
		return nil, fmt.Errorf("%s ended with exit code %d, want 0:\n%s%s", step.Command, result.Code, result.Stderr, result.Stdout)
	}
	s.logf("%s: exit code 0 after %s: %s", step.Command, result.Took.Round(10*time.Millisecond), strings.TrimSpace(result.Stdout))
	return current.points, nil
}

// arguments are the command line of a command.
func (s *Suite) arguments(command string) []string {
	arguments := []string{command, "--kubeconfig", s.proxy.Kubeconfig(), "--lease-duration", lease.String()}
	if command == shift {
		arguments = append(append(arguments, "--to", shop.Green), s.driver.Flags...)
	}
	return arguments
}

// Learn shifts and rolls back without a kill, which must work too, and returns
// the points of both in the order in which they landed.
func (s *Suite) Learn(ctx context.Context) (forward, backward []Point, err error) {
	learn := func(command, from, serves string) (points []Point) {
		if err != nil {
			return nil
		}
		_, err = s.watched(ctx, command+", undisturbed", serves, func() (failure error) {
			points, failure = s.run(ctx, undisturbed(command))
			return failure
		})
		if err != nil {
			err = fmt.Errorf("%s from %s, undisturbed: %w", command, from, err)
		}
		return points
	}
	forward = learn(shift, shop.Blue, shop.Green)
	backward = learn(rollback, shop.Green, shop.Blue)
	return forward, backward, err
}

// Outcome is what came of a case.
type Outcome struct {
	Case Case
	Took time.Duration
	// Refused: one new connection was refused, which is no error by itself.
	Refused bool
	// Err is nil where the run converged and nobody noticed.
	Err error
	// Missed: all that Err says is that no try came to where it was to be killed.
	Missed bool
}

// tries is how often a case is begun at most. Some points a run comes to only where its
// clients lead it there: a spare pod is made while requests still reach the side that
// was left, and a proxy that followed at once leaves none to be asked for. Of such a run
// nothing was killed, so nothing is known of the case yet.
const tries = 3

// missedError is of a step that ended well before it came to where it was to be killed.
type missedError struct {
	step Step
	said string
}

func (e *missedError) Error() string {
	return fmt.Sprintf("%s ended with exit code 0 and never came to %s:\n%s", e.step.Command, e.step.Kill.Point, e.said)
}

// Try carries out one case.
func (s *Suite) Try(ctx context.Context, found Case) Outcome {
	began := time.Now()
	outcome := Outcome{Case: found}
	for try := 1; ; try++ {
		s.logf("case: %s", found.Name)
		refused, err := s.once(ctx, found)
		outcome.Refused = outcome.Refused || refused
		missed := (*missedError)(nil)
		if outcome.Missed = errors.As(err, &missed); outcome.Missed && try < tries {
			s.logf("begun anew: %v", missed)
			continue
		}
		if err != nil {
			outcome.Err = fmt.Errorf("%s: %w", found.Name, err)
		}
		outcome.Took = time.Since(began)
		return outcome
	}
}

// once carries out one case from its beginning. A point that was missed is told alone:
// all else that has to hold after the case held after the run that missed it.
func (s *Suite) once(ctx context.Context, found Case) (refused bool, err error) {
	if err := s.home(ctx, found.From); err != nil {
		return false, err
	}
	var missed *missedError
	refused, err = s.watched(ctx, found.Name, found.Serves, func() error {
		for _, step := range found.Steps {
			if _, err := s.run(ctx, step); errors.As(err, &missed) {
				return nil
			} else if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && missed != nil {
		err = missed
	}
	return refused, err
}

// home brings a colour to production, undisturbed, where it is not. What a
// case that failed has left unfinished is rolled back first.
func (s *Suite) home(ctx context.Context, color string) error {
	if run, err := s.current(ctx); err == nil && run != nil && run.Finished.IsZero() {
		if _, err := s.run(ctx, undisturbed(rollback)); err != nil {
			return fmt.Errorf("end run %s: %w", run.ID, err)
		}
	}
	if s.shop.Serves(ctx, color) == nil {
		return nil
	}
	command := rollback
	if color == shop.Green {
		command = shift
	}
	if _, err := s.run(ctx, undisturbed(command)); err != nil {
		return fmt.Errorf("bring %s to production: %w", color, err)
	}
	return s.shop.Serves(ctx, color)
}

// Refusals are those of every case that was tried, and of what was learned.
func (s *Suite) Refusals() Refusals { return s.refusals }

// watched does something of a name while everything is watched, and returns what
// went wrong: what was done itself, or what it left. refused tells of one new
// connection, which is counted.
func (s *Suite) watched(ctx context.Context, name, serves string, do func() error) (refused bool, err error) {
	watch, err := s.driver.Watch(ctx, s.client, s.shop)
	if err != nil {
		return false, err
	}
	defer watch.Stop()
	before := s.load.Counts()
	err = errors.Join(do(), s.settled(ctx, serves), watch.Check(ctx))
	counts := s.load.Counts().Since(before)
	if refused = OneRefused(counts); refused {
		s.logf("one new connection refused: %+v", counts.Failures[0])
	}
	s.refusals.Add(s.driver.Name+": "+name, refused)
	return refused, errors.Join(err, Lost(counts), s.announced())
}

// announced returns an error for every write without an intent.
func (s *Suite) announced() error {
	if found := s.ledger.Unannounced(); len(found) > 0 {
		return fmt.Errorf("%s%d writes without an intent: %s", promise.Broken, len(found), strings.Join(found, "; "))
	}
	return nil
}
