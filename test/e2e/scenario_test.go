package e2e

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// hang bounds one run of the program, far above what it takes.
const hang = 8 * time.Minute

// patient is the environment of every service: the pool is full from the
// start, and what a busy machine is slow at is waited for instead of answered
// with 503.
var patient = map[string]string{
	"DB_POOL_SIZE": "6", "DB_POOL_WARM": "true", "DB_CONNECT_TIMEOUT": "15s", "REQUEST_TIMEOUT": "15s",
}

// scenario is one test's shop.
type scenario struct {
	t    *testing.T
	shop *shop.Shop
}

// open opens a shop that is closed with the test.
func open(t *testing.T, options shop.Options) *scenario {
	t.Helper()
	options.Namespace = namespace(t.Name())
	options.Folder = t.TempDir()
	environment := maps.Clone(patient)
	maps.Copy(environment, options.Env)
	options.Env = environment
	ready := place(t)
	began := time.Now()
	opened, err := ready.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	t.Logf("shop %s is open after %s", options.Namespace, time.Since(began).Round(time.Second))
	return &scenario{t: t, shop: opened}
}

// namespace makes a namespace of a test's name; it has 63 letters at most.
func namespace(test string) string {
	name := strings.Map(func(letter rune) rune {
		switch {
		case letter >= 'a' && letter <= 'z', letter >= '0' && letter <= '9':
			return letter
		case letter >= 'A' && letter <= 'Z':
			return letter - 'A' + 'a'
		}
		return '-'
	}, strings.TrimPrefix(test, "Test"))
	return "e2e-" + name[:min(len(name), 59)]
}

// run runs the program and fails the test unless it ends with the code.
func (s *scenario) run(code int, args ...string) shop.Result {
	s.t.Helper()
	process := s.start(args...)
	return s.ended(process, code)
}

// start starts the program.
func (s *scenario) start(args ...string) *shop.Process {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), hang)
	process, err := s.shop.Start(ctx, args...)
	if err != nil {
		cancel()
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cancel()
		<-process.Done()
	})
	return process
}

// ended waits for a process and fails the test unless it ends with the code.
func (s *scenario) ended(process *shop.Process, code int) shop.Result {
	s.t.Helper()
	result, err := process.Wait()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("exit code %d after %s\n%s", result.Code, result.Took.Round(100*time.Millisecond), result.Stderr)
	if result.Code != code {
		s.t.Fatalf("exit code %d, want %d\n%s", result.Code, code, result.Stdout)
	}
	return result
}

// status reads the RunStatus that a run printed.
func (s *scenario) status(result shop.Result) *rollout.RunStatus {
	s.t.Helper()
	status, err := result.Status()
	if err != nil {
		s.t.Fatal(err)
	}
	return status
}

// serves fails the test unless production selects a colour, and its
// EndpointSlices hold that colour's ready pods and nothing else.
func (s *scenario) serves(color string) {
	s.t.Helper()
	if err := s.shop.Serves(s.t.Context(), color); err != nil {
		s.t.Error(err)
	}
}

// drained fails the test unless the run saw that nothing is left behind.
func (s *scenario) drained(status *rollout.RunStatus) {
	s.t.Helper()
	if status.Residual == nil || status.Residual.State != measure.OK || status.Residual.Value != 0 {
		s.t.Errorf("residual = %+v, want a reading of 0", status.Residual)
	}
}

// scaledToZero fails the test unless a colour was scaled to zero and the replicas
// that it had are recorded; or runs on, where the route needs that.
func (s *scenario) scaledToZero(color string, had int) {
	s.t.Helper()
	replicas, err := s.shop.Replicas(s.t.Context(), color)
	if err != nil {
		s.t.Fatal(err)
	}
	recorded, err := s.shop.Annotation(s.t.Context(), color, cluster.AnnotationReplicas)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.shop.KeepsBothSides() {
		if replicas != had || recorded != "" {
			s.t.Errorf("%s wants %d replicas and recorded %q, want that it runs on", color, replicas, recorded)
		}
		return
	}
	if replicas != 0 || recorded != strconv.Itoa(had) {
		s.t.Errorf("%s wants %d replicas and recorded %q, want 0 and %d", color, replicas, recorded, had)
	}
}

// recorded fails the test unless the record of a run has all these intents,
// each with a result after it.
func (s *scenario) recorded(id string, actions ...string) {
	s.t.Helper()
	status := s.status(s.run(rollout.CodeDone, "history", id, "-o", "json"))
	if status.ID != id {
		s.t.Fatalf("history is about run %q, want %q", status.ID, id)
	}
	intended := map[string]bool{}
	for position, entry := range status.Entries {
		if entry.Kind != journal.Intent {
			continue
		}
		intended[entry.Action] = true
		if !slices.ContainsFunc(status.Entries[position:], func(later journal.Entry) bool {
			return later.Kind == journal.Result && later.Action == entry.Action && later.Object == entry.Object
		}) {
			s.t.Errorf("the intent to %s %s has no result", entry.Action, entry.Object)
		}
	}
	for _, action := range actions {
		if !intended[action] {
			s.t.Errorf("run %s records no intent to %s, only %v", id, action, intended)
		}
	}
}

// judged fails the test unless the gate of a run asked for all these signals
// and was answered: a rule that asks for nothing, and one that nothing answers,
// lets everything pass. Before the switch the target has no requests that it
// could be judged by; that it is judged after it is shown by the run's end, for
// without data nothing advances.
func (s *scenario) judged(status *rollout.RunStatus, signals ...measure.Signal) {
	s.t.Helper()
	for _, signal := range signals {
		asked := false
		for _, reading := range status.Baseline {
			if reading.Signal != signal {
				continue
			}
			asked = true
			idle := ofRequests(signal) && reading.Color == status.To
			if reading.State != measure.OK && !idle {
				s.t.Errorf("%s of %q is %s: %s", signal, reading.Color, reading.State, reading.Detail)
			}
		}
		if !asked {
			s.t.Errorf("the gate did not ask for %s", signal)
		}
	}
}

// ofRequests reports whether a signal has no data while nobody sends requests.
func ofRequests(signal measure.Signal) bool {
	return signal == measure.ErrorRatio || signal == measure.LatencyP95 || signal == measure.RequestRate
}
