package workflows

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"text/template"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

//go:embed templates/*.yml
var templates embed.FS

// Kind is one of the workflows.
type Kind string

// The workflows, and what each is for.
const (
	// Gate keeps a pull request that would hurt from being merged.
	Gate Kind = "gate"
	// Deploy checks and shifts what was merged.
	Deploy Kind = "deploy"
	// Rollback gives everything back when a person asks for it.
	Rollback Kind = "rollback"
	// RollbackCheck asks every hour whether going back would work.
	RollbackCheck Kind = "rollback-check"
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{Gate, Deploy, Rollback, RollbackCheck} }

// File is how the workflow's file is called.
func (k Kind) File() string {
	if k == Gate {
		return "pull-request.yml"
	}
	return string(k) + ".yml"
}

// Write is the text of a workflow. It is an error that a text of the options, or a
// path of the Release, could be read as something else in a workflow.
func Write(rel *release.Release, kind Kind, options Options) ([]byte, error) {
	paths := paths(rel, options)
	if err := options.check(paths); err != nil {
		return nil, err
	}
	runsOn, err := options.runsOn()
	if err != nil {
		return nil, fmt.Errorf("write workflow: %w", err)
	}
	parsed, err := template.New("").Delims("[[", "]]").Funcs(template.FuncMap{"quote": quote, "escape": escape}).ParseFS(templates, "templates/*.yml")
	if err != nil {
		return nil, fmt.Errorf("write workflow: %w", err)
	}
	minutes := Minutes(rel)
	if kind == Rollback {
		minutes = RollbackMinutes(rel)
	}
	var written bytes.Buffer
	err = parsed.ExecuteTemplate(&written, kind.File(), map[string]any{
		"Kind": kind, "Options": options, "Metadata": rel.Metadata, "Minutes": minutes, "Paths": paths,
		"TooLong": minutes > longest && !options.ownRunners(),
		"File":    options.file(kind), "Called": options.suffixed(" "), "Suffix": options.suffixed("-"), "RunsOn": runsOn,
		"Back": inMinutes(back(rel)), "CutOff": back(rel) > cancelled,
		// In the Action's own repository nothing is released that could judge a change of it.
		"Local":    options.Action.Reference == "./",
		"Checkout": checkout, "SetupGo": setupGo, "UploadArtifact": uploadArtifact, "UploadSARIF": uploadSARIF,
	})
	if err != nil {
		return nil, fmt.Errorf("write workflow: %w", err)
	}
	return written.Bytes(), nil
}

// quote is a text as a value in YAML, whatever is in it: JSON is YAML.
func quote(text string) (string, error) {
	quoted, err := json.Marshal(text)
	return string(quoted), err
}

// starting is what a job takes before and after its run: a checkout, the Action,
// artefacts.
const starting = 5 * time.Minute

// cancelled is how long GitHub lets a job go on that was cancelled.
const cancelled = 5 * time.Minute

// longest is for how many minutes a runner of GitHub lets a job go on.
const longest = 360

// Minutes is how long the job of a shift may last: longer than the release's own
// deadlines, which end a run first. The longest run moves traffic at the last moment
// at which it may, watches to the end, and then goes back.
func Minutes(rel *release.Release) int {
	traffic := rel.Spec.Traffic
	limits := traffic.Deadlines
	forth := limits.Total + limits.Reroute + traffic.Watch + limits.Validation + limits.Drain
	return inMinutes(forth.Std() + back(rel) + starting)
}

// RollbackMinutes is how long the job of a rollback may last. The longest waits for a
// process that goes back until that falls silent, and then goes back itself.
func RollbackMinutes(rel *release.Release) int { return inMinutes(2*back(rel) + starting) }

// back is the longest that going back may take.
func back(rel *release.Release) time.Duration {
	limits := rel.Spec.Traffic.Deadlines
	// The route, what is kept of the bad side, its end, and the autoscalers have a
	// deadline each.
	return (4*limits.Rollback + limits.Reroute + limits.Drain + limits.Recover).Std()
}

// inMinutes is a time in minutes, none of which is cut off.
func inMinutes(limit time.Duration) int { return int((limit + time.Minute - 1) / time.Minute) }
