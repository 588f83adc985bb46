package journal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// errOver is returned by a tenure that was given back.
var errOver = errors.New("the release was given back already")

// Tenure is the right to move a release, from Acquire to Release or Finish.
// Its methods may be called from several goroutines.
type Tenure struct {
	journal  *Journal
	duration time.Duration

	// lost ends with the reason when the lease is lost.
	lost context.Context
	lose context.CancelCauseFunc
	// stop ends the renewing; renewing is closed once it has ended.
	stop     context.CancelFunc
	renewing chan struct{}
	lease    *coordinationv1.Lease // the renewing goroutine's until it has ended

	mutex  sync.Mutex
	over   bool // nothing is written any more
	given  bool // the lease was given up
	object *corev1.ConfigMap
	run    Run
}

// Fence is the stamp for every object that the run writes to.
func (t *Tenure) Fence() cluster.Fence {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return cluster.Fence{Epoch: t.run.Epoch, Holder: t.run.Holder}
}

// Run is the run as it was written last.
func (t *Tenure) Run() Run {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	run := t.run
	run.Entries = append([]Entry(nil), run.Entries...)
	return run
}

// Context is cancelled with its parent, and with ErrLost in its cause when the
// lease is lost.
func (t *Tenure) Context(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	release := context.AfterFunc(t.lost, func() { cancel(context.Cause(t.lost)) })
	context.AfterFunc(ctx, func() { release() })
	return ctx
}

// Record appends entries. They are in the cluster when it returns nil.
func (t *Tenure) Record(ctx context.Context, entries ...Entry) error {
	return t.write(ctx, func(*Run) error { return nil }, entries)
}

// Save replaces the runner's state and phase and appends entries, in one
// write: all of it is in the cluster when it returns nil. What a newer version
// of this tool has put into the state, and the type of state has no place for,
// stays in it. After an error that is not ErrLost the same call may be repeated.
func (t *Tenure) Save(ctx context.Context, state any, phase string, entries ...Entry) error {
	return t.write(ctx, func(run *Run) error {
		text, err := carried(run.State, state)
		if err != nil {
			return fmt.Errorf("encode state of run %s: %w", run.ID, err)
		}
		run.State, run.Phase = text, phase
		return nil
	}, entries)
}

// Finish ends the run: it writes the outcome, archives the run and gives up
// the lease. The record stays as the last run. It may be repeated after an
// error; one that is a *LeftoverError says that the outcome is written and
// only something behind it is not done.
func (t *Tenure) Finish(ctx context.Context, outcome string) error {
	if t.Run().Finished.IsZero() {
		err := t.write(ctx, func(run *Run) error {
			run.Finished, run.Outcome = t.journal.clock.Now(), outcome
			return nil
		}, nil)
		if err != nil {
			return err
		}
	}
	// Nobody should have to wait for the lease of a run that has ended, only
	// because the cluster takes no archive of it.
	err := t.journal.archive(ctx, t.Run())
	if err = errors.Join(err, t.Release(ctx)); err != nil {
		return &LeftoverError{Run: t.Run().ID, Err: err}
	}
	// Past runs beyond the limit do no harm, and who may not delete them
	// has finished the run all the same: the next one tries again.
	_ = t.journal.Prune(ctx)
	return nil
}

// Release gives up the lease and keeps the run as it is, for a resume. After
// that the tenure writes nothing any more. It may be repeated after an error.
func (t *Tenure) Release(ctx context.Context) error {
	t.mutex.Lock()
	given := t.given
	t.over = true
	t.mutex.Unlock()
	if given {
		return nil
	}
	t.stop()
	<-t.renewing
	if err := context.Cause(t.lost); err != nil {
		return err
	}
	if err := t.journal.giveUp(ctx, t.lease); err != nil {
		return err
	}
	t.mutex.Lock()
	t.given = true
	t.mutex.Unlock()
	return nil
}

