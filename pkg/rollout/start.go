package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Shift moves production to the requested colour, or to the idle one. To
// shift to the colour that is live already is no error and does nothing.
func (r *Runner) Shift(ctx context.Context, request ShiftRequest) (Outcome, error) {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return Outcome{}, err
	}
	live := route.Split.Sole()
	if outcome, err := r.unfinished(ctx); err != nil || outcome != nil {
		return value(outcome), err
	}
	if live == "" {
		return Outcome{}, release.WithHint(
			fmt.Errorf("start shift: %s is split %s and no run is recorded", route.Object, route.Split), "kubectl bluegreen rollback")
	}
	target, err := r.target(live, request.To)
	if err != nil {
		return Outcome{}, err
	}
	if target == live {
		return Outcome{Code: CodeDone, Message: fmt.Sprintf("already: %s serves %s", live, route.Object)}, nil
	}
	if route.Stop != "" {
		return Outcome{Code: CodeBlocked,
			Message: fmt.Sprintf("%s carries an emergency stop: %s", route.Object, route.Stop),
			Next:    fmt.Sprintf("kubectl -n %s annotate %s %s-", route.Namespace, route.Object, cluster.AnnotationStop)}, nil
	}
	now := r.Clock.Now()
	return r.begin(ctx, route, State{Phase: Preflight, From: live, To: target, Started: now, Entered: now})
}

// target is the colour to shift to.
func (r *Runner) target(live, requested string) (string, error) {
	if requested == "" {
		return r.Release.Spec.Other(live), nil
	}
	if _, known := r.Release.Spec.Colors[requested]; !known {
		return "", release.WithHint(fmt.Errorf("shift to %q: the release has no such colour", requested),
			fmt.Sprintf("the colours are %v", r.Release.Spec.ColorNames()))
	}
	return requested, nil
}

// unfinished refuses to begin beside a run that was interrupted or held.
func (r *Runner) unfinished(ctx context.Context) (*Outcome, error) {
	current, err := r.current(ctx)
	if err != nil || current == nil {
		return nil, err
	}
	status, err := StatusOf(*current)
	if err != nil {
		return nil, err
	}
	return &Outcome{Code: CodeBlocked,
		Message: fmt.Sprintf("run %s of %s is not finished: %s→%s in phase %s", current.ID, current.Holder, status.From, status.To, status.Phase),
		Next:    "kubectl bluegreen resume", Status: status}, nil
}

// current is the run that has not ended, nil when there is none.
func (r *Runner) current(ctx context.Context) (*journal.Run, error) {
	run, err := r.Journal.Current(ctx)
	if err != nil || run == nil || !run.Finished.IsZero() {
		return nil, err
	}
	return run, nil
}

// value is an outcome that may be missing.
func value(outcome *Outcome) Outcome {
	if outcome == nil {
		return Outcome{}
	}
	return *outcome
}

// Rollback gives everything back to the side before. While a run is going
// on, its own process is told to stop and this one waits for it; otherwise
// this process takes over, from the live objects alone where no record is.
func (r *Runner) Rollback(ctx context.Context, request RollbackRequest) (Outcome, error) {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return Outcome{}, err
	}
	state, err := r.wayBack(ctx, route)
	if err != nil {
		return Outcome{}, err
	}
	if state.From == route.Split.Sole() && !state.Moved {
		return r.giveUp(ctx, route, state, request)
	}
	ready, wanted, err := r.readiness(ctx, state.From)
	if err != nil {
		return Outcome{}, err
	}
	r.tell(Revert, Info, "%s→%s, %d/%d ready", state.To, state.From, ready, wanted)
	if ready == 0 && !request.Force {
		return Outcome{Code: CodeBlocked,
			Message: fmt.Sprintf("no pod of %s is ready: going back would leave %s with nothing", state.From, route.Object),
			Next:    "kubectl bluegreen rollback --force"}, nil
	}
	if ready < wanted {
		r.tell(Revert, Warning, "only %d of %d pods of %s are ready", ready, wanted, state.From)
	}
	r.force = request.Force
	state.Requested, state.Reason = true, request.Reason
	state.Because, state.Resume = nil, ""
	return r.begin(ctx, route, enter(state, Revert, r.Clock.Now()))
}

