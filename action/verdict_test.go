package action

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

func TestVerdict(t *testing.T) {
	stands := func(phase rollout.Phase, open, silent bool) *plugin.Standing {
		return &plugin.Standing{Open: open, Status: &rollout.RunStatus{ID: "r", Phase: phase, Silent: silent}}
	}
	tests := map[string]struct {
		code     int
		standing *plugin.Standing
		want     string
	}{
		"a check that passed":                         {plugin.ExitDone, nil, passed},
		"a check that blocks":                         {plugin.ExitBlocked, nil, blocked},
		"the tool failed":                             {plugin.ExitFailed, stands(rollout.Watch, true, false), failed},
		"a shift":                                     {plugin.ExitDone, stands(rollout.Done, false, false), passed},
		"a shift that was blocked":                    {plugin.ExitBlocked, stands(rollout.Blocked, false, false), blocked},
		"a shift that went back":                      {plugin.ExitRolledBack, stands(rollout.RolledBack, false, false), rolledBack},
		"a shift that a person has ended":             {plugin.ExitDone, stands(rollout.RolledBack, false, false), rolledBack},
		"a run that was held":                         {plugin.ExitHeld, stands(rollout.Held, false, false), held},
		"a rollback that is not proven":               {plugin.ExitUnproven, stands(rollout.Unproven, false, false), unproven},
		"another's lease":                             {plugin.ExitBlocked, &plugin.Standing{Status: &rollout.RunStatus{}}, blocked},
		"already where it should be":                  {plugin.ExitDone, &plugin.Standing{Status: &rollout.RunStatus{}}, passed},
		"the status of a run under way":               {plugin.ExitDone, stands(rollout.Watch, true, false), underWay},
		"the status of one that nobody drives":        {plugin.ExitDone, stands(rollout.Watch, true, true), held},
		"a run that was handed over":                  {plugin.ExitHeld, stands(rollout.Watch, true, false), held},
		"a run whose record was lost on its way":      {plugin.ExitHeld, stands(rollout.Watch, false, false), held},
		"a rollback whose record was lost on its way": {plugin.ExitUnproven, stands(rollout.Revert, false, false), unproven},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := verdictOf(test.code, observed{standing: test.standing}); got != test.want {
				t.Errorf("%q, expected %q", got, test.want)
			}
		})
	}
}

// A job that needs a deployment must not go on after one that a person sent back.
func TestTheExitCodeOfWhatWasSentBack(t *testing.T) {
	for _, test := range []struct {
		command string
		code    int
		phase   rollout.Phase
		open    bool
		want    int
	}{
		{"shift", plugin.ExitDone, rollout.RolledBack, false, plugin.ExitRolledBack},
		{"resume", plugin.ExitDone, rollout.RolledBack, false, plugin.ExitRolledBack},
		{"rollback", plugin.ExitDone, rollout.RolledBack, false, plugin.ExitDone},
		{"status", plugin.ExitDone, rollout.RolledBack, false, plugin.ExitDone},
		{"shift", plugin.ExitDone, rollout.Done, false, plugin.ExitDone},
		{"shift", plugin.ExitDone, rollout.Watch, true, plugin.ExitDone}, // a Job goes on with it
		{"shift", plugin.ExitBlocked, rollout.Blocked, false, plugin.ExitBlocked},
		{"shift", plugin.ExitUnproven, rollout.Unproven, false, plugin.ExitUnproven},
	} {
		j := newJob(t, map[string]string{"INPUT_COMMAND": test.command})
		code := j.run(t.Context(), partMain, func(_ context.Context, environment plugin.Environment, _ []string) int {
			environment.Observer.Stood(plugin.Standing{Status: &rollout.RunStatus{ID: "r", Phase: test.phase}, Open: test.open})
			return test.code
		})
		if code != test.want {
			t.Errorf("%s that ends in %s with %d: the step exits with %d, want %d", test.command, test.phase, test.code, code, test.want)
		}
	}
}

func TestOutputs(t *testing.T) {
	checked := observed{report: &preflight.Report{Blocking: []string{"BG-COL-02", "SHOP-01"}}}
	want := map[string]string{"verdict": blocked, "report": "/r", "run-id": "", "failed-checks": "BG-COL-02,SHOP-01", "durations": `{"check":1.235}`}
	if diff := cmp.Diff(want, outputsOf(plugin.ExitBlocked, checked, "/r", 1234567*time.Microsecond, "check")); diff != "" {
		t.Error(diff)
	}
	outputs := outputsOf(plugin.ExitDone, observed{standing: finishedShift()}, "/r", time.Minute, "shift")
	spent := map[string]float64{}
	if err := json.Unmarshal([]byte(outputs["durations"]), &spent); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]float64{"preflight": 1, "switch": 3, "prove": 2, "hold": 60, "watch": 120}, spent); diff != "" {
		t.Error(diff)
	}
	if outputs["run-id"] != "20261122-120000-k7f3q" || outputs["verdict"] != passed {
		t.Errorf("%v", outputs)
	}
}
