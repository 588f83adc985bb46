package action

import (
	"strings"
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
		"pull_request_review": preflight.StagePR, "pull_request_review_comment": preflight.StagePR,
		"push": preflight.StageDeploy, "schedule": preflight.StageDeploy, "deployment": preflight.StageDeploy, "release": preflight.StageDeploy, "workflow_dispatch": preflight.StageDeploy, "": preflight.StageDeploy,
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

// Where an event does not say whose files are checked out, the stage is not guessed.
func TestTheStageIsAskedFor(t *testing.T) {
	for _, event := range []string{"issue_comment", "workflow_run", "repository_dispatch", "check_run", "check_suite", "status", "discussion_comment", "issues", "deployment_status", "one_to_come"} {
		for name, test := range map[string]struct {
			inputs map[string]string
			asks   bool
		}{
			"a check":            {nil, true},
			"one of a stage":     {map[string]string{"stage": "pr"}, false},
			"one by a flag":      {map[string]string{"args": "--stage deploy"}, false},
			"one of saved facts": {map[string]string{"args": "--from old.json"}, false},
			"a shift":            {map[string]string{"command": "shift"}, false},
		} {
			_, mistakes := readInputs(given(test.inputs), event)
			if asks := len(mistakes) == 1 && mistakes[0].input == "stage" && strings.Contains(mistakes[0].String(), "write stage: pr where"); asks != test.asks || len(mistakes) > 1 {
				t.Errorf("on %s %s: %v", event, name, mistakes)
			}
		}
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