// giveUp ends an unfinished run that has moved nothing. There is nothing to
// give back, but without an end it would stand in the way of the next run,
// or, where its process lives, go on to move traffic.
func (r *Runner) giveUp(ctx context.Context, route traffic.Route, state State, request RollbackRequest) (Outcome, error) {
	if r.resumed == "" {
		return Outcome{Code: CodeDone, Message: fmt.Sprintf("already: %s serves %s", state.From, route.Object)}, nil
	}
	state.Requested, state.Reason, state.Resume = true, request.Reason, ""
	return r.begin(ctx, route, enter(state, RolledBack, r.Clock.Now()))
}

// wayBack finds out which colour is the side before: by the unfinished run,
// else by the split that the last switch recorded on the route, else by the
// other colour of the release.
func (r *Runner) wayBack(ctx context.Context, route traffic.Route) (State, error) {
	current, err := r.current(ctx)
	if err == nil && current != nil {
		state := State{}
		if json.Unmarshal(current.State, &state) == nil && state.From != "" {
			r.resumed = current.ID
			return state, nil
		}
	}
	state := State{Started: r.Clock.Now()}
	if err != nil {
		r.tell(Revert, Warning, "the journal can't be read, going by the live objects: %v", err)
	}
	live := route.Split.Sole()
	if live == "" || route.Previous == nil || route.Previous.Sole() == "" {
		return State{}, release.WithHint(
			fmt.Errorf("find the way back: %s has split %s and records no split before it", route.Object, route.Split),
			"kubectl bluegreen shift --to COLOR")
	}
	state.From, state.To = route.Previous.Sole(), live
	return state, nil
}

// Resume goes on with the unfinished run from where it stands.
func (r *Runner) Resume(ctx context.Context) (Outcome, error) {
	current, err := r.current(ctx)
	if err != nil {
		return Outcome{}, err
	}
	if current == nil {
		return Outcome{Code: CodeDone, Message: "nothing to resume: the last run is finished"}, nil
	}
	state := State{}
	if err := json.Unmarshal(current.State, &state); err != nil {
		return Outcome{}, fmt.Errorf("read state of run %s: %w", current.ID, err)
	}
	route, err := r.Router.Read(ctx)
	if err != nil {
		return Outcome{}, err
	}
	found := state.Phase
	switch {
	case state.Phase == Held:
		state = enter(state, state.Resume, r.Clock.Now())
	case state.Phase == Unproven:
		state = enter(state, Revert, r.Clock.Now())
	default:
		state = enter(state, state.Phase, r.Clock.Now())
	}
	state.Resume, r.resumed = "", current.ID
	r.tell(state.Phase, Info, "run %s was left in phase %s with %s at %s; going on with %s", current.ID, found, route.Object, route.Split, state.Phase)
	return r.begin(ctx, route, state)
}

// begin takes the lease with an epoch above every stamp, stamps the route
// and the workloads, and drives the run.
func (r *Runner) begin(ctx context.Context, route traffic.Route, state State) (Outcome, error) {
	if err := r.prepare(); err != nil {
		return Outcome{}, err
	}
	workloads, floor, err := r.stamps(ctx, route)
	if err != nil {
		return Outcome{}, err
	}
	run, err := r.run(state)
	if err != nil {
		return Outcome{}, err
	}
	tenure, err := r.Journal.Acquire(ctx, journal.AcquireOptions{Holder: r.Holder, Floor: floor, TakeOver: r.force}, run)
	if held := (*journal.HeldError)(nil); errors.As(err, &held) {
		return r.beside(ctx, held, state)
	}
	if err != nil {
		return Outcome{}, err
	}
	r.tenure = tenure
	err = tenure.Save(ctx, state, string(state.Phase))
	if err == nil {
		err = r.takeOver(ctx, workloads)
	}
	if err != nil {
		return Outcome{}, errors.Join(err, r.neverBegan(ctx, state, err))
	}
	direction, byHand := state.From+"→"+state.To, "by hand this is undone with"
	if state.Phase.Reverse() {
		direction, byHand = state.To+"→"+state.From, "by hand this is"
	}
	r.tell(state.Phase, Info, "run %s, epoch %d, %s; %s: %s", tenure.Run().ID, tenure.Fence().Epoch, direction, byHand, r.Router.Undo(state.From))
	return r.drive(ctx, state)
}

