package act

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Outcome is how a workflow came out.
type Outcome struct {
	// Jobs are the results of jobs by their ids, success or failure. One that was
	// skipped has none.
	Jobs map[string]string
	// Steps are the parts of steps that were run, in their order.
	Steps []Step
	// Annotations are those of all steps, in their order.
	Annotations []Annotation
	// Kept is the folder of what was uploaded: artifact/NAME for each artefact, and
	// sarif/CATEGORY.sarif for code scanning.
	Kept string
	// Log is all that was said.
	Log string
}

// Step is one part of a step: Pre, Main or Post.
type Step struct {
	Job, ID, Stage string
	// Result is success or failure.
	Result string
	// Outputs are those that it has set, and Summary what it shows.
	Outputs map[string]string
	Summary string
}

// Annotation is a remark at a line of a file, or at none.
type Annotation struct {
	Job, Step string
	// Level is error, warning or notice.
	Level, File  string
	Line, Column int
	Title        string
	Message      string
}

// Step returns the main part of a step by the ids of both, and whether it was run.
func (o *Outcome) Step(job, id string) (Step, bool) {
	index := slices.IndexFunc(o.Steps, func(step Step) bool { return step.Job == job && step.ID == id && step.Stage == "Main" })
	if index < 0 {
		return Step{}, false
	}
	return o.Steps[index], true
}

// Told are the annotations of a level.
func (o *Outcome) Told(level string) []Annotation {
	var told []Annotation
	for _, annotation := range o.Annotations {
		if annotation.Level == level {
			told = append(told, annotation)
		}
	}
	return told
}

// line is one of act's log in JSON, as far as it is looked at.
type line struct {
	Text       string            `json:"msg"`
	Job        string            `json:"jobID"`
	Step       []string          `json:"stepID"`
	Stage      string            `json:"stage"`
	Result     string            `json:"stepResult"`
	JobResult  string            `json:"jobResult"`
	Command    string            `json:"command"`
	Fields     map[string]string `json:"kvPairs"`
	Argument   string            `json:"arg"`
	OutputName string            `json:"name"`
	Summary    string            `json:"content"`
}

// read reads act's log.
func read(log []byte) (*Outcome, error) {
	outcome := &Outcome{Jobs: map[string]string{}}
	var text strings.Builder
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, 16<<20) // a summary is one line of the log
	for lines.Scan() {
		one := line{}
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			fmt.Fprintf(&text, "%s\n", lines.Text()) // act's last word is no JSON
			continue
		}
		fmt.Fprintf(&text, "[%s] %s\n", one.Job, strings.TrimRight(one.Text, "\r\n"))
		if one.JobResult != "" {
			outcome.Jobs[one.Job] = one.JobResult
		}
		if len(one.Step) == 1 && one.Stage != "" && (one.Command != "" || one.Result != "") {
			outcome.take(one)
		}
	}
	outcome.Log = text.String()
	return outcome, lines.Err()
}

// take takes what a line says of a part of a step.
func (o *Outcome) take(one line) {
	step := o.part(one)
	switch one.Command {
	case "error", "warning", "notice":
		number := func(name string) int {
			value, _ := strconv.Atoi(one.Fields[name]) // none is 0
			return value
		}
		o.Annotations = append(o.Annotations, Annotation{
			Job: step.Job, Step: step.ID, Level: one.Command, File: one.Fields["file"],
			Line: number("line"), Column: number("col"), Title: one.Fields["title"], Message: one.Argument,
		})
	case "set-output":
		step.Outputs[one.OutputName] = one.Argument
	case "summary":
		step.Summary += one.Summary
	case "":
		step.Result = one.Result
	}
}

// part is the part of a step that a line is about.
func (o *Outcome) part(one line) *Step {
	index := slices.IndexFunc(o.Steps, func(step Step) bool {
		return step.Job == one.Job && step.ID == one.Step[0] && step.Stage == one.Stage
	})
	if index < 0 {
		o.Steps = append(o.Steps, Step{Job: one.Job, ID: one.Step[0], Stage: one.Stage, Outputs: map[string]string{}})
		index = len(o.Steps) - 1
	}
	return &o.Steps[index]
}