// write changes the run and replaces its record, by compare-and-swap. When it
// fails the tenure keeps the run as it was.
func (t *Tenure) write(ctx context.Context, change func(*Run) error, entries []Entry) error {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.over {
		return fmt.Errorf("write run %s: %w", t.run.ID, errOver)
	}
	next, err := t.journal.extended(t.run, entries)
	if err != nil {
		return err
	}
	if err := change(&next); err != nil {
		return err
	}
	if next, err = fit(next, recordLimit); err != nil {
		return err
	}
	for {
		if err := context.Cause(t.lost); err != nil {
			return fmt.Errorf("write run %s: %w", t.run.ID, err)
		}
		written, err := t.journal.writeCurrent(ctx, t.object, next)
		if err == nil {
			t.object, t.run = written, next
			return nil
		}
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("write run %s: %w", t.run.ID, err)
		}
		found, err := t.reread(ctx)
		if err != nil {
			return err
		}
		if next, err = t.journal.extended(next, found); err != nil {
			return err
		}
		if next, err = fit(next, recordLimit); err != nil {
			return err
		}
	}
}

// reread looks at a record that has changed under us. It is ours still when
// our own write got through without our hearing of it, or when somebody put a
// label on it. One that somebody deleted is created anew from what we know, and one
// that somebody made unreadable is set aside for that, which the entry that is
// returned says, as long as the lease carries our claim: who would take the release
// over has to change that first, and creates a record or finds ours. Otherwise the
// release is lost.
func (t *Tenure) reread(ctx context.Context) ([]Entry, error) {
	object, current, err := t.journal.readCurrent(ctx)
	var unreadable *RecordError
	switch {
	case errors.As(err, &unreadable):
		return t.unread(ctx, object, unreadable)
	case err != nil:
		return nil, err
	case current == nil:
		return nil, t.unfound(ctx, object)
	case current.ID != t.run.ID || current.Epoch != t.run.Epoch || current.Holder != t.run.Holder:
		err := fmt.Errorf("write run %s at epoch %d: its record has epoch %d of %s: %w", t.run.ID, t.run.Epoch, current.Epoch, current.Holder, ErrLost)
		t.lose(err)
		return nil, err
	}
	t.object = object
	return nil, nil
}

// unfound lets a record that was deleted be created anew, where it is ours.
func (t *Tenure) unfound(ctx context.Context, object *corev1.ConfigMap) error {
	ours, err := t.claims(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("write run %s: its record was deleted: %w", t.run.ID, err)
	case !ours:
		err := fmt.Errorf("write run %s: its record was deleted, and the lease is not ours: %w", t.run.ID, ErrLost)
		t.lose(err)
		return err
	}
	t.object = object
	return nil
}

// unread sets aside a record that can't be read any more, where it is ours. What it
// said is known, so a cluster that takes no copy of it keeps nobody from going on.
func (t *Tenure) unread(ctx context.Context, object *corev1.ConfigMap, reason *RecordError) ([]Entry, error) {
	ours, err := t.claims(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("write run %s: %w: %w", t.run.ID, reason, err)
	case !ours || stampOf(object) > t.run.Epoch:
		err := fmt.Errorf("write run %s: %w, and the release is not ours: %w", t.run.ID, reason, ErrLost)
		t.lose(err)
		return nil, err
	}
	entry, err := t.journal.keepAside(ctx, object, reason)
	if err != nil && (cluster.Transient(err) || ctx.Err() != nil) {
		return nil, fmt.Errorf("write run %s: %w", t.run.ID, err)
	}
	t.object = emptied(object)
	return []Entry{entry}, nil
}

// claims reports whether the lease carries our claim.
func (t *Tenure) claims(ctx context.Context) (bool, error) {
	lease, err := t.journal.readLease(ctx)
	if err != nil {
		return false, err
	}
	epoch, err := epochOf(lease)
	return err == nil && epoch == t.run.Epoch && holderOf(lease) == t.run.Holder, nil
}

// extended is a run with entries appended, numbered, dated and each bounded.
func (j *Journal) extended(run Run, entries []Entry) (Run, error) {
	run.Entries = append([]Entry(nil), run.Entries...)
	for _, entry := range entries {
		entry, err := bounded(entry)
		if err != nil {
			return run, err
		}
		run.LastSequence++
		entry.Sequence = run.LastSequence
		if entry.Time.IsZero() {
			entry.Time = j.clock.Now()
		}
		run.Entries = append(run.Entries, entry)
	}
	return run, nil
}
