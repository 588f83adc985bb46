package workflows

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// permissions are what a token may, by scope: read or write.
type permissions map[string]string

// add adds what else is needed. To write is to read as well.
func (p permissions) add(more permissions) {
	for scope, access := range more {
		if p[scope] != "write" {
			p[scope] = access
		}
	}
}

// ofActions are what the actions of others can't do without. One that is not here is
// refused until somebody has looked.
var ofActions = map[string]permissions{
	"actions/checkout":                  {"contents": "read"},
	"actions/setup-go":                  {},
	"actions/upload-artifact":           {},
	"actions/download-artifact":         {},
	"actions/dependency-review-action":  {"contents": "read"},
	"actions/attest-build-provenance":   {"id-token": "write", "attestations": "write"},
	"github/codeql-action/upload-sarif": {"security-events": "write", "actions": "read"},
	"rajatjindal/krew-release-bot":      {},
}

// ofScripts are what scripts call with the job's token, and what that needs.
var ofScripts = []struct {
	call  *regexp.Regexp
	needs permissions
}{
	{regexp.MustCompile(`\bgh issue list\b`), permissions{"issues": "read"}},
	{regexp.MustCompile(`\bgh issue create\b`), permissions{"issues": "write"}},
	{regexp.MustCompile(`\bgh release list\b`), permissions{"contents": "read"}},
	{regexp.MustCompile(`\bgh release create\b`), permissions{"contents": "write"}},
	{regexp.MustCompile(`\bskopeo copy\b.*\bdocker://ghcr\.io/`), permissions{"packages": "write"}},
}

// token is an expression for the job's token.
var token = regexp.MustCompile(`\$\{\{\s*(github\.token|secrets\.GITHUB_TOKEN)\s*\}\}`)

// own is this repository's Action.
var own = regexp.MustCompile(`^(\./$|bluegreen-dev/kubectl-bluegreen@)`)

// needs is what a step can't do without in a workflow that these events start. It is
// an error that nobody can tell.
func (s step) needs(events []string) (permissions, error) {
	if own.MatchString(s.Uses.Value) {
		return s.ownNeeds(events), nil
	}
	if s.Uses.Value != "" {
		action, _, _ := strings.Cut(s.Uses.Value, "@")
		needed, known := ofActions[action]
		if !known {
			return nil, fmt.Errorf("which permissions %s needs is said nowhere", action)
		}
		return needed, nil
	}
	needed, calls := permissions{}, 0
	for _, script := range ofScripts {
		if found := len(script.call.FindAllString(s.Run.Value, -1)); found > 0 {
			calls += found
			needed.add(script.needs)
		}
	}
	if len(regexp.MustCompile(`\bgh [a-z]`).FindAllString(s.Run.Value, -1)) > calls {
		return nil, fmt.Errorf("which permissions a call of gh needs is said nowhere")
	}
	for _, value := range s.Env {
		if token.MatchString(value) && calls == 0 {
			return nil, fmt.Errorf("a script is given the token, and what for is said nowhere")
		}
	}
	return needed, nil
}

// ownNeeds is what this repository's Action needs, as docs/action.md says. Only a
// pull request has a comment, and only what shifts is a deployment.
func (s step) ownNeeds(events []string) permissions {
	if given, set := s.With["token"]; set && given.Value == "" {
		return nil
	}
	command := s.With["command"]
	switch {
	case slices.Contains([]string{"shift", "resume"}, command.Value):
		return permissions{"deployments": "write"}
	case slices.Contains([]string{"", "check"}, command.Value) && slices.ContainsFunc(events, ofPullRequest):
		return permissions{"pull-requests": "write"}
	}
	return nil
}

// ofPullRequest reports whether an event is one of pull requests, by the rule of the
// Action: the payload of pull_request_review holds one too.
func ofPullRequest(event string) bool { return strings.HasPrefix(event, "pull_request") }

// lintNeeds refuses a permission that no step of a job needs, and one that it lacks.
func lintNeeds(name string, job *job, events []string, add func(*yaml.Node, string, ...any)) {
	needed, granted := permissions{}, permissions{}
	for _, step := range job.Steps {
		needs, err := step.needs(events)
		if err != nil {
			add(&step.Uses, "job %s: %v", name, err)
			return
		}
		needed.add(needs)
	}
	for index := 1; index < len(job.Permissions.Content); index += 2 {
		granted[job.Permissions.Content[index-1].Value] = job.Permissions.Content[index].Value
	}
	all := maps.Clone(granted)
	all.add(needed)
	for _, scope := range slices.Sorted(maps.Keys(all)) {
		switch want, got := needed[scope], granted[scope]; {
		case want == got:
		case want == "":
			add(&job.Permissions, "job %s is granted %s: %s, which none of its steps needs", name, scope, got)
		case got == "":
			add(&job.Permissions, "job %s lacks %s: %s, which a step of it needs", name, scope, want)
		default:
			add(&job.Permissions, "job %s is granted %s: %s, and its steps need %s", name, scope, got, want)
		}
	}
}
