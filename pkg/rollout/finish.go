package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// FinishRequest asks to decommission the idle side.
type FinishRequest struct {
	// Delete deletes its objects too, once it has no pod left.
	Delete bool
	// SignOffs are, by what can't be known, the reasons to end the side all
	// the same.
	SignOffs map[string]string
	// DryRun reads everything and writes nothing.
	DryRun bool
}

// Finish decommissions the idle side: once nothing remains on it, it is scaled
// to zero, and its objects are deleted where that is asked for. It is a run of
// its own under the lease, so that nobody moves traffic meanwhile; one that was
// cut off is gone on with from its beginning, for what was true then need not
// be now. To finish what is finished is no error and does nothing.
//
// The way back stays what it was: the run's From and To are those of the last
// move, and a rollback after it is told that it takes a shift.
func (r *Runner) Finish(ctx context.Context, request FinishRequest) (Outcome, error) {
	return r.anew(ctx, func() (Outcome, error) { return r.finish(ctx, request) })
}

func (r *Runner) finish(ctx context.Context, request FinishRequest) (Outcome, error) {
	route, state, refusal, err := r.admitFinish(ctx, request)
	if err != nil || refusal != nil {
		return value(refusal), err
	}
	if request.DryRun {
		return r.rehearse(ctx, state)
	}
	outcome, err := r.begin(ctx, route, state)
	if errors.Is(err, journal.ErrEnded) {
		return Outcome{Code: CodeBlocked, Message: fmt.Sprintf("run %s has ended meanwhile", r.resumed), Next: state.Finish.next()}, nil
	}
	return outcome, err
}

// admitFinish reads what a finish begins with, and refuses the one that must
// not or need not begin.
func (r *Runner) admitFinish(ctx context.Context, request FinishRequest) (traffic.Route, State, *Outcome, error) {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return route, State{}, nil, err
	}
	cutOff, refusal, err := r.cutOff(ctx)
	if err != nil || refusal != nil {
		return route, State{}, refusal, err
	}
	finish, refusal := r.idleSide(route, request)
	if refusal != nil {
		return route, State{}, refusal, nil
	}
	if refusal, err = r.keptByAnother(ctx, finish); err != nil || refusal != nil {
		return route, State{}, refusal, err
	}
	if finish.SignOffs, err = r.signOffs(request.SignOffs); err != nil {
		return route, State{}, nil, err
	}
	if cutOff != nil {
		finish.SignOffs = append(finish.SignOffs, cutOff.Finish.SignOffs...) // what is given now comes first
	}
	if finish.Objects, err = r.belongings(ctx, finish); err != nil {
		return route, State{}, nil, err
	}
	if cutOff != nil {
		finish.remember(cutOff.Finish)
	}
	state := r.finishing(ctx, route, finish, cutOff)
	refusal, err = r.needsFinish(ctx, finish, cutOff != nil)
	if err == nil && refusal == nil && !request.DryRun {
		refusal, err = r.mayDelete(ctx, finish)
	}
	return route, state, refusal, err
}

