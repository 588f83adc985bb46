package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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
	workloads, read, err := r.stamps(ctx, route)
	switch {
	case err != nil && goesBack(state) && ctx.Err() == nil:
		r.tell(state.Phase, Warning, "going back without a stamp: %s", oneLine(err))
	case err != nil:
		return Outcome{}, err
	}
	if err := r.disputed(ctx, state, read); err != nil {
		return refused(err)
	}
	run, err := r.run(state)
	if err != nil {
		return Outcome{}, err
	}
	tenure, err := r.Journal.Acquire(ctx, journal.AcquireOptions{
		Holder: r.Holder, Floor: newestOf(read), Duration: r.LeaseDuration, TakeOver: r.force || r.takesOver, Silent: r.gone,
		Waiting: func(beat journal.Heartbeat) { r.tellWaiting(state, beat) },
		// A record that can't be read must not keep traffic on a bad version.
		SetAside: state.Phase.Reverse() && r.resumed == "" || r.setsAside,
		Restamp:  goesBack(state),
	}, run)
	if held := (*journal.HeldError)(nil); errors.As(err, &held) {
		return r.beside(ctx, held, state)
	}
	if begun := (*journal.UnfinishedError)(nil); errors.As(err, &begun) && goesBack(state) {
		return Outcome{}, fmt.Errorf("%w: %w", errMeanwhile, err)
	}
	if err != nil {
		return Outcome{}, err
	}
	r.tenure = tenure
	held := tenure.Context(ctx) // who has lost the lease asks no further
	if err := r.takeUp(held, workloads, state); err != nil {
		if left := r.neverBegan(ctx, state, err); left != nil {
			return Outcome{}, errors.Join(err, left)
		}
		return r.refusedLate(ctx, err)
	}
	r.introduce(route, state)
	return r.drive(ctx, state)
}

// takeUp puts the state on record and stamps what the run will write to. A run
// that ends in it, as one that has moved nothing, is stamped before that: how it
// ended is only true where nobody can move the route any more.
func (r *Runner) takeUp(ctx context.Context, workloads []release.Workload, state State) error {
	if err := r.asRead(); err != nil {
		return err
	}
	save := func() error {
		return r.insist(ctx, state.Phase, func(ctx context.Context) error { return r.tenure.Save(ctx, state, string(state.Phase)) })
	}
	if endsUnmoved(state) {
		if err := r.takeOver(ctx, workloads, state); err != nil {
			return err
		}
		if err := r.nothingMoved(ctx, state); err != nil {
			return err
		}
		return save()
	}
	if err := save(); err != nil {
		return err
	}
	if err := r.takeOver(ctx, workloads, state); err != nil || goesBack(state) {
		return err
	}
	return r.again(ctx, state.Phase, "what was left can't be settled", cluster.Transient, func() error { return r.settle(ctx, state.Phase) })
}

// introduce says what a run that begins is about, and how to do or undo it
// without this tool.
func (r *Runner) introduce(route traffic.Route, state State) {
	direction, byHand := state.From+"→"+state.To, "by hand this is undone with"
	switch {
	case state.finishes():
		r.tell(state.Phase, Info, "run %s, epoch %d, to decommission %s", r.tenure.Run().ID, r.fence().Epoch, state.Finish.Idle)
		r.tellFinish(*state.Finish)
		return
	case state.Phase.Reverse():
		direction, byHand = state.To+"→"+state.From, "by hand this is"
	}
	r.tell(state.Phase, Info, "run %s, epoch %d, %s; %s: %s", r.tenure.Run().ID, r.fence().Epoch, direction, byHand, r.Router.Undo(route, state.From))
}

// prepare derives the policy and the rules from the release.
func (r *Runner) prepare() error {
	r.policy = PolicyOf(r.Release)
	rules, err := gate.Rules(r.Release.Spec.Gates, r.Release.Spec.Databases, func(query measure.Query) bool {
		return measure.Answerable(r.Sources, query)
	})
	r.rules, r.counting = rules, measure.NewCounting(r.Sources)
	return err
}

