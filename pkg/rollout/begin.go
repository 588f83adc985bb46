package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// begin takes the lease with an epoch above every stamp, stamps the route
// and the workloads, and drives the run.
func (r *Runner) begin(ctx context.Context, route traffic.Route, state State) (Outcome, error) {
	if err := r.prepare(); err != nil {
		return Outcome{}, err
	}
	workloads, floor, err := r.stamps(ctx, route)
	switch {
	case err != nil && goesBack(state) && ctx.Err() == nil:
		r.tell(state.Phase, Warning, "going back without a stamp: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	case err != nil:
		return Outcome{}, err
	}
	run, err := r.run(state)
	if err != nil {
		return Outcome{}, err
	}
	tenure, err := r.Journal.Acquire(ctx, journal.AcquireOptions{
		Holder: r.Holder, Floor: floor, Duration: r.LeaseDuration, TakeOver: r.force || r.takesOver, Silent: r.gone,
		// A record that can't be read must not keep traffic on a bad version.
		SetAside: state.Phase.Reverse() && r.resumed == "",
	}, run)
	if held := (*journal.HeldError)(nil); errors.As(err, &held) {
		return r.beside(ctx, held, state)
	}
	if err != nil {
		return Outcome{}, err
	}
	r.tenure = tenure
	err = tenure.Save(ctx, state, string(state.Phase))
	if err == nil {
		err = r.takeOver(ctx, workloads, state)
	}
	if err == nil && !goesBack(state) {
		err = r.settle(ctx, state.Phase)
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
		ID:      cmp.Or(r.runID, journal.NewRunID(r.Clock.Now(), rand.String(5))),
		Release: r.Release.Metadata.Name, Namespace: r.Release.Metadata.Namespace,
		Started: state.Started, From: state.From, To: state.To,
		Phase: string(state.Phase), State: text, Document: r.Document,
	}, nil
}

// stamps reads the fence of the route and of every workload of both colours
// and returns the highest epoch among them. With an error, which names every
// workload that can't be read, the others are returned still: on the way back
// one of them must not keep traffic where it is, and the route's own stamp is
// what keeps others from moving it.
func (r *Runner) stamps(ctx context.Context, route traffic.Route) ([]release.Workload, int64, error) {
	floor := route.Fence.Epoch
	var found []release.Workload
	var failures []error
	for _, name := range r.Release.Spec.ColorNames() {
		for _, reference := range r.Release.Spec.Colors[name].Workloads {
			fence, err := r.stampOf(ctx, reference)
			switch {
			case apierrors.IsNotFound(err):
				continue // a target that its manifests will create
			case err != nil:
				failures = append(failures, err)
				continue
			}
			floor = max(floor, fence.Epoch)
			found = append(found, reference)
		}
	}
	return found, floor, errors.Join(failures...)
}

// stampOf reads the fence of one workload.
func (r *Runner) stampOf(ctx context.Context, reference release.Workload) (cluster.Fence, error) {
	workload, err := r.Client.Workload(ctx, r.Release.Metadata.Namespace, reference)
	if err != nil {
		return cluster.Fence{}, err
	}
	return cluster.FenceOf(workload.Object)
}

// goesBack reports whether a run begins to give traffic back, or to end what
// never moved any.
func goesBack(state State) bool { return state.Requested || state.Phase.Reverse() }

// takeOver stamps the route first and the workloads after it, so that a
// holder of an older epoch can write none of them any more. On the way back a
// workload that can't be stamped is a warning: traffic comes first.
func (r *Runner) takeOver(ctx context.Context, workloads []release.Workload, state State) error {
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
	if err != nil {
		return err
	}
	for _, workload := range workloads {
		err := r.intend(ctx, "stamp", workload.String(), r.fence(), func() error {
			return r.Client.Stamp(ctx, r.Release.Metadata.Namespace, workload, r.fence())
		})
		switch {
		case err != nil && goesBack(state) && !errors.Is(err, journal.ErrLost) && ctx.Err() == nil:
			r.tell(state.Phase, Warning, "going back without a stamp on %s: %v", workload, cluster.Explain(err))
		case err != nil:
			return err
		}
	}
	return nil
}

// giveUp ends an unfinished run that has moved nothing. There is nothing to
// give back, but without an end it would stand in the way of the next run,
// or, where its process lives, go on to move traffic.
func (r *Runner) giveUp(ctx context.Context, route traffic.Route, state State, request RollbackRequest) (Outcome, error) {
	switch {
	case r.resumed == "" && state.Phase == Blocked:
		return Outcome{Code: CodeDone,
			Message: fmt.Sprintf("nothing to roll back: %s serves %s, the last run was blocked before it moved anything to %s (%s)", state.From, route.Object, state.To, state.Reason),
			Next:    "kubectl bluegreen shift --to " + state.To}, nil
	case r.resumed == "":
		return Outcome{Code: CodeDone, Message: fmt.Sprintf("already: %s serves %s", state.From, route.Object)}, nil
	}
	return r.begin(ctx, route, back(state, request.Reason, r.Clock.Now()))
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
