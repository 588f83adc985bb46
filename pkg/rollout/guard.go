package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// GuardPolicy is what a guard does with a run that nobody drives any more.
type GuardPolicy string

// The policies of a guard.
const (
	// GuardRollback gives moved traffic back, and ends a run that moved none.
	GuardRollback GuardPolicy = "rollback"
	// GuardHold holds the run where it stands, for a person.
	GuardHold GuardPolicy = "hold"
	// GuardContinue goes on with the run.
	GuardContinue GuardPolicy = "continue"
)

// GuardPolicies are all of them, the default first.
func GuardPolicies() []GuardPolicy { return []GuardPolicy{GuardRollback, GuardHold, GuardContinue} }

// DefaultGuardSilence is twice the lease's default duration: who has renewed
// nothing for that long has given the run up by itself.
const DefaultGuardSilence = 2 * journal.DefaultLeaseDuration

// guardPatience is how long a guard waits for its run to begin, above the
// minute that its own start may take.
const guardPatience = 2 * time.Minute

// GuardRequest asks to guard a run.
type GuardRequest struct {
	RunID string
	// Silence is how long its holder may be silent, DefaultGuardSilence when
	// zero. A lease that lasts longer is waited for longer.
	Silence time.Duration
	Policy  GuardPolicy
}

// Guard watches a run that another process drives, until it has ended. When
// the holder has renewed its lease for no longer than Silence, counted by this
// process's own clock from the last change that it saw, or has left the run to
// it, this process takes over and does what the policy says; what is on its
// way back, or was confirmed and only drains, is brought to its end whatever
// the policy.
//
// An API server that does not answer is not a holder that is silent: the time
// in which this process saw nothing does not count. A run that is held is a
// person's, and ends the guard like one that has ended. Two who would take over
// are kept apart by the lease, and who comes second goes on watching.
//
// A record that somebody deletes is no end: its holder writes it anew, and where
// that one is silent, what the guard saw of it last is what it takes over.
func (r *Runner) Guard(ctx context.Context, request GuardRequest) (Outcome, error) {
	if request.Silence <= 0 {
		request.Silence = DefaultGuardSilence
	}
	began, told := r.Clock.Now(), ""
	watched := watched{Pulse: journal.Pulse{Clock: r.Clock.Now}}
	for {
		outcome, ended, err := r.patrol(ctx, request, began, &watched)
		switch {
		case ctx.Err() != nil && err != nil:
			return Outcome{Code: CodeHeld, HandedOver: true, Message: "the guard of run " + request.RunID + " was told to go: " + context.Cause(ctx).Error()}, nil //nolint:nilerr // to be told to go is an outcome
		case cluster.Transient(err):
			r.letGo(ctx)
			watched.Forget()
			told = r.tellOnce(told, fmt.Sprintf("what can't be seen is not silent, trying again: %v", err))
		case err != nil || ended:
			return outcome, err
		}
		select {
		case <-ctx.Done():
		case <-r.Clock.After(min(max(request.Silence/10, followInterval), 5*followInterval)):
		}
	}
}

// watched is what a guard has seen of its run: whether its holder stirs, and what
// the record said last, nil before the run has begun.
type watched struct {
	journal.Pulse

	run *journal.Run
}

// patrol looks once, and takes over where nobody drives the run.
func (r *Runner) patrol(ctx context.Context, request GuardRequest, began time.Time, watched *watched) (outcome Outcome, ended bool, err error) {
	if err := ctx.Err(); err != nil {
		return Outcome{}, false, err
	}
	run, err := r.Journal.Get(ctx, request.RunID)
	if apierrors.IsNotFound(err) && watched.run != nil {
		return r.unrecorded(ctx, request, watched)
	}
	if apierrors.IsNotFound(err) {
		if r.Clock.Since(began) < guardPatience {
			return Outcome{}, false, nil
		}
		return Outcome{Code: CodeDone, Message: fmt.Sprintf("run %s has not begun within %s: there is nothing to guard", request.RunID, guardPatience)}, true, nil
	}
	if err != nil {
		return Outcome{}, false, err
	}
	if outcome, ended, err := EndOf(*run); err != nil || ended {
		return outcome, ended, err
	}
	watched.run = run
	beat, err := r.Journal.Heartbeat(ctx)
	if err != nil {
		return Outcome{}, false, err
	}
	return r.relieveSilent(ctx, request, beat, watched)
}

// unrecorded looks at the lease of a run whose record was deleted. While it is in
// the hands of who drove the run last, that one has not brought it to its end,
// and writes the record anew. What else has become of the run, nobody can tell.
func (r *Runner) unrecorded(ctx context.Context, request GuardRequest, watched *watched) (outcome Outcome, ended bool, err error) {
	beat, err := r.Journal.Heartbeat(ctx)
	if err != nil {
		return Outcome{}, false, err
	}
	if beat.Holder != watched.run.Holder {
		return Outcome{Code: CodeHeld, Next: "kubectl bluegreen status",
			Message: fmt.Sprintf("the record of run %s was deleted in phase %s, and %s, who drove it, holds the lease no more: what has become of it is unknown", request.RunID, watched.run.Phase, watched.run.Holder)}, true, nil
	}
	return r.relieveSilent(ctx, request, beat, watched)
}

