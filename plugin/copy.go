package plugin

import (
	"cmp"
	"context"
	"errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
)

// lastRun returns the run under way, else the newest one of the past, else
// nil. A record that can't be read is a *journal.RecordError beside the newest
// run that can.
func lastRun(ctx context.Context, record *journal.Journal) (*journal.Run, error) {
	current, err := record.Current(ctx)
	var unreadable *journal.RecordError
	if current != nil || err != nil && !errors.As(err, &unreadable) {
		return current, err
	}
	runs, failure := record.List(ctx)
	err = cmp.Or(err, failure)
	if len(runs) == 0 {
		return nil, err
	}
	return &runs[0], err
}

// lastCopy is the run whose document is gone by: the last one, or, where that was
// blocked before it moved anything, the last that was not. What was blocked may have
// been blocked for its document.
func lastCopy(ctx context.Context, record *journal.Journal) (*journal.Run, error) {
	last, err := lastRun(ctx, record)
	if last == nil || err != nil || rollout.Phase(last.Phase) != rollout.Blocked {
		return last, err
	}
	runs, _ := record.List(ctx) // what can't be read has no document that is of use
	for index := range runs {
		if rollout.Phase(runs[index].Phase) != rollout.Blocked && len(runs[index].Document) > 0 {
			return &runs[index], nil
		}
	}
	return last, nil
}
