package action

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
)

// What a cancelled shift does.
const (
	handOver = "handover"
	rollBack = "rollback"
)

// inputs are those of the step, as action.yml declares them.
type inputs struct {
	command command
	// release is the path of the Release document, "" for the default.
	release string
	stage   preflight.Stage
	// onCancel is handOver or rollBack.
	onCancel string
	// args are the words of further flags.
	args []string
	// token writes comments and deployments; without one there are none.
	token string
	// environmentURL is the link of the deployment, "" for none.
	environmentURL string
}

// mistake is what is wrong with an input, and what to do about it.
type mistake struct {
	input, problem, remedy string
}

// String says it in one line.
func (m mistake) String() string {
	return fmt.Sprintf("input %s: %s; %s", m.input, m.problem, m.remedy)
}

// mistakesError is all that is wrong with the inputs.
type mistakesError []mistake

// Error says each on a line of its own.
func (m mistakesError) Error() string {
	var all []string
	for _, one := range m {
		all = append(all, one.String())
	}
	return strings.Join(all, "\n")
}

// readInputs reads every input and tells all that is wrong with them. A command and a
// stage that there are not are read as those of a step that names none: it most likely
// was one whose comment has to tell of the mistake.
func readInputs(input func(name string) string, event string) (inputs, []mistake) {
	var mistakes []mistake
	wrong := func(name, remedy, problem string, values ...any) {
		mistakes = append(mistakes, mistake{name, fmt.Sprintf(problem, values...), remedy})
	}
	read := inputs{release: input("release"), onCancel: input("on-cancel"), token: input("token"), environmentURL: input("environment-url")}
	name, known := input("command"), false
	if name == "" {
		name = "check"
	}
	if read.command, known = commandNamed(name); !known {
		wrong("command", "leave it out to check", "expected one of %s, not %q", names(commands()), name)
		read.command, _ = commandNamed("check")
	}
	if read.onCancel == "" {
		read.onCancel = handOver
	}
	if read.onCancel != handOver && read.onCancel != rollBack {
		wrong("on-cancel", "leave it out to hand over", "expected %s or %s, not %q", handOver, rollBack, read.onCancel)
	}
	stage := input("stage")
	read.stage = stageOf(stage, event)
	switch {
	case !slices.Contains(preflight.Stages(), read.stage):
		wrong("stage", "leave it out: a pull request is pr, and a push deploy", "expected pr, deploy or rollback, not %q", stage)
		read.stage = stageOf("", event)
	case stage != "" && known && !read.command.staged:
		wrong("stage", "leave it out", "%s has no stages, check alone has", name)
	}
	var err error
	if read.args, err = split(input("args")); err != nil {
		wrong("args", "close it, or write each flag on a line of its own", "expected words as a shell takes them, but %v", err)
	}
	if stage == "" && known && read.command.staged && !read.flagged("stage") && !read.saved() && mayBeOfAnybody(event) {
		wrong("stage", "write stage: pr where the head of a pull request is checked out, and stage: deploy where a branch of yours is",
			"%s does not say whose files are checked out, so it has to be said", event)
	}
	if problem := releaseProblem(read.release); problem != "" {
		wrong("release", "if it was moved, name where it is now, from the root of the checkout; an actions/checkout step must come before this one", "%s", problem)
	}
	if link, err := url.Parse(read.environmentURL); read.environmentURL != "" && (err != nil || link.Scheme != "https" && link.Scheme != "http" || link.Host == "") {
		wrong("environment-url", "write https://HOST/PATH", "expected a link of http or https")
	}
	return read, mistakes
}

// releaseProblem says why a path can't be that of the Release, "" where it can.
func releaseProblem(path string) string {
	if path == "" {
		return ""
	}
	if strings.ContainsAny(path, "\n\r\x00") {
		return "expected one path, not several lines"
	}
	switch found, err := os.Stat(path); {
	case err != nil:
		return fmt.Sprintf("expected a file, and %q is none that can be found", path)
	case found.IsDir():
		return fmt.Sprintf("expected a file, and %q is a folder", path)
	}
	return ""
}

// stageOf is the stage that was asked for, else the one that an event is for: a
// pull request, queued or not, and a review of one, is judged by its files alone.
func stageOf(asked, event string) preflight.Stage {
	switch {
	case asked != "":
		return preflight.Stage(asked)
	case ofPullRequest(event), event == "merge_group":
		return preflight.StagePR
	}
	return preflight.StageDeploy
}

// ofPullRequest reports whether an event is one of pull requests, such as
// pull_request_review, whose payload holds the pull request.
func ofPullRequest(event string) bool { return strings.HasPrefix(event, "pull_request") }

// mayBeOfAnybody reports whether an event, which holds the secrets of the repository,
// may be one on which a workflow checks out a stranger's head. On those that are listed
// the repository's own is at hand, and outside of GitHub there is no event.
func mayBeOfAnybody(event string) bool {
	own := []string{"", "push", "schedule", "workflow_dispatch", "deployment", "release", "merge_group"}
	return !ofPullRequest(event) && !slices.Contains(own, event)
}

func names(known []command) string {
	var all []string
	for _, one := range known {
		all = append(all, one.name)
	}
	return strings.Join(all, ", ")
}

// line is the command line for package plugin. folder is where a check leaves its
// facts, "" for nowhere.
func (i inputs) line(folder string) []string {
	line := []string{i.command.name}
	if i.release != "" {
		line = append(line, "--file="+i.release)
	}
	if i.command.staged && !i.saved() {
		line = append(line, "--stage="+string(i.stage))
		if folder != "" && !i.flagged("save") {
			line = append(line, "--save="+folder)
		}
	}
	return append(line, i.args...)
}

// saved reports whether facts that were saved are judged, by the stage and the
// document that they hold.
func (i inputs) saved() bool { return i.flagged("from") || i.flagged("test") }

// flagged reports whether a flag is among the args, with its value or without.
func (i inputs) flagged(name string) bool {
	return slices.ContainsFunc(i.args, func(word string) bool { return word == "--"+name || strings.HasPrefix(word, "--"+name+"=") })
}
