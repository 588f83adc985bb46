package workflows

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// workflow is what the house rules look at.
type workflow struct {
	On          yaml.Node      `yaml:"on"`
	Permissions yaml.Node      `yaml:"permissions"`
	Concurrency *concurrency   `yaml:"concurrency"`
	Jobs        map[string]job `yaml:"jobs"`
}

type concurrency struct {
	Cancel yaml.Node `yaml:"cancel-in-progress"`
}

type job struct {
	Permissions yaml.Node `yaml:"permissions"`
	Timeout     int       `yaml:"timeout-minutes"`
	Uses        yaml.Node `yaml:"uses"`
	Needs       yaml.Node `yaml:"needs"`
	If          string    `yaml:"if"`
	Continue    yaml.Node `yaml:"continue-on-error"`
	Steps       []step    `yaml:"steps"`
}

type step struct {
	If   string               `yaml:"if"`
	Uses yaml.Node            `yaml:"uses"`
	Run  yaml.Node            `yaml:"run"`
	Env  map[string]string    `yaml:"env"`
	With map[string]yaml.Node `yaml:"with"`
	// Continue is whether what fails is passed over.
	Continue yaml.Node `yaml:"continue-on-error"`
}

// Finding is a rule that a workflow breaks.
type Finding struct {
	Line int
	Text string
}

// String is the finding as it is printed.
func (f Finding) String() string { return fmt.Sprintf("%d: %s", f.Line, f.Text) }

// pinned is an action of somebody else, by the digest of a commit.
var pinned = regexp.MustCompile(`^[^@\s]+@[0-9a-f]{40}$`)

// Lint holds a workflow against the house rules, sorted by line.
func Lint(text []byte) ([]Finding, error) {
	var parsed workflow
	if err := yaml.Unmarshal(text, &parsed); err != nil {
		return nil, fmt.Errorf("read workflow: %w", err)
	}
	var findings []Finding
	add := func(node *yaml.Node, format string, arguments ...any) {
		findings = append(findings, Finding{Line: node.Line, Text: fmt.Sprintf(format, arguments...)})
	}
	if parsed.Permissions.Kind != yaml.MappingNode || len(parsed.Permissions.Content) > 0 {
		add(&yaml.Node{}, "the workflow itself must grant nothing: permissions: {}")
	}
	if slices.Contains(events(&parsed.On), "pull_request_target") {
		add(&parsed.On, "pull_request_target runs what a fork wrote with the rights of this repository")
	}
	if parsed.Concurrency == nil {
		add(&yaml.Node{}, "the workflow has no concurrency group")
	}
	for name, job := range parsed.Jobs {
		if lintPermissions(name, &job.Permissions, add) {
			lintNeeds(name, &job, events(&parsed.On), add)
		}
		if job.Timeout == 0 {
			add(&yaml.Node{}, "job %s has no timeout", name)
		}
		lintUses(&job.Uses, nil, add)
		lintContinue(&job.Continue, "", add)
		for _, step := range job.Steps {
			lintContinue(&step.Continue, step.Uses.Value, add)
			lintUses(&step.Uses, step.With, add)
			if strings.Contains(step.Run.Value, "${{") {
				add(&step.Run, "an expression in a script is code: hand it over as a variable")
			}
			if moves(step) && !neverCancels(parsed.Concurrency) {
				add(&step.Uses, "a workflow that moves traffic must never be cancelled for a newer one: cancel-in-progress: false")
			}
		}
	}
	slices.SortFunc(findings, func(a, b Finding) int { return a.Line - b.Line })
	return findings, nil
}

// lintPermissions holds what a job is granted against the rules: each by its name,
// with what it is for. It reports whether they are said at all.
func lintPermissions(job string, permissions *yaml.Node, add func(*yaml.Node, string, ...any)) bool {
	if permissions.Kind != yaml.MappingNode {
		add(permissions, "job %s does not say its permissions, one by one", job)
		return false
	}
	for index := 1; index < len(permissions.Content); index += 2 {
		if granted := permissions.Content[index]; granted.LineComment == "" {
			add(granted, "job %s is granted %s without saying what for", job, permissions.Content[index-1].Value)
		}
	}
	return true
}

// lintUses holds an action against the rules for what others wrote.
func lintUses(uses *yaml.Node, with map[string]yaml.Node, add func(*yaml.Node, string, ...any)) {
	if uses.Value == "" || strings.HasPrefix(uses.Value, "./") {
		return
	}
	if !pinned.MatchString(uses.Value) {
		add(uses, "%s is not pinned by the digest of a commit", uses.Value)
	} else if uses.LineComment == "" {
		add(uses, "%s does not say its version in a comment", uses.Value)
	}
	credentials := with["persist-credentials"]
	if strings.HasPrefix(uses.Value, "actions/checkout@") && credentials.Value != "false" {
		add(uses, "the checkout leaves the token on disk: persist-credentials: false")
	}
}

// mayFail are the actions without which a job is as good.
var mayFail = []string{"github/codeql-action/upload-sarif"}

// lintContinue refuses what lets a job pass that has failed.
func lintContinue(continues *yaml.Node, uses string, add func(*yaml.Node, string, ...any)) {
	if action, _, _ := strings.Cut(uses, "@"); continues.Kind != 0 && !slices.Contains(mayFail, action) {
		add(continues, "what fails must fail the job: no continue-on-error")
	}
}

// moves reports whether a step uses this Action in a way that moves traffic.
func moves(step step) bool {
	command := step.With["command"]
	return slices.Contains([]string{"shift", "rollback", "resume"}, command.Value)
}

// neverCancels reports whether a group says so itself, and by no expression.
func neverCancels(group *concurrency) bool { return group != nil && group.Cancel.Value == "false" }

// events are the names of what starts a workflow, in each of the three ways in
// which they can be written.
func events(on *yaml.Node) []string {
	switch on.Kind {
	case yaml.ScalarNode:
		return []string{on.Value}
	case yaml.SequenceNode, yaml.MappingNode:
		var names []string
		for index, node := range on.Content {
			if on.Kind == yaml.SequenceNode || index%2 == 0 {
				names = append(names, node.Value)
			}
		}
		return names
	default:
		return nil
	}
}