// mayDelete refuses to begin where the API server would refuse a deletion later,
// once the side has no pod left.
func (r *Runner) mayDelete(ctx context.Context, finish Finish) (*Outcome, error) {
	var rights []authorizationv1.ResourceAttributes
	for _, belonging := range finish.Objects {
		if belonging.Fate == Deleted {
			rights = append(rights, belonging.deletion().Right(r.Release.Metadata.Namespace))
		}
	}
	if len(rights) == 0 {
		return nil, nil
	}
	answers, err := r.Client.Allowed(ctx, rights)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, answer := range answers {
		if !answer.Allowed {
			missing = append(missing, "delete "+cluster.ResourceOf(answer.ResourceAttributes))
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	return &Outcome{Code: CodeBlocked, Message: fmt.Sprintf("%s is not decommissioned: the right to %s is missing", finish.Idle, strings.Join(missing, ", ")),
		Next: "kubectl bluegreen generate rbac --delete"}, nil
}

// cutOff is the finish that was begun and has not ended, nil when there is none.
// Any other run that has not ended refuses a finish.
func (r *Runner) cutOff(ctx context.Context) (*State, *Outcome, error) {
	current, err := r.current(ctx)
	if err != nil || current == nil {
		return nil, nil, err
	}
	state := State{}
	if err := json.Unmarshal(current.State, &state); err != nil {
		return nil, nil, fmt.Errorf("read state of run %s: %w", current.ID, err)
	}
	if !state.finishes() {
		refusal, err := r.unfinished(ctx)
		return nil, refusal, err
	}
	if r.resumed != current.ID {
		r.continues(*current)
	}
	return &state, nil, nil
}

// idleSide says which side is idle, or why none is.
func (r *Runner) idleSide(route traffic.Route, request FinishRequest) (Finish, *Outcome) {
	live := route.Split.Sole()
	switch {
	case live == "":
		return Finish{}, &Outcome{Code: CodeBlocked,
			Message: fmt.Sprintf("no side is idle: %s is split %s", route.Object, route.Shares()), Next: "kubectl bluegreen status"}
	case route.Preview != nil:
		return Finish{}, &Outcome{Code: CodeBlocked,
			Message: fmt.Sprintf("%s still leads %s", route.Object, *route.Preview), Next: "kubectl bluegreen rollback"}
	case r.Router.Capabilities().KeepsBothSides:
		return Finish{}, &Outcome{Code: CodeBlocked,
			Message: fmt.Sprintf("%s still holds the Service of %s: %s", route.Object, r.Release.Spec.Other(live), keepsBothSides), Next: "kubectl bluegreen status"}
	case StopFor(route, r.resumed) != "":
		return Finish{}, &Outcome{Code: CodeBlocked,
			Message: fmt.Sprintf("%s carries an emergency stop: %s", route.Object, StopFor(route, r.resumed)),
			Next:    fmt.Sprintf("kubectl -n %s annotate %s %s-", route.Namespace, strings.Join(route.Objects(), " "), cluster.AnnotationStop)}
	}
	return Finish{Idle: r.Release.Spec.Other(live), Live: live, Delete: request.Delete}, nil
}

// signOffs are the reasons under the name of who gives them.
func (r *Runner) signOffs(reasons map[string]string) ([]SignOff, error) {
	known := []string{remainsRequests, remainsConnections}
	for _, database := range r.Release.Spec.Databases {
		known = append(known, remainsSessions+"/"+database.Name)
	}
	if len(r.Release.Spec.Databases) == 0 {
		known = append(known, remainsSessions)
	}
	var given []SignOff
	for _, what := range known {
		if reason, found := reasons[what]; found {
			given = append(given, SignOff{What: what, Reason: reason, By: r.Holder, At: r.Clock.Now()})
		}
	}
	for what := range reasons {
		if !slices.Contains(known, what) {
			return nil, release.WithHint(fmt.Errorf("sign off %q: finish asks for no such thing", what), "one of: "+strings.Join(known, ", "))
		}
	}
	return given, nil
}

// finishing is the state in which a finish begins, or begins again. Its From is
// where a rollback would lead: the live side where that is no way, as after a
// rollback, whose bad side it then is that is decommissioned.
func (r *Runner) finishing(ctx context.Context, route traffic.Route, finish Finish, cutOff *State) State {
	now := r.Clock.Now()
	state := State{Phase: Quiet, From: finish.Live, To: finish.Idle, Started: now, Entered: now, Finish: &finish}
	if cutOff != nil {
		state.From, state.To, state.Started = cutOff.From, cutOff.To, cutOff.Started
		return state
	}
	if back, err := r.wayBack(ctx, route, nil); err == nil && back.From == finish.Idle {
		state.From, state.To = finish.Idle, finish.Live
	}
	return state
}

// needsFinish refuses to end the only side that could answer, and to do again
// what is done. A finish that was cut off has its run to end still.
func (r *Runner) needsFinish(ctx context.Context, finish Finish, begun bool) (*Outcome, error) {
	left, err := r.remaining(ctx, finish.Idle)
	if err != nil {
		return nil, err
	}
	if left == 0 && finish.changes() == "" && !begun {
		outcome := &Outcome{Code: CodeDone, Message: fmt.Sprintf("already: %s is decommissioned, %s serves production", finish.Idle, finish.Live)}
		outcome.Status = r.finishStatus(finish, outcome.Message)
		return outcome, nil
	}
	ready, err := r.Router.Receivers(ctx, finish.Live)
	if err != nil {
		return nil, err
	}
	if ready == 0 {
		return &Outcome{Code: CodeBlocked,
			Message: fmt.Sprintf("no pod of %s is ready, which has everything: %s is the only way out", finish.Live, finish.Idle),
			Next:    "kubectl bluegreen rollback"}, nil
	}
	return nil, nil
}

// rehearse reads what a finish would, until it knows, and writes nothing.
func (r *Runner) rehearse(ctx context.Context, state State) (Outcome, error) {
	if err := r.prepare(); err != nil {
		return Outcome{}, err
	}
	for state.Phase == Quiet {
		seen := r.quiet(ctx, state)
		if ctx.Err() != nil {
			return Outcome{}, context.Cause(ctx)
		}
		seen.At = r.Clock.Now()
		if next := Step(r.policy, state, seen); next.Phase != Quiet {
			state = next
			break
		}
		r.tellReading(Quiet, seen.Message, nil)
		r.pause(ctx, state)
	}
	outcome := Outcome{Code: CodeDone, Message: fmt.Sprintf("%s may be decommissioned", state.Finish.Idle), Next: state.Finish.next()}
	if state.Phase == Blocked {
		outcome = finishOutcome(state)
	}
	if kept := state.Finish.keeping(); len(kept) > 0 {
		outcome.Message = fmt.Sprintf("%s would stay, for its %s", state.Finish.Idle, names(kept))
	}
	outcome.Status = r.finishStatus(*state.Finish, outcome.Message)
	return outcome, nil
}

// names are what remainders are about.
func names(remains []Remainder) string {
	var all []string
	for _, remainder := range remains {
		all = append(all, remainder.What)
	}
	return strings.Join(all, ", ")
}

// finishStatus is what is printed where no run was begun.
func (r *Runner) finishStatus(finish Finish, message string) *RunStatus {
	return &RunStatus{
		TypeMeta: metav1.TypeMeta{APIVersion: release.APIVersion, Kind: "RunStatus"},
		Release:  r.Release.Metadata.Name, Namespace: r.Release.Metadata.Namespace, Reason: message, Finish: &finish,
	}
}

// tellFinish says what a finish is about to do, object by object.
func (r *Runner) tellFinish(finish Finish) {
	for _, belonging := range finish.Objects {
		r.tell(Quiet, Info, "%s %s", belonging.Object, belonging.Change())
		if belonging.Fate == ScaledToZero {
			r.tell(Quiet, Info, "by hand this is undone with: kubectl -n %s scale %s --replicas=%d", r.Release.Metadata.Namespace, belonging.Object, belonging.Replicas)
		}
	}
}
