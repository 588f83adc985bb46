package workflows

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Options are what a release does not say of its workflows.
type Options struct {
	// Action is this program's.
	Action Action
	// File is the path of the Release in the repository, with slashes.
	File string
	// Environment is the deployment environment that a shift goes to. Two others
	// are named after it: NAME-check, and NAME-rollback.
	Environment string
	// URL is where people see the service, "" where nobody said.
	URL string
	// Branch is the one that is deployed.
	Branch string
	// Linked are the paths in the repository, with slashes, that symbolic links lead over
	// from the files of the release; that of a directory ends with one.
	Linked []string
	// Unfiltered: nobody knows these, so every push is deployed.
	Unfiltered bool
	// Name tells the workflows apart from those of another Release of the repository, ""
	// where there is none.
	Name string
	// RunsOn are the labels of the runners; without any it is GitHub's.
	RunsOn []string
	// Guard: a Job in the cluster takes over a shift that was cut off.
	Guard bool
}

// file is how a workflow's file is called.
func (o Options) file(kind Kind) string {
	return strings.TrimSuffix(kind.File(), ".yml") + o.suffixed("-") + ".yml"
}

// suffixed is the name behind what is put between, "" for no name.
func (o Options) suffixed(between string) string {
	if o.Name == "" {
		return ""
	}
	return between + o.Name
}

// runsOn are the labels as a value in YAML.
func (o Options) runsOn() (string, error) {
	switch len(o.RunsOn) {
	case 0:
		return "ubuntu-latest", nil
	case 1:
		return quote(o.RunsOn[0])
	}
	var quoted []string
	for _, label := range o.RunsOn {
		text, err := quote(label)
		if err != nil {
			return "", err
		}
		quoted = append(quoted, text)
	}
	return "[" + strings.Join(quoted, ", ") + "]", nil
}

// check refuses what could be read as something else in a workflow.
func (o Options) check(paths []string) error {
	for name, texts := range map[string][]string{
		"path of the Release": {o.File}, "environment": {o.Environment}, "link": {o.URL}, "branch": {o.Branch},
		"label of runners": o.RunsOn, "filter of paths": paths,
	} {
		for _, text := range texts {
			if strings.Contains(text, "${{") || strings.ContainsFunc(text, unicode.IsControl) {
				return release.WithHint(fmt.Errorf("write workflow: the %s %q can't stand in a workflow", name, text), "expected one line of text without ${{")
			}
		}
	}
	if strings.ContainsAny(o.Branch, `*?[\ ~^:`) {
		return release.WithHint(fmt.Errorf("write workflow: %q is no name of a branch", o.Branch), "name the one branch that is deployed, which is no pattern")
	}
	// It becomes part of a file's name, of a group and of a command line.
	if o.Name != "" && !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`).MatchString(o.Name) {
		return release.WithHint(fmt.Errorf("write workflow: the name %q can't be part of a file's", o.Name), "expected letters, digits, dots and dashes")
	}
	return nil
}

// ownRunners reports whether the runners are not GitHub's, which end a job after a time
// of their own.
func (o Options) ownRunners() bool { return slices.Contains(o.RunsOn, "self-hosted") }