// relieveSilent takes the run over if its holder is silent, or has left it.
func (r *Runner) relieveSilent(ctx context.Context, request GuardRequest, beat journal.Heartbeat, watched *watched) (outcome Outcome, ended bool, err error) {
	run, still := watched.run, watched.Still(beat)
	reason := fmt.Sprintf("%s, who drove the run, has been silent for %s", run.Holder, still.Round(time.Second))
	switch {
	case beat.Holder == "" && run.Holder == r.Holder:
		reason = "nobody drives the run any more"
	case beat.Holder == "":
		reason = run.Holder + " left the run to its guard"
	case still < max(request.Silence, beat.Duration):
		return Outcome{}, false, nil
	}
	r.gone = beat
	outcome, err = r.relieve(ctx, request.Policy, *run, reason)
	if overtaken(err) {
		// Its holder has stirred last: what the record says now decides.
		r.letGo(ctx)
		watched.Forget()
		return Outcome{}, false, nil
	}
	if err != nil {
		return outcome, false, err
	}
	if r.tenure == nil || r.adrift(ctx, outcome) {
		// Somebody else was faster, or is now: they are watched in turn. Or another
		// release has in hand what would be written to, which has an end.
		if r.tenure == nil {
			r.tell(Phase(run.Phase), Warning, "not taken over: %s", outcome.Message)
		}
		r.letGo(ctx)
		watched.Forget()
		return Outcome{}, false, nil
	}
	return outcome, true, nil
}

// relieve takes a run over from a holder that is gone.
func (r *Runner) relieve(ctx context.Context, policy GuardPolicy, run journal.Run, reason string) (Outcome, error) {
	state := State{}
	if err := json.Unmarshal(run.State, &state); err != nil {
		return Outcome{}, fmt.Errorf("read state of run %s: %w", run.ID, err)
	}
	r.tell(state.Phase, Warning, "%s; taking over (%s)", reason, policy)
	switch {
	case state.Phase.Terminal(), state.Phase.Reverse(), ruleOf(state.Phase).OnFailure == Held, policy == GuardContinue:
		if err := r.reopen(ctx); err != nil {
			r.tell(state.Phase, Warning, "going on without measurements: %v", cluster.Explain(err))
		}
		r.reopened = false // they are looked for again where a run does that
		return r.goOn(ctx, run)
	case policy == GuardHold:
		return r.relieveHeld(ctx, run, hold(state, r.Clock.Now(), "held by the guard: "+reason))
	}
	return r.relieveBack(ctx, run, state, reason)
}

// relieveHeld holds the run where it stands.
func (r *Runner) relieveHeld(ctx context.Context, run journal.Run, held State) (Outcome, error) {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return Outcome{}, err
	}
	r.continues(run)
	return r.begin(ctx, route, held)
}

// relieveBack gives moved traffic back. A run that moved none is only ended.
// One whose policy leaves going back to a person is frozen, and one whose old
// side has no pod that is ready is held: nobody is there to say that it must
// go back to nothing.
func (r *Runner) relieveBack(ctx context.Context, run journal.Run, state State, reason string) (Outcome, error) {
	reason = "the guard took over: " + reason
	route, err := r.Router.Read(ctx)
	if err != nil {
		return Outcome{}, err
	}
	now := r.Clock.Now()
	if policy := PolicyOf(r.Release); !state.Moved && !state.asExpected(policy, route) {
		return r.relieveHeld(ctx, run, hold(state, now, fmt.Sprintf("%s; %s has %s, and this run had not moved it from %s", reason, route.Object, route.Shares(), state.expected(policy))))
	}
	if state.Moved && PolicyOf(r.Release).of(state).OnFailure == release.PolicyFreeze {
		return r.relieveHeld(ctx, run, freeze(state, now, reason, nil))
	}
	if state.Moved {
		refusal, err := r.mayReceive(ctx, route, state, RollbackRequest{})
		if err != nil {
			return Outcome{}, err
		}
		if refusal != nil {
			return r.relieveHeld(ctx, run, hold(state, now, reason+"; "+refusal.Message))
		}
	}
	next := back(state, reason, now)
	next.Requested, next.Asked = false, time.Time{} // no person asked
	if !state.Moved {
		next = enter(next, Blocked, now)
	}
	r.continues(run)
	return r.begin(ctx, route, next)
}

// ParseGuardPolicy reads a policy.
func ParseGuardPolicy(text string) (GuardPolicy, error) {
	for _, policy := range GuardPolicies() {
		if string(policy) == text {
			return policy, nil
		}
	}
	return "", release.WithHint(fmt.Errorf("unknown policy %q of a guard", text), "one of: rollback, hold, continue")
}
