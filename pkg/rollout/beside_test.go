package rollout

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// eveDrives begins a run that eve drives until the test ends.
func eveDrives(t *testing.T, runner *Runner, state State) {
	t.Helper()
	tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "eve@laptop/3", Duration: 2 * time.Second}, journal.Run{ID: "20261122-153012-k7f3q", From: state.From, To: state.To})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tenure.Release(context.WithoutCancel(t.Context())) })
	if err := tenure.Save(t.Context(), state, string(state.Phase)); err != nil {
		t.Fatal(err)
	}
}

// What a second shift and a resume say beside a run depends on whether somebody
// drives it.
func TestBesideARunThatIsDriven(t *testing.T) {
	runner, _ := newFinisher(t, still())
	eveDrives(t, runner, State{Phase: Watch, From: "blue", To: "green", Moved: true})
	outcome, err := runner.Shift(t.Context(), ShiftRequest{})
	if err != nil || outcome.Code != CodeBlocked || outcome.Next != "kubectl bluegreen status -w" {
		t.Errorf("a second shift: %+v, %v", outcome, err)
	}
	var told []string
	runner.Progress = func(event Event) { told = append(told, event.Message) }
	if _, err = runner.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(told[0], "unless eve@laptop/3, whose lease it is, still drives it") {
		t.Errorf("a resume told %q", told)
	}
	if waiting := "waiting for up to 2s to see whether eve@laptop/3 still drives run 20261122-153012-k7f3q"; !slices.Contains(told, waiting) {
		t.Errorf("a resume told %q, want %q", told, waiting)
	}
}