// neverBegan closes a run that could not stamp what it would write to. A new
// one ends here, or it would stand in the way of the next; one that is
// continued stays as it is, for resume.
func (r *Runner) neverBegan(ctx context.Context, state State, reason error) error {
	persist, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistTimeout)
	defer cancel()
	if r.resumed != "" {
		return r.tenure.Release(persist)
	}
	state.Reason = reason.Error()
	state = enter(state, Blocked, r.Clock.Now())
	if err := r.tenure.Save(persist, state, string(state.Phase)); err != nil {
		return errors.Join(err, r.tenure.Release(persist))
	}
	return r.tenure.Finish(persist, string(state.Phase))
}

// prepare derives the policy and the rules from the release.
func (r *Runner) prepare() error {
	r.policy = PolicyOf(r.Release)
	rules, err := gate.Rules(r.Release.Spec.Gates, r.Release.Spec.Databases, func(query measure.Query) bool {
		return measure.Answerable(r.Sources, query)
	})
	r.rules = rules
	return err
}

// run is the record that a new run begins with, or the id alone that tells
// the journal which run is continued. The state is in it from the first write,
// so that a kill right after that leaves a run which can be continued.
func (r *Runner) run(state State) (journal.Run, error) {
	if r.resumed != "" {
		return journal.Run{ID: r.resumed}, nil
	}
	text, err := json.Marshal(state)
	if err != nil {
		return journal.Run{}, fmt.Errorf("record state of the run: %w", err)
	}
	return journal.Run{
		ID:      journal.NewRunID(r.Clock.Now(), rand.String(5)),
		Release: r.Release.Metadata.Name, Namespace: r.Release.Metadata.Namespace,
		Started: state.Started, From: state.From, To: state.To,
		Phase: string(state.Phase), State: text, Document: r.Document,
	}, nil
}

// beside answers a lease that somebody else holds: a shift is refused, a
// rollback asks the holder to stop.
func (r *Runner) beside(ctx context.Context, held *journal.HeldError, state State) (Outcome, error) {
	if !state.Requested {
		return Outcome{Code: CodeBlocked, Message: held.Error(), Next: "kubectl bluegreen status -w"}, nil
	}
	reason := "rollback requested by " + r.Holder
	if err := r.RequestStop(ctx, reason); err != nil {
		return Outcome{}, err
	}
	r.tell(Revert, Info, "%s drives run %s; it was asked to roll back, waiting for it", held.Holder, held.Run)
	return r.await(ctx, held.Run)
}

// stamps reads the fence of the route and of every workload of both colours
// and returns the highest epoch among them.
func (r *Runner) stamps(ctx context.Context, route traffic.Route) ([]release.Workload, int64, error) {
	floor := route.Fence.Epoch
	var found []release.Workload
	for _, name := range r.Release.Spec.ColorNames() {
		for _, reference := range r.Release.Spec.Colors[name].Workloads {
			workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, reference)
			if apierrors.IsNotFound(err) {
				continue // a target that its manifests will create
			}
			if err != nil {
				return nil, 0, err
			}
			fence, err := cluster.FenceOf(workload.Object)
			if err != nil {
				return nil, 0, err
			}
			floor = max(floor, fence.Epoch)
			found = append(found, reference)
		}
	}
	return found, floor, nil
}

// takeOver stamps the route first and the workloads after it, so that a
// holder of an older epoch can write none of them any more.
func (r *Runner) takeOver(ctx context.Context, workloads []release.Workload) error {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return err
	}
	patch, err := r.Router.Plan(route, route.Split, r.fence())
	if err != nil {
		return err
	}
	err = r.intend(ctx, "stamp", route.Object, r.fence(), func() error {
		_, err := r.Router.Write(ctx, patch, false)
		return err
	})
	for _, workload := range workloads {
		if err != nil {
			return err
		}
		err = r.intend(ctx, "stamp", workload.String(), r.fence(), func() error {
			return r.Client.Stamp(ctx, r.Release.Metadata.Namespace, workload, r.fence())
		})
	}
	return err
}
