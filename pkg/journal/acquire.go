package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// AcquireOptions say who takes a release and how.
type AcquireOptions struct {
	// Holder names this process; it must be unique, such as
	// alice@laptop/4711 or the name of a pod.
	Holder string
	// Floor is the highest epoch on any object that the run will write to.
	// The new epoch is above it, so that no older holder is let through.
	Floor int64
	// Duration is how long this holder may be silent before others may
	// take over; DefaultLeaseDuration when zero, at least a second.
	Duration time.Duration
	// TakeOver takes the release from a holder that may be alive, without
	// waiting for it to fall silent. The fence makes that safe: the other
	// holder's next write is refused. It is for a rollback that can't wait.
	TakeOver bool
	// Silent is the last sign of life of a holder that the caller has watched
	// for longer than its lease lasts, by its own clock. That holder is not
	// waited out again, and any other, or one that has stirred since, is.
	Silent Heartbeat
	// Waiting, where it is set, is told of a holder that may be alive, before it
	// is waited for.
	Waiting func(Heartbeat)
	// SetAside begins a new record where the current one can't be read,
	// because it is damaged or a newer version of this tool wrote it. That
	// one is kept, as it was found, as the ConfigMap
	// bluegreen-<release>-unreadable-<hash> until somebody deletes it; the
	// new run's first entry, of ActionSetAside, names it and says why. It is
	// for a rollback, which must not depend on a record, for a shift of a person
	// who says so, and for a run that the caller passes whole: what an unreadable
	// record says is not continued. For the same reason a finished run that the
	// cluster refuses an archive of, by a quota or a missing right, is not in the
	// way then, nor is a record that it refuses to keep so: it is given up, and the
	// new run's first entry, of ActionUnarchived or ActionGivenUp, says why.
	SetAside bool
	// Restamp takes a lease whose epoch somebody has made unreadable, where the
	// floor or the record says how far epochs have come: a run writes nothing
	// before its own is on record. It is for a rollback too.
	Restamp bool
}

// Acquire takes the release for a run and begins to renew the lease. With the
// ID of the current run it continues that one: the record in the cluster
// counts, not what the caller passes. With another ID it begins a new run.
//
// It returns a *HeldError when a holder is alive, which takes up to a third of
// the lease's duration to see; a silent holder is waited out for the whole
// duration. A new run while one is unfinished is an *UnfinishedError, and a
// record that can't be read a *RecordError, unless it is to be set aside;
// nothing is written then.
//
// The lease is renewed until the tenure's Release or Finish, also when ctx is
// cancelled, so that a run can be brought to an orderly end.
func (j *Journal) Acquire(ctx context.Context, options AcquireOptions, run Run) (*Tenure, error) {
	if options.Holder == "" || run.ID == "" {
		return nil, errors.New("acquire release: a holder and a run id are needed")
	}
	if options.Duration == 0 {
		options.Duration = DefaultLeaseDuration
	}
	if options.Duration < time.Second {
		return nil, fmt.Errorf("acquire release %s: a lease of %s is shorter than a second", j.release, options.Duration)
	}
	run.Release, run.Namespace, run.Holder = j.release, j.namespace, options.Holder
	lease, err := j.takeLease(ctx, options, run)
	if err != nil {
		return nil, err
	}
	// The times between renewals count from before the record is written.
	taken := j.clock.Now()
	if run.Epoch, err = epochOf(lease); err != nil {
		return nil, err
	}
	object, run, err := j.takeRecord(ctx, options, run)
	if err != nil {
		// Nobody should have to wait for a holder that never began.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), options.Duration)
		defer cancel()
		return nil, errors.Join(err, j.giveUp(ctx, lease))
	}
	return j.begin(ctx, lease, taken, options.Duration, object, run), nil
}

// takeLease claims the lease, unless the record says that the run must not be.
func (j *Journal) takeLease(ctx context.Context, options AcquireOptions, run Run) (*coordinationv1.Lease, error) {
	for {
		lease, err := j.readLease(ctx)
		if err != nil {
			return nil, err
		}
		if holderOf(lease) != "" && !options.TakeOver && !options.Silent.same(beatOf(lease)) {
			if options.Waiting != nil {
				options.Waiting(beatOf(lease))
			}
			if lease, err = j.awaitFree(ctx, lease); err != nil {
				return nil, err
			}
		}
		claimed, err := j.claim(ctx, lease, options, run)
		if err == nil {
			return claimed, nil
		}
		var unfinished *UnfinishedError
		conflict := apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)
		if !conflict && !errors.As(err, &unfinished) {
			return nil, err
		}
		// When the lease has changed since it was read, then somebody else
		// was first: an unfinished run is not interrupted but theirs.
		winner, readErr := j.readLease(ctx)
		if readErr != nil {
			return nil, readErr
		}
		changed := heartbeat(winner) != heartbeat(lease)
		switch {
		case changed && holderOf(winner) != "" && !options.TakeOver:
			return nil, j.held(winner)
		case !changed && !conflict:
			return nil, err
		}
	}
}

