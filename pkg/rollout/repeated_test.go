package rollout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// A workflow that is run again asks for what it has shifted to, and not for the colour
// that is idle by then.
func TestAShiftThatWasMadeBefore(t *testing.T) {
	const workflow = "https://github.example/acme/shop/actions/runs/42"
	mine := State{Phase: Done, From: "blue", To: "green", Trigger: workflow, Moved: true, Started: start}
	with := func(change func(*State)) State { state := mine; change(&state); return state }
	rolledBack := with(func(s *State) { s.Phase = RolledBack })
	blocked := with(func(s *State) { s.Phase, s.From, s.To, s.Moved = Blocked, "green", "blue", false })
	another := with(func(s *State) { s.Trigger = "https://github.example/acme/shop/actions/runs/41" })
	finish := State{Phase: Decommissioned, From: "blue", To: "green", Moved: true, Started: start, Finish: &Finish{Idle: "blue", Live: "green"}}
	tests := map[string]struct {
		runs    []State
		request ShiftRequest
		live    string
		made    bool
	}{
		"by the same run of a workflow":       {[]State{mine}, ShiftRequest{Trigger: workflow}, "green", true},
		"and another was blocked since":       {[]State{mine, blocked}, ShiftRequest{Trigger: workflow}, "green", true},
		"and the old side was decommissioned": {[]State{mine, finish}, ShiftRequest{Trigger: workflow}, "green", true},
		"but the colour is named":             {[]State{mine}, ShiftRequest{Trigger: workflow, To: "blue"}, "green", false},
		"but a person asks":                   {[]State{mine}, ShiftRequest{}, "green", false},
		"by another run of a workflow":        {[]State{another}, ShiftRequest{Trigger: workflow}, "green", false},
		"and another has shifted since":       {[]State{mine, another}, ShiftRequest{Trigger: workflow}, "green", false},
		"by a person":                         {[]State{with(func(s *State) { s.Trigger = "" })}, ShiftRequest{Trigger: workflow}, "green", false},
		"and rolled back":                     {[]State{rolledBack}, ShiftRequest{Trigger: workflow}, "blue", false},
		"and was blocked":                     {[]State{blocked}, ShiftRequest{Trigger: workflow}, "green", false},
		"and given back by hand":              {[]State{mine}, ShiftRequest{Trigger: workflow}, "blue", false},
		"never":                               {nil, ShiftRequest{Trigger: workflow}, "green", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner, production, _ := newRunner(t, deployment("blue", 2), deployment("green", 2), pod("blue"))
			production.Split = traffic.Whole(test.live)
			for index, state := range test.runs {
				tenure, err := runner.Journal.Acquire(t.Context(), journal.AcquireOptions{Holder: "ci/1"}, journal.Run{ID: fmt.Sprintf("20261122-15301%d-k7f3q", index), Release: "shop"})
				if err != nil {
					t.Fatal(err)
				}
				if err := tenure.Save(t.Context(), state, string(state.Phase)); err != nil {
					t.Fatal(err)
				}
				if err := tenure.Finish(t.Context(), string(state.Phase)); err != nil {
					t.Fatal(err)
				}
			}
			_, begins, refusal, err := runner.admit(t.Context(), test.request)
			if err != nil || (refusal != nil) != test.made {
				t.Fatalf("outcome = %+v, %v", refusal, err)
			}
			if refusal == nil {
				if begins.Trigger != test.request.Trigger {
					t.Errorf("it begins as %+v", begins)
				}
				return
			}
			says := "already: green serves service/svc since run 20261122-153010-k7f3q, which " + workflow + " began too; --to blue shifts all the same"
			if refusal.Code != CodeDone || !strings.Contains(refusal.Message, says) || refusal.Status.Phase != Done || refusal.Status.Trigger != workflow {
				t.Errorf("outcome = %+v", refusal)
			}
		})
	}
}
