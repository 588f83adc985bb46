package rollout

import (
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

// TestAProcessThatWasAwayHolds: a laptop that slept in mid-watch must not go
// on as if it had watched, and one that slept on the way back must go on.
func TestAProcessThatWasAwayHolds(t *testing.T) {
	for name, test := range map[string]struct {
		phase Phase
		slept time.Duration
		held  bool
	}{
		"the usual interval": {Watch, 5 * time.Second, false},
		"a slow journal":     {Watch, insistFor + 2*persistTimeout, false},
		"asleep":             {Watch, time.Hour, true},
		"asleep in a switch": {Switch, time.Hour, true},
		"on the way back":    {Revert, time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			runner, _, _ := newRunner(t)
			clock := clocktesting.NewFakeClock(start)
			runner.Clock, runner.policy = clock, PolicyOf(runner.Release)
			state := at(test.phase, moved, cutover)
			if seen, away := runner.away(state); away {
				t.Fatalf("away at the first look: %s", seen.Message)
			}
			clock.Step(test.slept)
			seen, away := runner.away(state)
			if away != test.held {
				t.Fatalf("away = %v, want %v", away, test.held)
			}
			if !away {
				return
			}
			next := Step(runner.policy, state, seen)
			if next.Phase != Held || next.Resume != test.phase || !strings.Contains(next.Reason, "away for 5") {
				t.Errorf("%s to resume %s: %s", next.Phase, next.Resume, next.Reason)
			}
			if _, again := runner.away(state); again {
				t.Error("away although it looked just now")
			}
		})
	}
}
