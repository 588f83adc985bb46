package rollout

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/relative"
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

// of is the policy for a run in a state: where the old version can't take over
// again, only a person goes back, whatever the release says.
func (p Policy) of(state State) Policy {
	if len(state.Irreversible) > 0 {
		p.OnFailure = release.PolicyFreeze
	}
	return p
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
	// Trigger is what began the run, "" for a person.
	Trigger string `json:"trigger,omitempty"`
	// Started is when the run began, Entered when the phase did.
	Started time.Time `json:"started"`
	Entered time.Time `json:"entered"`
	// Cutover is when everything was first given to the target.
	Cutover time.Time `json:"cutover,omitzero"`
	// DataPlane is what is known of whether requests have followed the switch.
	DataPlane DataPlane `json:"dataPlane,omitzero"`
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
	// Irreversible are the changes of its migrations, as they were when the run
	// began, after which the old version can't take over again. Who goes on with
	// the run keeps to them, whatever its files say by then.
	Irreversible []string `json:"irreversible,omitempty"`
	// Gate is the gate's memory of what has been holding since when.
	Gate gate.State `json:"gate"`
	// Relative is what is known of the target against the old side.
	Relative relative.State `json:"relative,omitzero"`
	// Baseline is what was read before the first switch.
	Baseline []measure.Reading `json:"baseline,omitempty"`
	// Templates are, by workload, the pod templates of both colours before the
	// first switch.
	Templates map[string]string `json:"templates,omitempty"`
	// Unanswered is since when a required signal has had no answer, in a hold
	// or a watch, and since when nothing could be seen, in any other phase.
	Unanswered time.Time `json:"unanswered,omitzero"`
	// Sighted is since when something can be seen again in such a phase.
	Sighted time.Time `json:"sighted,omitzero"`
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
	// Gone are the routes of a set that did not exist when the others were given
	// back.
	Gone []string `json:"gone,omitempty"`
	// Trouble is what is not well with the target in this phase, before it counts
	// against it; "" for nothing that is known.
	Trouble string `json:"trouble,omitempty"`
	// NoWayBack is why the old side could not take traffic back when it was last
	// looked at, and who took its pods; "" where it could.
	NoWayBack string `json:"noWayBack,omitempty"`
	// Residual is what was left on the old side when the run ended.
	Residual *measure.Reading `json:"residual,omitempty"`
	// Open is what was open on it, nil where no pod tells.
	Open *measure.Reading `json:"open,omitempty"`
	// Finish is what a run is about that decommissions the idle side, nil for
	// every other. It moves no traffic: From and To are those of the last move.
	Finish *Finish `json:"finish,omitempty"`
	// Taken are, by workload, the replicas that a finish has taken from the old
	// side: a rollback gives them back.
	Taken map[string]int32 `json:"taken,omitempty"`
}

// Split is the split that the state's step asks for.
func (s State) Split(policy Policy) traffic.Split {
	if s.Phase.Reverse() || s.Step >= len(policy.Steps) {
		return traffic.Whole(s.From)
	}
	split, _ := traffic.StepOf(policy.Steps[s.Step], s.To, s.From)
	return split
}

// preview is what the state's step leads to the target by a preview, nil where it
// leads nothing.
func (s State) preview(policy Policy) *traffic.Preview {
	if s.Phase.Reverse() || s.Step >= len(policy.Steps) {
		return nil
	}
	_, preview := traffic.StepOf(policy.Steps[s.Step], s.To, s.From)
	return preview
}

// expectedPreview is the preview that the route must have in a phase that does not
// write it.
func (s State) expectedPreview(policy Policy) *traffic.Preview {
	if s.Phase == Prove || s.Phase == Hold {
		return s.preview(policy)
	}
	return nil
}

// asExpected reports whether a route is as it must be in such a phase.
func (s State) asExpected(policy Policy, route traffic.Route) bool {
	return route.Has(s.expected(policy), s.expectedPreview(policy))
}

// expected is the split that the route must have in a phase that does not
// write it.
func (s State) expected(policy Policy) traffic.Split {
	switch s.Phase {
	case Prove, Hold, Watch, Confirm, Drain, GiveBack:
		return s.Split(policy)
	}
	if s.Finish != nil && !s.Phase.Reverse() {
		return traffic.Whole(s.Finish.Live)
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
	// Unseen: a wait in which nothing was learned of the release.
	Unseen bool
	// Yields: a wait in the drain that keeps nothing from going on at the
	// phase's deadline.
	Yields bool
	// Decision, Gate, Relative and DataPlane are set on Ticked.
	Decision  gate.Decision
	Gate      gate.State
	Relative  relative.State
	DataPlane DataPlane
	// Learned are changes to the state that a performance found out, such
	// as the baseline.
	Learned func(*State)
}
