package rollout

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Policy is the part of a Release by which the machine decides.
type Policy struct {
	Steps      []release.Step
	Watch      time.Duration
	Deadlines  release.Deadlines
	SourceDown release.SourceDown
	// OnFailure is release.PolicyFreeze where only a person goes back; ""
	// goes back.
	OnFailure string
}

// PolicyOf takes the policy out of a release whose defaults are set.
func PolicyOf(rel *release.Release) Policy {
	return Policy{
		Steps:      rel.Spec.Traffic.Steps,
		Watch:      rel.Spec.Traffic.Watch.Std(),
		Deadlines:  rel.Spec.Traffic.Deadlines,
		SourceDown: rel.Spec.Gates.SourceDown,
		OnFailure:  rel.Spec.Gates.OnFailure,
	}
}

// State is everything the machine knows about a run. It is what the journal
// keeps, so that any process can go on from it.
type State struct {
	Phase Phase `json:"phase"`
	// Step is the index of the step that is being switched to or held.
	Step int `json:"step"`
	// From is the old side, To the target: names of colours.
	From string `json:"from"`
	To   string `json:"to"`
	// Started is when the run began, Entered when the phase did.
	Started time.Time `json:"started"`
	Entered time.Time `json:"entered"`
	// Cutover is when everything was first given to the target.
	Cutover time.Time `json:"cutover,omitzero"`
	// Reverted is when the route was proven to serve the old side again.
	Reverted time.Time `json:"reverted,omitzero"`
	// Asked is when a person asked for the rollback.
	Asked time.Time `json:"asked,omitzero"`
	// Moved is set before the first write that gives the target traffic, and
	// on every way back: the target may have some.
	Moved bool `json:"moved,omitempty"`
	// Requested is set when a person asked for the rollback.
	Requested bool `json:"requested,omitempty"`
	// Reason is why the run went back, was held or was blocked.
	Reason string `json:"reason,omitempty"`
	// Because are the gate's results that Reason rests on.
	Because []gate.Result `json:"because,omitempty"`
	// Gate is the gate's memory of what has been holding since when.
	Gate gate.State `json:"gate"`
	// Baseline is what was read before the first switch.
	Baseline []measure.Reading `json:"baseline,omitempty"`
	// Templates are, by workload, the pod templates of both colours before the
	// first switch.
	Templates map[string]string `json:"templates,omitempty"`
	// Unanswered is since when a required signal has had no answer.
	Unanswered time.Time `json:"unanswered,omitzero"`
	// Closed is since when the gate has not let the run advance.
	Closed time.Time `json:"closed,omitzero"`
	// Resume is the phase to go on from after Held.
	Resume Phase `json:"resume,omitempty"`
	// Termination is what is known about how the old side's pods end.
	Termination *traffic.Termination `json:"termination,omitempty"`
	// Old are the pods of the old side that were there before one was
	// recycled, by UID; no other is recycled.
	Old []types.UID `json:"old,omitempty"`
	// Unshed is why recycling the old side was stopped; it is not tried
	// again.
	Unshed string `json:"unshed,omitempty"`
	// Kept is why the side that was left is not ended after a rollback that a
	// person asked for: what remains on it is unknown, and so is what ending
	// it would lose.
	Kept string `json:"kept,omitempty"`
	// Residual is what was left on the old side when the run ended.
	Residual *measure.Reading `json:"residual,omitempty"`
}

// Split is the split that the state's step asks for.
func (s State) Split(policy Policy) traffic.Split {
	if s.Phase.Reverse() || s.Step >= len(policy.Steps) {
		return traffic.Whole(s.From)
	}
	return traffic.Between(s.To, s.From, policy.Steps[s.Step].Weight)
}

// expected is the split that the route must have in a phase that does not
// write it.
func (s State) expected(policy Policy) traffic.Split {
	switch s.Phase {
	case Prove, Hold, Watch, Confirm, Drain, GiveBack:
		return s.Split(policy)
	}
	return traffic.Whole(s.From)
}

// Kind says what one performance of a phase came to.
type Kind string

// The kinds of observation.
const (
	// Succeeded: what the phase asks for holds.
	Succeeded Kind = "succeeded"
	// Waiting: not yet; ask again after the interval.
	Waiting Kind = "waiting"
	// Failed: it won't come to hold by waiting.
	Failed Kind = "failed"
	// Ticked: one reading of the gate, in Decision.
	Ticked Kind = "ticked"
	// Stopped: somebody asked for an emergency stop.
	Stopped Kind = "stopped"
	// Interrupted: this process was asked to end.
	Interrupted Kind = "interrupted"
	// Rival: the route or the fence is not ours any more.
	Rival Kind = "rival"
)

// Observation is what the machine is told.
type Observation struct {
	Kind    Kind
	At      time.Time
	Message string
	// Quiet: there was nothing to do. The record has it; for a line of
	// progress it is not worth one.
	Quiet bool
	// Decision and Gate are set on Ticked.
	Decision gate.Decision
	Gate     gate.State
	// Learned are changes to the state that a performance found out, such
	// as the baseline.
	Learned func(*State)
}
