package rollout

import (
	"context"
	"time"

	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// The exit codes, the same for every command and every output format.
const (
	CodeDone       = 0
	CodeFailed     = 1
	CodeBlocked    = 2
	CodeRolledBack = 3
	CodeHeld       = 4
	CodeUnproven   = 5
)

// Runner carries out a run of one release. All fields are required but
// Progress and LeaseDuration; a Runner is used for one run.
type Runner struct {
	Client  *cluster.Client
	Release *release.Release
	// Document is the text of the release, kept with the run.
	Document []byte
	// Directory is what manifests are relative to.
	Directory string
	Router    traffic.Router
	Sources   []measure.Source
	// Reopen looks for the sources again once the target is deployed: what
	// its pods serve could not be known before they existed. It closes the
	// sources that it replaces; nil keeps them.
	Reopen  func(ctx context.Context) ([]measure.Source, error)
	Journal *journal.Journal
	Clock   clock.WithTicker
	// Holder names this process: user@host/pid.
	Holder string
	// LeaseDuration is how long this process may be silent before others may
	// take the run over; journal.DefaultLeaseDuration when zero.
	LeaseDuration time.Duration
	// Artefacts is the local directory under which a run keeps what it
	// preserves; "" keeps nothing on disk.
	Artefacts string
	// HandsOver reports whether a run that is interrupted by a cause is left
	// to somebody who is there to go on with it, the next pod of a Job or a
	// guard, instead of being held for a person. The cause is nil where the
	// process was only away. Without HandsOver every interruption holds.
	HandsOver func(cause error) bool
	// Progress is told every change, in order, from one goroutine.
	Progress func(Event)
	// Preflight runs the checks against a target.
	Preflight func(ctx context.Context, target string) (*preflight.Report, error)
	// Migrations are the changes of the release's migrations after which the old
	// version can't take over again; only a plan asks. Nil knows of none.
	Migrations func() []string

	tenure *journal.Tenure
	// reopened is set once Reopen was called.
	reopened bool
	// runID is the id that a new run gets, "" for one of its own.
	runID string
	// gone is the last sign of life of a holder that was watched and is silent.
	gone journal.Heartbeat
	// resumed is the id of the run that is continued, "" for a new one, and read
	// that run as it was when it was decided how to go on.
	resumed string
	read    journal.Run
	// takesOver takes the lease without waiting: its holder was waited for.
	takesOver bool
	// force waits for nobody, and unready asks for no ready pod.
	force, unready bool
	// setsAside sets a record aside that can't be read, as was asked for.
	setsAside bool
	// only is the id of the one run that may be gone back from, "" for any.
	only string
	// nobodys are the stamps that were found to be in no other release's hands.
	nobodys map[cluster.Fence]bool
	rules   []gate.Rule
	policy  Policy
	// counting counts the requests of both sides from one tick to the next.
	counting *measure.Counting
	// tape is what the gate read and the record was not told yet.
	tape tape
	// wakeful knows when this process has to look again.
	wakeful wakeful
	// recycled is when this process last replaced pods of the old side.
	recycled time.Time
	// looked is when this process began to look at what remains on an idle side.
	looked time.Time
	// unread is what was told of secrets that can't be read.
	unread []string
	// kept is what was kept of bad workers before they were ended, nil for nothing.
	kept *Observation
	// announced is the phase that was last announced.
	announced     Phase
	announcedStep int
}

// Level is how much an event matters.
type Level string

// The levels.
const (
	Info    Level = "info"
	Success Level = "success"
	Warning Level = "warning"
	Failure Level = "failure"
)

// Event is one line of progress.
type Event struct {
	Time time.Time `json:"time"`
	// Run is the id of the run, "" before one has begun.
	Run     string `json:"run,omitempty"`
	Phase   Phase  `json:"phase"`
	Level   Level  `json:"level"`
	Message string `json:"message"`
	// Transient marks a reading that replaces the one before it on a
	// terminal and is left out elsewhere.
	Transient bool `json:"transient,omitempty"`
	// Results are the gate's, on a reading.
	Results []gate.Result `json:"results,omitempty"`
}

// Outcome is how a run ended.
type Outcome struct {
	// Code is the exit code.
	Code int
	// Message is one sentence; Next is the one command to type, or "".
	Message string
	Next    string
	Status  *RunStatus
	// HandedOver: the run has not ended. It was left where it stands for
	// whoever is there to go on with it.
	HandedOver bool
}

// ShiftRequest asks for a shift.
type ShiftRequest struct {
	// To is the target colour; "" means the idle one.
	To string
	// RunID is the id that the run gets; "" makes one.
	RunID string
	// Trigger is what asks for the shift, such as the address of a workflow's run; ""
	// for a person. One trigger moves traffic to the idle colour once.
	Trigger string
	// SetRecordAside begins although the record of the last run can't be read. A
	// record that can be read stands in the way as ever.
	SetRecordAside bool
}

// RollbackRequest asks to give everything back to the side before.
type RollbackRequest struct {
	// Force waits for nobody: neither for the process that holds the run, nor
	// for a lease that has not run out yet. It also goes where a side may have
	// another version since it served last.
	Force bool
	// Unready goes even where no pod of the old side is ready, or nobody can
	// tell.
	Unready bool
	// Run is the id of the run that is to be gone back from: where another one is the
	// last, nothing is done. "" is whichever is.
	Run string
	// Reason is kept in the record.
	Reason string
}
