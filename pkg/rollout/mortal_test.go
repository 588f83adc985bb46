package rollout

import (
	"context"
	"errors"
	"testing"
)

// mortal is a process that can be killed at a write of its route.
type mortal struct {
	// answers is asked about every write, with the name of the object; dead is why
	// nothing is answered any more, and wrote counts the writes.
	answers func(name string) error
	dead    error
	wrote   int
}

// killedAt has run killed at the write that comes after so many, which is made or is
// not, and lets the next process be answered.
func (m *mortal) killedAt(t *testing.T, after int, made bool, run func(context.Context)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	m.answers = func(string) error {
		if m.wrote <= after {
			return nil
		}
		cancel()
		m.dead = errors.New("killed")
		if made {
			return nil
		}
		return m.dead
	}
	run(ctx)
	if m.dead == nil {
		t.Fatal("there were not so many writes")
	}
	m.dead, m.answers = nil, nil
}

// wantBack has a process go back, by force, and fails the test where it does not.
func wantBack(t *testing.T, process *Runner) {
	t.Helper()
	outcome, err := process.Rollback(t.Context(), RollbackRequest{Force: true, Reason: "asked"})
	if err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
}