// claim writes a lease with an epoch above every one that is known. What the
// record would refuse is refused before that.
func (j *Journal) claim(ctx context.Context, lease *coordinationv1.Lease, options AcquireOptions, run Run) (*coordinationv1.Lease, error) {
	object, current, err := j.readCurrent(ctx)
	if err != nil && !options.setsAside(err) {
		return nil, err
	}
	if err := j.mayRun(run, current); err != nil {
		return nil, err
	}
	// The stamp of a record that can be read is its run's epoch.
	newest := max(options.Floor, stampOf(object))
	epoch, err := epochOf(lease)
	if err != nil && (!options.Restamp || newest == 0) {
		return nil, err
	}
	fence := cluster.Fence{Epoch: max(epoch, newest) + 1, Holder: options.Holder}
	claimed, err := j.writeLease(ctx, j.claimed(lease, fence, run.ID, options.Duration))
	if err != nil {
		return nil, fmt.Errorf("write lease %s/%s: %w", j.namespace, j.name(), err)
	}
	return claimed, nil
}

// mayRun refuses a new run while another is unfinished.
func (j *Journal) mayRun(run Run, current *Run) error {
	if current == nil || current.ID == run.ID || !current.Finished.IsZero() {
		return nil
	}
	return &UnfinishedError{Release: j.release, Run: current.ID, Holder: current.Holder, Phase: current.Phase}
}

// The record of a run that has its lease is tried to be written for so long,
// with a pause in between, while the API server does not answer. The lease may
// run out meanwhile: then the record tells whether somebody else took it.
const (
	recordPatience = time.Minute
	recordPause    = 250 * time.Millisecond
	// overtakenOften is how many attempts somebody else may overtake: each is
	// a write of theirs, and a former holder has few left.
	overtakenOften = 50
)

// errOvertaken is a record that was written by somebody else since it was read.
var errOvertaken = errors.New("the record has changed since it was read")

// takeRecord writes the run under its new epoch, again after an attempt that
// somebody else overtook, or that the API server did not answer.
func (j *Journal) takeRecord(ctx context.Context, options AcquireOptions, run Run) (*corev1.ConfigMap, Run, error) {
	until := j.clock.Now().Add(recordPatience)
	for attempt := 1; ; attempt++ {
		object, taken, err := j.tryRecord(ctx, options, run)
		switch {
		case err == nil:
			return object, taken, nil
		case errors.Is(err, errOvertaken) && attempt < overtakenOften:
		case !cluster.Transient(err), j.clock.Now().After(until):
			return nil, run, err
		case j.wait(ctx, recordPause) != nil:
			return nil, run, err
		}
	}
}

// tryRecord writes the run once. The record is read again for every attempt: a
// former holder may have written until this very moment, and what it wrote last
// is what is continued; and an earlier attempt of ours may have got through
// without our hearing of it.
func (j *Journal) tryRecord(ctx context.Context, options AcquireOptions, run Run) (*corev1.ConfigMap, Run, error) {
	object, current, err := j.readCurrent(ctx)
	if err == nil && current != nil && current.ID == run.ID && current.Epoch == run.Epoch && current.Holder == run.Holder {
		return object, *current, nil
	}
	next := run
	if options.setsAside(err) {
		object, next, err = j.setAside(ctx, options, object, run, err)
	}
	if err != nil {
		return nil, run, err
	}
	taken, err := j.continued(ctx, options, next, current)
	if err != nil {
		return nil, run, err
	}
	if current != nil && current.ID != taken.ID {
		object = emptied(object)
	}
	written, err := j.writeCurrent(ctx, object, taken)
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return nil, run, errOvertaken
	case err != nil:
		return nil, run, fmt.Errorf("write configmap %s/%s: %w", j.namespace, j.name(), err)
	}
	return written, taken, nil
}

// continued is the run to write: the current one under a new epoch, or a new
// one once the current one is safe in the archive.
func (j *Journal) continued(ctx context.Context, options AcquireOptions, run Run, current *Run) (Run, error) {
	if current != nil && current.Epoch >= run.Epoch {
		return run, fmt.Errorf("take release %s at epoch %d: its record has epoch %d of %s: %w", j.release, run.Epoch, current.Epoch, current.Holder, ErrLost)
	}
	if current != nil && current.ID == run.ID {
		if !current.Finished.IsZero() {
			return run, fmt.Errorf("continue run %s of release %s: %w with %s", run.ID, j.release, ErrEnded, current.Outcome)
		}
		current.Epoch, current.Holder = run.Epoch, run.Holder
		return *current, nil
	}
	if err := j.mayRun(run, current); err != nil {
		return run, err
	}
	if current != nil {
		err := j.archive(ctx, *current)
		switch {
		case err != nil && options.goesWithout(err):
			run.Entries = append(slices.Clone(run.Entries), unarchived(*current, err))
		case err != nil:
			return run, err
		}
	}
	if run.Started.IsZero() {
		run.Started = j.clock.Now()
	}
	// The caller's entries, if any, are numbered like all others.
	entries := run.Entries
	run.Entries, run.LastSequence = nil, 0
	run, err := j.extended(run, entries)
	if err != nil {
		return run, err
	}
	return fit(run, recordLimit)
}

// writeCurrent creates or replaces the current run's ConfigMap, by
// compare-and-swap.
func (j *Journal) writeCurrent(ctx context.Context, read *corev1.ConfigMap, run Run) (*corev1.ConfigMap, error) {
	object, err := j.encodeCurrent(read, run)
	if err != nil {
		return nil, err
	}
	objects := j.client.CoreV1().ConfigMaps(j.namespace)
	if object.ResourceVersion == "" {
		return objects.Create(ctx, object, metav1.CreateOptions{FieldManager: cluster.FieldManager})
	}
	return objects.Update(ctx, object, metav1.UpdateOptions{FieldManager: cluster.FieldManager})
}
