package plugin

import (
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// Observer is told what a command comes to as values, beside what the command
// prints. A function that is nil is not called. The command waits for each, and
// calls no two at once.
type Observer struct {
	// Opened is told which release a run is of, before the run begins or goes on.
	Opened func(release.Metadata)
	// Checked is told what checks found, and the program that asked, by which a
	// format of package report is written.
	Checked func(*preflight.Report, report.Tool)
	// Progressed is told the progress of a run.
	Progressed func(rollout.Event)
	// Stood is told how a run stands, and again where a command looks again.
	Stood func(Standing)
	// Failed is told the error that a command ends with; its text is empty where
	// what there is to say was told already.
	Failed func(error)
}

// Standing is how a run stands.
type Standing struct {
	// Status is the run. Without an ID there is none.
	Status *rollout.RunStatus
	// Message says it in one sentence, "" where there is nothing to say.
	Message string
	// Next is the one command to type, "" for none.
	Next string
	// Open: the run has not ended, and is not held.
	Open bool
}

func (o Observer) opened(metadata release.Metadata) {
	if o.Opened != nil {
		o.Opened(metadata)
	}
}

func (o Observer) checked(found *preflight.Report, tool report.Tool) {
	if o.Checked != nil {
		o.Checked(found, tool)
	}
}

func (o Observer) progressed(event rollout.Event) {
	if o.Progressed != nil {
		o.Progressed(event)
	}
}

func (o Observer) stood(standing Standing) {
	if o.Stood != nil {
		o.Stood(standing)
	}
}

func (o Observer) failed(err error) {
	if o.Failed != nil {
		o.Failed(err)
	}
}
