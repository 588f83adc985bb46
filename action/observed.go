package action

import (
	"cmp"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/plugin"
)

// observed is what a command came to.
type observed struct {
	metadata release.Metadata
	report   *preflight.Report
	tool     report.Tool
	standing *plugin.Standing
	failure  error
	// began is the id of the run of which progress was told.
	began string
}

// observer collects what a command comes to. began is called once the run has an
// id.
func (o *observed) observer(began func()) plugin.Observer {
	return plugin.Observer{
		Opened:  func(metadata release.Metadata) { o.metadata = metadata },
		Checked: func(found *preflight.Report, tool report.Tool) { o.report, o.tool = found, tool },
		Stood:   func(standing plugin.Standing) { o.standing = &standing },
		Failed:  func(err error) { o.failure = err },
		Progressed: func(event rollout.Event) {
			if event.Run != "" && o.began == "" {
				o.began = event.Run
				began()
			}
		},
	}
}

// run is the id of the run, "" for none.
func (o observed) run() string {
	if o.standing != nil {
		return cmp.Or(o.standing.Status.ID, o.began)
	}
	return o.began
}

// ended reports whether there is nothing left to do about the run of a command.
func (o observed) ended() bool { return o.standing != nil && over(*o.standing) }

// over reports whether a run has come to an end of its own.
func over(standing plugin.Standing) bool {
	return !standing.Open && !standing.Status.Finished.IsZero()
}
