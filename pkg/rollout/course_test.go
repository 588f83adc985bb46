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
