package workflows

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each fault, planted into a workflow that has none, is found, and nothing else is.
func TestPlantedFaultsAreFound(t *testing.T) {
	for name, test := range map[string]struct{ old, planted, want string }{
		"a tag":                      {"@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "@v5", "actions/checkout@v5 is not pinned"},
		"a branch":                   {"@330a01c490aca151604b8cf639adc76d48f6c5d4 # v5.0.0", "@main", "actions/upload-artifact@main is not pinned"},
		"a digest without version":   {"907a8 # v5.0.0", "907a8", "does not say its version"},
		"an interpolated input":      {"umask 077", "echo ${{ inputs.force }}", "an expression in a script is code"},
		"no permissions":             {"permissions: {}\n", "", "must grant nothing"},
		"all permissions":            {"permissions: {}\n", "permissions: write-all\n", "must grant nothing"},
		"a job without permissions":  {"    permissions:\n      contents: read # the checkout\n", "", "job rollback does not say its permissions"},
		"a job that may all":         {"    permissions:\n      contents: read # the checkout\n", "    permissions: write-all\n", "job rollback does not say its permissions, one by one"},
		"a permission for nothing":   {"contents: read # the checkout", "contents: read", "job rollback is granted contents without saying what for"},
		"a permission too many":      {"contents: read # the checkout\n", "contents: read # the checkout\n      issues: write # who knows\n", "job rollback is granted issues: write, which none of its steps needs"},
		"a permission too few":       {"permissions:\n      contents: read # the checkout\n", "permissions: {}\n", "job rollback lacks contents: read, which a step of it needs"},
		"more than it needs":         {"contents: read # the checkout", "contents: write # the checkout", "job rollback is granted contents: write, and its steps need read"},
		"an action nobody knows":     {"actions/upload-artifact@", "actions/stale@", "which permissions actions/stale needs is said nowhere"},
		"a call nobody knows":        {"umask 077", "gh pr merge", "which permissions a call of gh needs is said nowhere"},
		"a token for nothing":        {"TEXT: ${{ secrets.KUBECONFIG }}", "TEXT: ${{ github.token }}", "a script is given the token"},
		"a token left on disk":       {"persist-credentials: false", "fetch-depth: 1", "leaves the token on disk"},
		"a rollback that is cut off": {"cancel-in-progress: false", "cancel-in-progress: true", "must never be cancelled"},
		"maybe cut off":              {"cancel-in-progress: false", "cancel-in-progress: ${{ github.event_name == 'push' }}", "must never be cancelled"},
		"a fork's code with rights":  {"workflow_dispatch:\n    inputs:", "pull_request_target:\n  workflow_dispatch:\n    inputs:", "pull_request_target runs"},
		"a shift that may fail":      {"      - id: rollback\n", "      - id: rollback\n        continue-on-error: true\n", "what fails must fail the job"},
		"one that may at times":      {"      - id: rollback\n", "      - id: rollback\n        continue-on-error: ${{ inputs.force }}\n", "what fails must fail the job"},
		"a job that may fail":        {"    timeout-minutes: 30\n", "    timeout-minutes: 48\n    continue-on-error: true\n", "what fails must fail the job"},
		"no timeout":                 {"    timeout-minutes: 30\n", "", "has no timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			healthy, err := os.ReadFile(filepath.Join(checkout, "examples", "workflows", "rollback.yml"))
			if err != nil {
				t.Fatal(err)
			}
			planted := strings.Replace(string(healthy), test.old, test.planted, 1)
			if planted == string(healthy) {
				t.Fatalf("%q is not in the workflow", test.old)
			}
			findings, err := Lint([]byte(planted))
			if err != nil {
				t.Fatal(err)
			}
			if len(findings) != 1 || !strings.Contains(findings[0].Text, test.want) {
				t.Errorf("expected one finding that holds %q, got %v", test.want, findings)
			}
		})
	}
}

// The names of events, however they are written.
func TestEventsInEveryNotation(t *testing.T) {
	for _, on := range []string{"on: pull_request_target", "on: [push, pull_request_target]", "on: {push: , pull_request_target: }"} {
		findings, err := Lint([]byte(on + "\npermissions: {}\nconcurrency: {group: x}\n"))
		if err != nil {
			t.Fatal(err)
		}
		want := []Finding{{Line: 1, Text: "pull_request_target runs what a fork wrote with the rights of this repository"}}
		if diff := cmp.Diff(want, findings); diff != "" {
			t.Errorf("%s (-want +got):\n%s", on, diff)
		}
	}
}
