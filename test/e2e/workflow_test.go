package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/act"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// The workflows of the examples are run as they are written, by an account that may do
// what docs/workflows.md lets it: a deploy that would exhaust the database is blocked
// before anything is deployed; a good one is shifted and watched, and nobody loses a
// request; an hour later going back would still work; a person goes back; and a bad
// one goes back by itself, and the workflow fails. Each leaves its summary, its
// artefacts and its deployment on GitHub.
func TestExampleWorkflows(t *testing.T) {
	s := open(t, shop.Options{})
	flows := s.workflows()
	run := s.production(keepAliveClients, freshClients)

	flows.slot(shop.Slot{Env: map[string]string{"DB_POOL_SIZE": "40"}})
	outcome := flows.run("deploy.yml", "push", map[string]string{"check": "failure"})
	flows.shows(outcome, "check", "blocked", budgetCheck)
	flows.deployed()
	s.serves(shop.Blue)
	says(t, s.run(rollout.CodeDone, "history").Stderr, "no runs of recommendation")

	flows.slot(shop.Slot{})
	before := run.Counts()
	outcome = flows.run("deploy.yml", "push", map[string]string{"check": "success", "shift": "success"})
	s.onlyVersion(run, greenVersion)
	s.lostNothing("a workflow that deploys "+greenVersion, run.Counts().Since(before))
	s.serves(shop.Green)
	flows.shows(outcome, "check", "pass", "nothing blocks")
	id := flows.shows(outcome, "shift", "pass", "| "+string(rollout.Watch)+" |")
	flows.ended(id, rollout.Done)
	s.recorded(id, "stamp", "apply", "switch")
	flows.deployed("in_progress", "success")

	outcome = flows.run("rollback-check.yml", "schedule", map[string]string{"check": "success"})
	flows.shows(outcome, "check", "pass", "nothing blocks")

	outcome = flows.run("rollback.yml", "workflow_dispatch", map[string]string{"rollback": "success"})
	s.onlyVersion(run, blueVersion)
	s.serves(shop.Blue)
	back := flows.ended(flows.shows(outcome, "rollback", "rolled-back", "rolled back"), rollout.RolledBack)
	says(t, back.Reason, "asked for by anna in workflow run 1")
	_ = flows.runner.GitHub.Asked() // a rollback is no deployment

	flows.slot(faulty())
	before = run.Counts()
	outcome = flows.run("deploy.yml", "push", map[string]string{"check": "success", "shift": "failure"})
	s.onlyVersion(run, blueVersion)
	s.serves(shop.Blue)
	s.scaledToZero(shop.Green, 2)
	flows.ended(flows.shows(outcome, "shift", "rolled-back", "rollback-error-ratio"), rollout.RolledBack)
	flows.deployed("in_progress", "failure")
	if told := outcome.Told("error"); len(told) == 0 || !strings.Contains(told[0].Message, "rollback-error-ratio") {
		t.Errorf("annotations = %+v, want why it went back", told)
	}
	if logs, err := filepath.Glob(filepath.Join(outcome.Kept, "artifact", "bluegreen-shift", "*", shop.Green, "*.log")); err != nil || len(logs) == 0 {
		t.Errorf("no log of green is in the artefact: %v", err)
	}
	if counts := run.Counts().Since(before); counts.Failed == 0 {
		t.Error("no request failed: the fault was not planted")
	}
}

// workflows are those of the examples, in a repository with the shop's release.
type workflows struct {
	*scenario
	runner *act.Runner
	// kubeconfig is the secret.
	kubeconfig string
}

func (s *scenario) workflows() *workflows {
	s.t.Helper()
	runner, err := act.New(act.Options{Source: place(s.t).Source, Engine: action(s.t), Folder: s.t.TempDir()})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(runner.Close)
	kubeconfig, err := os.ReadFile(s.generatedAccount())
	if err != nil {
		s.t.Fatal(err)
	}
	return &workflows{s, runner, string(kubeconfig)}
}

