package rollout

import (
	"context"
	"fmt"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// handOver leaves an interrupted run in the phase in which it stands and gives
// the lease up, so that who is there to go on with it need not wait. What is
// journalled is only that: the state is in the record since the phase began.
func (r *Runner) handOver(ctx context.Context, state State, seen Observation) (Outcome, error) {
	persist, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistTimeout)
	defer cancel()
	note := journal.Entry{Time: seen.At, Kind: journal.Note, Action: "hand over", Message: seen.Message}
	if err := r.tenure.Record(persist, note); err != nil {
		r.tell(state.Phase, Warning, "that the run is handed over can't be written: %v", err)
	}
	outcome := Outcome{
		Code: CodeHeld, HandedOver: true, Next: "kubectl bluegreen status -w", Status: statusOf(r.tenure.Run(), state),
		Message: fmt.Sprintf("left in phase %s for others to go on with: %s", state.Phase, seen.Message),
	}
	if err := r.tenure.Release(persist); err != nil {
		// Others wait for the lease to run out.
		return outcome, fmt.Errorf("hand over run %s: %w", r.tenure.Run().ID, err)
	}
	return outcome, nil
}

// adrift reports whether a run that this process drove goes on with this
// process: its lease or its record could not be kept, or the process was away.
func (r *Runner) adrift(ctx context.Context, outcome Outcome) bool {
	open := r.tenure != nil && outcome.Status != nil && !outcome.Status.Phase.Terminal()
	return open && (!outcome.HandedOver || ctx.Err() == nil)
}

// letGo gives up what is left of a lease and forgets the run, so that it can
// be taken up again like another process's.
func (r *Runner) letGo(ctx context.Context) {
	if r.tenure != nil {
		persist, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistTimeout)
		defer cancel()
		if err := r.tenure.Release(persist); err != nil {
			r.tell(r.announced, Warning, "the lease can't be given up: %v", err)
		}
	}
	r.tenure, r.resumed, r.read, r.wakeful, r.tape = nil, "", journal.Run{}, wakeful{}, tape{}
}
