package rollout

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// RunStatus is one run, as -o json and -o yaml print it.
type RunStatus struct {
	metav1.TypeMeta `json:",inline"`
	ID              string `json:"id"`
	Release         string `json:"release"`
	Namespace       string `json:"namespace"`
	From            string `json:"from"`
	To              string `json:"to"`
	// Live is the split that the route has now, such as blue=100, and what is
	// said of a preview beside it; it is empty for a run of the past.
	Live    string `json:"live,omitempty"`
	Phase   Phase  `json:"phase"`
	Outcome string `json:"outcome,omitempty"`
	// Trigger is what began the run, such as the address of a workflow's run; "" for a
	// person.
	Trigger string `json:"trigger,omitempty"`
	// Holder is who drives the run, Epoch its fence.
	Holder string `json:"holder,omitempty"`
	Epoch  int64  `json:"epoch"`
	// Silent: the run is not finished and nobody seems to drive it.
	Silent  bool      `json:"silent,omitempty"`
	Started time.Time `json:"started"`
	Entered time.Time `json:"entered"`
	Cutover time.Time `json:"cutover,omitzero"`
	// DataPlane says whether requests have followed the switch.
	DataPlane DataPlane `json:"dataPlane,omitzero"`
	Finished  time.Time `json:"finished,omitzero"`
	Reason    string    `json:"reason,omitempty"`
	// Requested: a person asked for the rollback.
	Requested bool `json:"requested,omitempty"`
	// Because are the gate's results that Reason rests on.
	Because []gate.Result `json:"because,omitempty"`
	// Irreversible are the changes of its migrations after which the old version
	// can't take over again: such a run never goes back by itself.
	Irreversible []string          `json:"irreversible,omitempty"`
	Baseline     []measure.Reading `json:"baseline,omitempty"`
	Residual     *measure.Reading  `json:"residual,omitempty"`
	// Open is what was open on the old side, where its pods tell.
	Open *measure.Reading `json:"open,omitempty"`
	// Trouble is what is not well with the target, before it counts against it.
	Trouble string `json:"trouble,omitempty"`
	// NoWayBack is why the old side could not take traffic back when the run last
	// looked at it, and who took its pods.
	NoWayBack string `json:"noWayBack,omitempty"`
	// Finish is what a run is about that decommissions the idle side.
	Finish  *Finish         `json:"finish,omitempty"`
	Entries []journal.Entry `json:"entries,omitempty"`
}

// RunList is the runs of a release, newest first.
type RunList struct {
	metav1.TypeMeta `json:",inline"`
	Items           []RunStatus `json:"items"`
}

// StatusOf turns a journalled run into its status.
func StatusOf(run journal.Run) (*RunStatus, error) {
	state := State{}
	if len(run.State) > 0 {
		if err := json.Unmarshal(run.State, &state); err != nil {
			return nil, fmt.Errorf("read state of run %s: %w", run.ID, err)
		}
	}
	return statusOf(run, state), nil
}

// statusOf joins a run and its state.
func statusOf(run journal.Run, state State) *RunStatus {
	return &RunStatus{
		TypeMeta: metav1.TypeMeta{APIVersion: release.APIVersion, Kind: "RunStatus"},
		ID:       run.ID, Release: run.Release, Namespace: run.Namespace,
		From: run.From, To: run.To, Phase: state.Phase, Outcome: run.Outcome, Trigger: state.Trigger,
		Holder: run.Holder, Epoch: run.Epoch,
		Started: run.Started, Entered: state.Entered, Cutover: state.Cutover, DataPlane: state.DataPlane, Finished: run.Finished,
		Reason: state.Reason, Requested: state.Requested, Because: state.Because, Irreversible: state.Irreversible, Baseline: state.Baseline,
		Residual: state.Residual, Open: state.Open, Trouble: state.Trouble, NoWayBack: state.NoWayBack, Finish: state.Finish, Entries: run.Entries,
	}
}

// Code is the exit code of a process that brings the run to where it is:
// CodeHeld for one that has not ended and that nobody drives.
func (s *RunStatus) Code() int { return outcomeOf(State{Phase: s.Phase, Requested: s.Requested}).Code }

// ListOf turns journalled runs into a list; a run that can't be read says so
// in its reason and stays in the list.
func ListOf(runs []journal.Run) *RunList {
	list := &RunList{TypeMeta: metav1.TypeMeta{APIVersion: release.APIVersion, Kind: "RunList"}, Items: []RunStatus{}}
	for _, run := range runs {
		status, err := StatusOf(run)
		if err != nil {
			status = statusOf(run, State{Reason: err.Error()})
		}
		status.Entries = nil
		list.Items = append(list.Items, *status)
	}
	return list
}

// DeepCopyObject implements runtime.Object for the printers, which only read.
func (s *RunStatus) DeepCopyObject() runtime.Object {
	duplicate := *s
	return &duplicate
}

// DeepCopyObject implements runtime.Object for the printers, which only read.
func (l *RunList) DeepCopyObject() runtime.Object {
	duplicate := *l
	duplicate.Items = append([]RunStatus{}, l.Items...)
	return &duplicate
}
