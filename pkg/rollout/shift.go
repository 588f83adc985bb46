package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Shift moves production to the requested colour, or to the idle one. To
// shift to the colour that is live already is no error and does nothing.
func (r *Runner) Shift(ctx context.Context, request ShiftRequest) (Outcome, error) {
	route, state, refusal, err := r.admit(ctx, request)
	if err != nil || refusal != nil {
		return value(refusal), err
	}
	r.runID = request.RunID
	return r.begin(ctx, route, state)
}

// MayShift is the outcome that Shift would have without beginning a run, nil
// where it would begin one. It only reads.
func (r *Runner) MayShift(ctx context.Context, request ShiftRequest) (*Outcome, error) {
	route, state, refusal, err := r.admit(ctx, request)
	if err != nil || refusal != nil {
		return refusal, err
	}
	_, read, err := r.stamps(ctx, route)
	if err != nil {
		return nil, err
	}
	if err := r.disputed(ctx, state, read); err != nil {
		outcome, err := refused(err)
		return &outcome, err
	}
	return nil, nil
}

// admit reads what a shift begins with, and refuses the one that must not or
// need not begin.
func (r *Runner) admit(ctx context.Context, request ShiftRequest) (traffic.Route, State, *Outcome, error) {
	route, err := r.Router.Read(ctx)
	if err != nil {
		return route, State{}, nil, err
	}
	live := route.Split.Sole()
	outcome, err := r.unfinished(ctx)
	if unreadable := (*journal.RecordError)(nil); errors.As(err, &unreadable) && request.SetRecordAside {
		r.tell(Preflight, Warning, "%v; it is set aside, and what it says is not gone by", unreadable)
		r.setsAside, err = true, nil
	}
	if err != nil || outcome != nil {
		return route, State{}, outcome, err
	}
	if live == "" {
		return route, State{}, nil, release.WithHint(
			fmt.Errorf("start shift: %s is split %s and no run is recorded", route.Object, route.Shares()), r.wayOut(route))
	}
	if route.Preview != nil {
		return route, State{}, nil, release.WithHint(
			fmt.Errorf("start shift: %s leads %s and no run is recorded", route.Object, *route.Preview), "kubectl bluegreen rollback")
	}
	target, err := r.target(live, request.To)
	switch {
	case err != nil:
		return route, State{}, nil, err
	case target == live:
		return route, State{}, &Outcome{Code: CodeDone, Message: fmt.Sprintf("already: %s serves %s", live, route.Object)}, nil
	case StopFor(route, "") != "":
		return route, State{}, &Outcome{Code: CodeBlocked,
			Message: fmt.Sprintf("%s carries an emergency stop: %s", route.Object, StopFor(route, "")),
			Next:    fmt.Sprintf("kubectl -n %s annotate %s %s-", route.Namespace, strings.Join(route.Objects(), " "), cluster.AnnotationStop)}, nil
	}
	if again, err := r.repeated(ctx, request, route); err != nil || again != nil {
		return route, State{}, again, err
	}
	now := r.Clock.Now()
	return route, State{Phase: Preflight, From: live, To: target, Trigger: request.Trigger, Started: now, Entered: now}, nil, nil
}

// wayOut is what a person does about a split that no run has made. Workers that
// were deployed with replicas by hand come from nowhere: one side is to be ended.
func (r *Runner) wayOut(route traffic.Route) string {
	if !r.scales() || route.Origin != "" {
		return "kubectl bluegreen rollback"
	}
	var lines []string
	for _, color := range r.Release.Spec.ColorNames() {
		lines = append(lines, fmt.Sprintf("%s: %s", color, r.Router.Undo(route, color)))
	}
	return "give all jobs to one side; " + strings.Join(lines, "; ")
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
	outcome := &Outcome{Code: CodeBlocked,
		Message: fmt.Sprintf("run %s of %s is not finished: %s→%s in phase %s", current.ID, current.Holder, status.From, status.To, status.Phase),
		Next:    "kubectl bluegreen resume", Status: status}
	if r.driver(ctx, *current) != "" {
		outcome.Next = "kubectl bluegreen status -w"
	}
	return outcome, nil
}

// driver is who seems to drive a run, "" where nobody does: what the lease looks
// like is enough to say what to type next, and for nothing more.
func (r *Runner) driver(ctx context.Context, run journal.Run) string {
	beat, err := r.Journal.Heartbeat(ctx)
	if err != nil || beat.Run != "" && beat.Run != run.ID || !beat.Plausible(r.Clock.Now()) {
		return ""
	}
	return beat.Holder
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
