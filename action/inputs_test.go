package action

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// given are inputs by their names.
func given(inputs map[string]string) func(string) string {
	return func(name string) string { return inputs[name] }
}

func TestTheStageFollowsTheEvent(t *testing.T) {
	for event, want := range map[string]preflight.Stage{
		"pull_request": preflight.StagePR, "pull_request_target": preflight.StagePR, "merge_group": preflight.StagePR,
		"push": preflight.StageDeploy, "workflow_dispatch": preflight.StageDeploy, "": preflight.StageDeploy,
	} {
		read, mistakes := readInputs(given(nil), event)
		if read.stage != want || len(mistakes) > 0 || read.command.name != "check" || read.onCancel != handOver {
			t.Errorf("on %q the stage is %q, expected %q; %+v, %v", event, read.stage, want, read, mistakes)
		}
	}
	if read, _ := readInputs(given(map[string]string{"stage": "rollback"}), "pull_request"); read.stage != preflight.StageRollback {
		t.Errorf("the stage that was asked for is %q", read.stage)
	}
}

func TestLine(t *testing.T) {
	tests := map[string]struct {
		inputs map[string]string
		want   []string
	}{
		"a check":               {nil, []string{"check", "--stage=deploy", "--save=facts"}},
		"of a file":             {map[string]string{"release": "inputs.go", "args": "--to green"}, []string{"check", "--file=inputs.go", "--stage=deploy", "--save=facts", "--to", "green"}},
		"of saved facts":        {map[string]string{"args": "--from old.json"}, []string{"check", "--from", "old.json"}},
		"a test":                {map[string]string{"args": "--test=cases.yaml"}, []string{"check", "--test=cases.yaml"}},
		"saved elsewhere":       {map[string]string{"args": "--save x"}, []string{"check", "--stage=deploy", "--save", "x"}},
		"another has no stages": {map[string]string{"command": "shift", "args": "svc/shop --guard"}, []string{"shift", "svc/shop", "--guard"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			read, mistakes := readInputs(given(test.inputs), "push")
			if len(mistakes) > 0 {
				t.Fatal(mistakes)
			}
			if diff := cmp.Diff(test.want, read.line("facts")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
