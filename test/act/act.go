package act

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Variable names act's program.
const Variable = "BLUEGREEN_ACT"

// Repository is the one that all checkouts are of.
const Repository = "acme/shop"

// Token is the one that steps are given to write to the repository with.
const Token = "ghs_canary4e7a91"

// Options say what workflows run with.
type Options struct {
	// Source is the folder of the product's source, whose Action is run, and Engine
	// the bluegreen-action that it is pinned to.
	Source, Engine string
	// Folder is a folder of its own, for all that is made.
	Folder string
}

// Runner runs workflows.
type Runner struct {
	// GitHub is what it takes GitHub for.
	GitHub *GitHub

	options Options
	program string
	runs    int
}

// New lays out what workflows use.
func New(options Options) (*Runner, error) {
	program := os.Getenv(Variable)
	if program == "" {
		return nil, fmt.Errorf("find act: expected %s to name the program, as `make live` does; `go install github.com/nektos/act@v0.2.89` builds it", Variable)
	}
	archive, err := options.layOut()
	if err != nil {
		return nil, fmt.Errorf("lay out the actions: %w", err)
	}
	linger, err := standins.ReadFile("standins/linger.js")
	if err != nil {
		return nil, err
	}
	runner := &Runner{GitHub: newGitHub(archive), options: options, program: program}
	return runner, write(runner.linger(), linger)
}

// Close ends what [New] has started.
func (r *Runner) Close() { r.GitHub.server.Close() }

// Trigger is what starts a workflow.
type Trigger struct {
	// Checkout is the folder, and Workflow the name of a file of its workflows.
	Checkout, Workflow string
	// Event is the event's name, and Payload what it says.
	Event   string
	Payload map[string]any
	// Secrets are the repository's.
	Secrets map[string]string
}

// Run runs a workflow until it ends. That it fails is no error.
func (r *Runner) Run(ctx context.Context, trigger Trigger) (*Outcome, error) {
	r.runs++
	folder := filepath.Join(r.options.Folder, fmt.Sprintf("run-%d", r.runs))
	args, err := r.arguments(folder, trigger)
	if err != nil {
		return nil, fmt.Errorf("run workflow %s: %w", trigger.Workflow, err)
	}
	var log bytes.Buffer
	command := exec.CommandContext(ctx, r.program, args...)
	command.Dir = trigger.Checkout
	command.Env = r.variables(folder)
	command.Stdout, command.Stderr = &log, &log
	command.WaitDelay = 10 * time.Second // what it has started may outlive it
	failure := command.Run()
	outcome, err := read(log.Bytes())
	if err != nil {
		return nil, fmt.Errorf("read the log of workflow %s: %w", trigger.Workflow, err)
	}
	outcome.Kept = filepath.Join(folder, "kept")
	var exit *exec.ExitError
	switch {
	case failure != nil && !errors.As(failure, &exit):
		return nil, fmt.Errorf("run workflow %s: %w\n%s", trigger.Workflow, failure, outcome.Log)
	case len(outcome.Jobs) == 0:
		return nil, fmt.Errorf("run workflow %s: no job of it was run\n%s", trigger.Workflow, outcome.Log)
	}
	return outcome, nil
}

// arguments are those of act.
func (r *Runner) arguments(folder string, trigger Trigger) ([]string, error) {
	path := filepath.Join(trigger.Checkout, filepath.FromSlash(Workflows), trigger.Workflow)
	workflow, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	replaced, err := r.options.replaced(workflow)
	if err != nil {
		return nil, err
	}
	secrets := map[string]string{"GITHUB_TOKEN": Token}
	for name, value := range trigger.Secrets {
		secrets[name] = value
	}
	event, secret := filepath.Join(folder, "event.json"), filepath.Join(folder, "secrets.yml")
	for path, content := range map[string]any{event: trigger.Payload, secret: secrets} {
		text, err := json.Marshal(content) // which is YAML too
		if err != nil {
			return nil, err
		}
		if err := write(path, text); err != nil {
			return nil, err
		}
	}
	return append([]string{
		trigger.Event, "--workflows=" + path, "--directory=" + trigger.Checkout, "--eventpath=" + event, "--secret-file=" + secret,
		"--platform=ubuntu-latest=-self-hosted", "--actor=anna", "--defaultbranch=main", "--json", "--no-cache-server",
		"--action-cache-path=" + filepath.Join(r.options.Folder, "cache"),
		"--env=GITHUB_REPOSITORY=" + Repository, "--env=GITHUB_API_URL=" + r.GitHub.server.URL + api, "--env=ACT_KEPT=" + filepath.Join(folder, "kept"),
	}, replaced...), nil
}

// variables are all that act, and what it runs, has of an environment: nothing in it
// leads to a cluster.
func (r *Runner) variables(folder string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "BLUEGREEN_ACTION_RELEASES=" + r.GitHub.server.URL + releases,
		"NODE_OPTIONS=--require=" + r.linger(),
	}
}

func (r *Runner) linger() string { return filepath.Join(r.options.Folder, "linger.js") }