// run is the record that a new run begins with, or the one that is continued, as
// it was read: the journal goes by what it says itself by then. The state is in
// it from the first write, so that a kill right after that leaves a run which can
// be continued.
func (r *Runner) run(state State) (journal.Run, error) {
	if r.resumed != "" {
		return r.read, nil
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
// and returns them beside the workloads. With an error, which names every
// workload that can't be read, the others are returned still: on the way back
// one of them must not keep traffic where it is, and the route's own stamp is
// what keeps others from moving it.
func (r *Runner) stamps(ctx context.Context, route traffic.Route) ([]release.Workload, []stampRead, error) {
	read := stampsOn(route)
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
			read = append(read, stampRead{reference.String(), fence})
			if !slices.Contains(route.Objects(), reference.String()) { // else it is stamped as a part of the route
				found = append(found, reference)
			}
		}
	}
	return found, read, errors.Join(failures...)
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

// takeOver stamps the route first, the workloads after it, and then what a
// former process was about to write beside them, so that a holder of an older
// epoch can write none of them any more. The run is on record by now, so that an
// API server that does not answer is asked again. On the way back what can't be
// stamped, but the route, is a warning: traffic comes first.
func (r *Runner) takeOver(ctx context.Context, workloads []release.Workload, state State) error {
	err := r.again(ctx, state.Phase, "the route can't be stamped", passes, func() error { return r.stampRoute(ctx, state) })
	switch {
	case errors.Is(err, traffic.ErrNoColor) && goesBack(state):
		// The write that gives it back stamps it, on the version that was read.
		r.tell(state.Phase, Warning, "going back without a stamp on the route: %v", err)
	case err != nil:
		return err
	}
	return r.stampAll(ctx, state, append(r.stampWorkloads(workloads), r.stampLeftOpen(workloads)...))
}

// stamping is one object that a take-over stamps, and the write that does it.
type stamping struct {
	object string // kind/name
	write  func(ctx context.Context) error
	// dispensable: one that can't be stamped keeps nobody from going on.
	dispensable bool
}

// stampsBack bounds how long all stamps but the route's may keep traffic from
// going back: a slow webhook must not use up the time that a rollback has.
const stampsBack = 10 * time.Second

// stampAll carries them out. What the API server does not answer is asked again on
// the way forward. On the way back, and where a run that has moved nothing is only
// ended, all of them are dispensable, and have stampsBack.
func (r *Runner) stampAll(ctx context.Context, state State, stamps []stamping) error {
	onward := !goesBack(state) && !endsUnmoved(state)
	direction, bounded, cancel := "on", ctx, context.CancelFunc(func() {})
	if !onward {
		direction = "back"
		bounded, cancel = context.WithTimeout(ctx, stampsBack)
	}
	defer cancel()
	for _, stamp := range stamps {
		write := func() error {
			return r.intend(bounded, "stamp", stamp.object, r.fence(), func() error { return stamp.write(bounded) })
		}
		var err error
		if onward && !stamp.dispensable {
			err = r.again(ctx, state.Phase, stamp.object+" can't be stamped", cluster.Transient, write)
		} else if err = write(); err != nil && !errors.Is(err, journal.ErrLost) && ctx.Err() == nil {
			r.tell(state.Phase, Warning, "going %s without a stamp on %s: %v", direction, stamp.object, cluster.Explain(err))
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stampWorkloads are the stamps of both colours' workloads.
func (r *Runner) stampWorkloads(workloads []release.Workload) []stamping {
	stamps := make([]stamping, 0, len(workloads))
	for _, workload := range workloads {
		stamps = append(stamps, stamping{object: workload.String(), write: func(ctx context.Context) error {
			return r.Client.Stamp(ctx, r.Release.Metadata.Namespace, workload, r.fence())
		}})
	}
	return stamps
}

// stampLeftOpen are the stamps of what a former process has left an intent about:
// what it sent may still be on its way. Those are autoscalers, whose floor keeps
// nobody from going on, and the objects that it was about to apply. Workloads that
// are stamped anyway are not among them.
func (r *Runner) stampLeftOpen(stamped []release.Workload) []stamping {
	var stamps []stamping
	for _, intent := range journal.Open(r.tenure.Run().Entries) {
		if name, is := strings.CutPrefix(intent.Object, autoscalerObject); is {
			stamps = append(stamps, stamping{object: intent.Object, dispensable: true, write: func(ctx context.Context) error {
				return r.Client.StampAutoscaler(ctx, r.Release.Metadata.Namespace, name, r.fence())
			}})
		}
		if intent.Action == "apply" {
			stamps = append(stamps, r.stampApplied(intent, stamped)...)
		}
	}
	return stamps
}

// passes reports whether a write to the route may succeed when the route is
// read again: the API server did not answer, or somebody wrote in between.
func passes(err error) bool {
	return cluster.Transient(err) || errors.Is(err, cluster.ErrFenced) && !errors.Is(err, journal.ErrLost)
}

// stampRoute stamps the route as it is now. Another release may have begun to move
// it since this run was let through.
func (r *Runner) stampRoute(ctx context.Context, state State) error {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return err
	}
	if !goesBack(state) {
		if err := r.inOtherHands(ctx, stampsOn(route)); err != nil {
			return err
		}
	}
	if newest := route.Newest(); newest.Epoch > r.fence().Epoch {
		return fmt.Errorf("stamp %s at epoch %d: it carries epoch %d of %s: %w", route.Object, r.fence().Epoch, newest.Epoch, newest.Holder, journal.ErrLost)
	}
	patch, err := r.Router.Plan(route, route.Split, r.fence())
	if err != nil {
		return err
	}
	return r.intend(ctx, "stamp", route.Object, r.fence(), func() error {
		_, err := r.Router.Write(ctx, patch, false)
		return err
	})
}

// giveUp ends an unfinished run that has moved nothing. There is nothing to
// give back, but without an end it would stand in the way of the next run,
// or, where its process lives, go on to move traffic.
func (r *Runner) giveUp(ctx context.Context, route traffic.Route, state State, request RollbackRequest) (Outcome, error) {
	switch {
	case r.resumed == "" && state.Phase == Blocked:
		return leftBlocked(route, state), nil
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
