package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// errChanged says that a lease has changed, but is still ours.
var errChanged = errors.New("the lease has changed beside its holder")

// begin makes the tenure and starts to renew its lease.
func (j *Journal) begin(ctx context.Context, lease *coordinationv1.Lease, taken time.Time, duration time.Duration, object *corev1.ConfigMap, run Run) *Tenure {
	base := context.WithoutCancel(ctx)
	lost, lose := context.WithCancelCause(base)
	renewing, stop := context.WithCancel(base)
	tenure := &Tenure{
		journal: j, duration: duration, lost: lost, lose: lose, stop: stop, renewing: make(chan struct{}),
		lease: lease, object: object, run: run,
	}
	go tenure.renewUntil(renewing, taken)
	return tenure
}

// renewUntil renews the lease every third of its duration until it is told to
// stop. A renewal that fails is tried again sooner.
//
// One that fails because the API server does not answer loses nothing, however
// long that lasts: while it answers nobody, nobody can take the lease either;
// and where it answers others, the first renewal that gets through, which is a
// compare-and-swap, tells whether one of them has. A lease that can't be
// renewed for its whole duration for any other reason shows no sign of life any
// more, and the tenure is lost.
func (t *Tenure) renewUntil(ctx context.Context, renewed time.Time) {
	defer close(t.renewing)
	pause := t.duration / 3
	for t.journal.wait(ctx, pause) == nil {
		asked := t.journal.clock.Now()
		err := t.renew(ctx, t.duration/3)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			renewed, pause = asked, t.duration/3
		case context.Cause(t.lost) != nil:
			return
		case errors.Is(err, errChanged):
			// It was read and is ours: a renewal of ours may have got through
			// without our hearing of it.
			renewed, pause = asked, t.duration/15
		case !cluster.Transient(err) && t.duration-asked.Sub(renewed) <= t.duration/15:
			// The last failure is told, not wrapped: the tenure is lost, whatever it was.
			t.lose(fmt.Errorf("renew lease %s/%s: not renewed for %s, last: %s: %w", t.journal.namespace, t.journal.name(), t.duration, err.Error(), ErrLost))
			return
		default:
			pause = t.duration / 15
		}
	}
}

// renew writes the lease once, or finds that somebody else has taken it.
func (t *Tenure) renew(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	lease := t.lease.DeepCopy()
	lease.Spec.RenewTime = ptr.To(metav1.NewMicroTime(t.journal.clock.Now()))
	written, err := t.journal.writeLease(ctx, lease)
	if err == nil {
		t.lease = written
		return nil
	}
	if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
		return err
	}
	current, err := t.journal.readLease(ctx)
	if err != nil {
		return err
	}
	if !sameClaim(current, t.lease) {
		t.lose(fmt.Errorf("renew lease %s/%s: it is held by %q: %w", t.journal.namespace, t.journal.name(), holderOf(current), ErrLost))
		return ErrLost
	}
	// Only something beside the claim has changed; the next attempt, soon,
	// is against what is there now.
	t.lease = current
	return errChanged
}

// sameClaim reports whether two reads of the lease are of one tenure.
func sameClaim(a, b *coordinationv1.Lease) bool {
	return holderOf(a) == holderOf(b) && a.Annotations[cluster.AnnotationEpoch] == b.Annotations[cluster.AnnotationEpoch]
}

// giveUp empties the holder of a lease that is ours, so that the next one need
// not wait; the epoch stays on it.
func (j *Journal) giveUp(ctx context.Context, ours *coordinationv1.Lease) error {
	for lease := ours; ; {
		free := lease.DeepCopy()
		free.Spec.HolderIdentity = nil
		_, err := j.writeLease(ctx, free)
		if err == nil {
			return nil
		}
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return fmt.Errorf("give up lease %s/%s: %w", j.namespace, j.name(), err)
		}
		if lease, err = j.readLease(ctx); err != nil {
			return err
		}
		if !sameClaim(lease, ours) {
			return fmt.Errorf("give up lease %s/%s: it is held by %q: %w", j.namespace, j.name(), holderOf(lease), ErrLost)
		}
	}
}
