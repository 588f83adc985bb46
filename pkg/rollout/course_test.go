package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

func TestCourse(t *testing.T) {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	status := &RunStatus{From: "blue", To: "green", Started: start, Entries: []journal.Entry{
		{Time: at(1), Kind: journal.Intent, Action: "switch", Object: "service/shop"},
		{Time: at(2), Kind: journal.Transition, Action: passage(Switch, Prove), Split: "blue=50,green=50"},
		{Time: at(3), Kind: journal.Note, Action: "a → b"},
		{Time: at(4), Kind: journal.Transition, Action: passage(Prove, Hold)},
		{Time: at(9), Kind: journal.Decision, Action: passage(Hold, Revert)},
		{Time: at(10), Kind: journal.Transition, Action: passage(Revert, ProveRevert), Split: "blue=100"},
		{Time: at(12), Kind: journal.Transition, Action: passage(ProveRevert, Preserve)},
	}}
	want := []Stay{
		{Switch, at(0), at(2), 0}, {Prove, at(2), at(4), 50}, {Hold, at(4), at(9), 50},
		{Revert, at(9), at(10), 50}, {ProveRevert, at(10), at(12), 0},
	}
	if diff := cmp.Diff(want, status.Course()); diff != "" {
		t.Error(diff)
	}
	if took := status.Course()[2].Took(); took != 5*time.Second {
		t.Errorf("the hold took %s", took)
	}
}

// The record of a run says what the route was given, and each line of progress
// which run it is of.
func TestTheRecordHoldsTheCourse(t *testing.T) {
	runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	var runs []string
	runner.Progress = func(event Event) { runs = append(runs, event.Run) }
	outcome, err := runner.Rollback(t.Context(), RollbackRequest{Reason: "asked"})
	if err != nil || outcome.Code != CodeDone {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	weights := map[Phase]int{}
	for _, stay := range outcome.Status.Course() {
		weights[stay.Phase] = stay.Weight
	}
	if weights[Revert] != 100 || weights[ProveRevert] != 0 || len(weights) < 4 {
		t.Errorf("the target's share by phase is %v", weights)
	}
	if last := runs[len(runs)-1]; last != outcome.Status.ID || last == "" {
		t.Errorf("progress is of run %q, the outcome of %q", last, outcome.Status.ID)
	}
}
