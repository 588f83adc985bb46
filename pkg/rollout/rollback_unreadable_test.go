package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// spoiled makes the current record one of a newer version.
func spoiled(t *testing.T, runner *Runner) {
	t.Helper()
	records := runner.Client.Kubernetes.CoreV1().ConfigMaps("shop")
	record, err := records.Get(t.Context(), "bluegreen-shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	record.Data["version"] = "2"
	if _, err := records.Update(t.Context(), record, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// died leaves a run without an end, which has stamped the route where it took it over.
func died(t *testing.T, runner *Runner, production *route, stamps bool) {
	t.Helper()
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "bob@laptop/2"}, journal.Run{ID: "20261122-163012-zzzzz"})
	if err != nil {
		t.Fatal(err)
	}
	if stamps {
		production.Fence = tenure.Fence()
	}
	if err := tenure.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What the route calls the side before is that only where the last run has moved it.
// Where the record of that run can't be read, the past ones tell.
func TestRollbackPastAnUnreadableRecord(t *testing.T) {
	t.Parallel()
	done := State{Phase: Done, From: "blue", To: "green", Started: start, Moved: true}
	back := State{Phase: RolledBack, From: "green", To: "blue", Started: start, Moved: true}
	blocked := State{Phase: Blocked, From: "green", To: "blue", Started: start}
	toBlue := State{Phase: Done, From: "green", To: "blue", Started: start, Moved: true}
	for name, test := range map[string]struct {
		runs           []State
		then           bool // another run died
		stamps         bool // once it had taken the route over
		plainly, force string
		refused        bool
	}{
		"of the run that is done":              {runs: []State{done}, plainly: "blue", force: "blue"},
		"of the run that went back":            {runs: []State{back}, plainly: "green", force: "green"},
		"of one that had not begun":            {runs: []State{done}, then: true, plainly: "blue", force: "blue"},
		"of one that has moved nothing":        {runs: []State{done}, then: true, stamps: true, plainly: "green", force: "blue", refused: true},
		"of one that has, after a done one":    {runs: []State{toBlue}, then: true, stamps: true, plainly: "blue", force: "blue"},
		"of one that has, by itself":           {then: true, stamps: true, plainly: "blue", force: "blue"},
		"of one after one that was blocked":    {runs: []State{done, blocked}, then: true, stamps: true, plainly: "green", force: "blue", refused: true},
		"of one after one that went back":      {runs: []State{back}, then: true, stamps: true, plainly: "green", force: "green"},
		"of one after those two":               {runs: []State{back, blocked}, then: true, stamps: true, plainly: "green", force: "green", refused: true},
		"of one that has moved, after a block": {runs: []State{{Phase: Blocked, From: "blue", To: "green", Started: start}}, then: true, stamps: true, plainly: "blue", force: "blue"},
	} {
		for force, want := range map[bool]string{false: test.plainly, true: test.force} {
			t.Run(fmt.Sprintf("%s, force %v", name, force), func(t *testing.T) {
				runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
				for number, state := range test.runs {
					ranAs(t, runner, fmt.Sprintf("20261122-153012-k7f3%d", number), state)
				}
				if test.then {
					died(t, runner, production, test.stamps)
				}
				spoiled(t, runner)
				outcome, err := runner.Rollback(t.Context(), RollbackRequest{Force: force})
				if refused := test.refused && !force; refused != (err != nil) || err == nil && outcome.Code != CodeDone {
					t.Fatalf("outcome = %+v, %v", outcome, err)
				}
				if !production.Split.Equal(traffic.Whole(want)) || want == "green" && replicas(t, runner, "green") != 2 {
					t.Errorf("route %s, green wants %d; %+v", production.Split, replicas(t, runner, "green"), outcome)
				}
				if err != nil && (!strings.Contains(err.Error(), "green") || !strings.Contains(err.Error(), "blue") || !strings.Contains(release.HintOf(err), "rollback --force")) {
					t.Errorf("it says %v (%s)", err, release.HintOf(err))
				}
			})
		}
	}
}

// A shift begins past a record that can't be read where it is told to, and never
// past a run that stands there.
func TestShiftPastAnUnreadableRecord(t *testing.T) {
	runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
	died(t, runner, production, true)
	if refusal, err := runner.MayShift(t.Context(), ShiftRequest{SetRecordAside: true}); err != nil || refusal == nil || refusal.Code != CodeBlocked {
		t.Errorf("past a run that can be read: %+v, %v", refusal, err)
	}
	spoiled(t, runner)
	var record *journal.RecordError
	if _, err := runner.Shift(t.Context(), ShiftRequest{}); !errors.As(err, &record) || !strings.Contains(release.HintOf(err), "shift --set-record-aside") {
		t.Errorf("untold: %v (%s)", err, release.HintOf(err))
	}
	runner.Preflight = func(context.Context, string) (*preflight.Report, error) {
		production.Route.Stop = "orders are doubled"
		return &preflight.Report{}, nil
	}
	outcome, err := runner.Shift(t.Context(), ShiftRequest{SetRecordAside: true})
	if err != nil || outcome.Code != CodeBlocked || outcome.Status == nil || outcome.Status.Entries[0].Action != journal.ActionSetAside {
		t.Fatalf("outcome = %+v, %v", outcome, err)
	}
	if run, err := runner.Journal.Current(t.Context()); err != nil || run.Finished.IsZero() {
		t.Errorf("the record is %+v, %v", run, err)
	}
}

// What no record tells any more is given back, or begun anew.
func TestLostWithoutARecord(t *testing.T) {
	for want, state := range map[string]State{
		"kubectl bluegreen rollback":                 {Phase: Watch, Moved: true},
		"kubectl bluegreen shift --set-record-aside": {Phase: Apply},
	} {
		runner, _, _ := newRunner(t, deployment("blue", 2), deployment("green", 2))
		driving(t, runner, release.DrainNone)
		outcome := runner.lost(t.Context(), state, fmt.Errorf("write run x: %w", &journal.RecordError{Object: "configmap shop/bluegreen-shop"}))
		if outcome.Code != CodeHeld || outcome.Next != want {
			t.Errorf("in %s: %+v, want %q", state.Phase, outcome, want)
		}
	}
}