// slot makes a release of green the one to deploy.
func (w *workflows) slot(slot shop.Slot) {
	w.t.Helper()
	if err := w.shop.WriteSlot(shop.Green, slot); err != nil {
		w.t.Fatal(err)
	}
}

// run runs a workflow on what the repository is now, and fails the test unless these
// jobs ended as they should, no other one was run, and the secret was told by none.
func (w *workflows) run(workflow, event string, jobs map[string]string) *act.Outcome {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), hang)
	defer cancel()
	checkout := w.t.TempDir()
	if err := act.Checkout(ctx, checkout, w.shop.Folder, filepath.Join(place(w.t).Source, "examples", "workflows")); err != nil {
		w.t.Fatal(err)
	}
	outcome, err := w.runner.Run(ctx, act.Trigger{
		Checkout: checkout, Workflow: workflow, Event: event,
		Payload: map[string]any{"ref": "refs/heads/main"}, Secrets: map[string]string{"KUBECONFIG": w.kubeconfig},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Log(outcome.Log)
	config, err := clientcmd.Load([]byte(w.kubeconfig))
	if err != nil {
		w.t.Fatal(err)
	}
	for name, login := range config.AuthInfos {
		if login.Token == "" || strings.Contains(outcome.Log, login.Token) {
			w.t.Errorf("the kubeconfig has no token of %s, or it is told", name)
		}
	}
	if diff := cmp.Diff(jobs, outcome.Jobs); diff != "" {
		w.t.Fatalf("the jobs of %s ended otherwise (-want +got):\n%s", workflow, diff)
	}
	return outcome
}

// shows fails the test unless the step of a job that uses the Action came to a verdict,
// and shows a text in its summary, which is in the artefact too. It returns the run's
// id, "" for a check. Job and step are called as the command.
func (w *workflows) shows(outcome *act.Outcome, command, verdict, text string) string {
	w.t.Helper()
	step, run := outcome.Step(command, command)
	if !run || step.Outputs["verdict"] != verdict {
		w.t.Errorf("%s came to %q (%t), want %q", command, step.Outputs["verdict"], run, verdict)
	}
	says(w.t, step.Summary, text)
	folders, err := filepath.Glob(filepath.Join(outcome.Kept, "artifact", "bluegreen-*"+command))
	if err != nil || len(folders) != 1 {
		w.t.Fatalf("the artefacts of %s: %v, %v", command, folders, err)
	}
	kept, err := os.ReadFile(filepath.Join(folders[0], "summary.md"))
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimSpace(string(kept)), strings.TrimSpace(step.Summary)); diff != "" {
		w.t.Errorf("the summary in the artefact is another one (-artefact +shown):\n%s", diff)
	}
	return step.Outputs["run-id"]
}

// ended fails the test unless the last run on the cluster is one, and ended in a phase.
func (w *workflows) ended(id string, phase rollout.Phase) *rollout.RunStatus {
	w.t.Helper()
	status := w.now()
	if status.ID != id || status.Phase != phase {
		w.t.Errorf("run %s ended as %s (%s), want %s as %s", status.ID, status.Phase, status.Reason, id, phase)
	}
	return status
}

// deployed fails the test unless GitHub was told of one deployment with these states,
// or of none for none.
func (w *workflows) deployed(states ...string) {
	w.t.Helper()
	var told []string
	made := 0
	for _, request := range w.runner.GitHub.Asked() {
		switch {
		case request.Method != http.MethodPost:
		case strings.HasSuffix(request.Path, "/deployments"):
			made++
			says(w.t, request.Body, w.shop.Namespace+"/"+shop.Release)
		case strings.HasSuffix(request.Path, "/statuses"):
			status := struct {
				State string `json:"state"`
				URL   string `json:"environment_url"`
			}{}
			if err := json.Unmarshal([]byte(request.Body), &status); err != nil || status.URL != "https://shop.example.com" {
				w.t.Errorf("the deployment leads to %q, %v", status.URL, err)
			}
			told = append(told, status.State)
		}
	}
	if diff := cmp.Diff(states, told); diff != "" || made != min(len(states), 1) {
		w.t.Errorf("%d deployments, with these states (-want +got):\n%s", made, diff)
	}
}
