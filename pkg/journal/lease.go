package journal

import (
	"context"
	"fmt"
	"strconv"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// DefaultLeaseDuration is how long a holder may be silent. It is the default
// of Kubernetes' own leader election.
const DefaultLeaseDuration = 15 * time.Second

// readLease returns the lease; an empty one when there is none.
func (j *Journal) readLease(ctx context.Context) (*coordinationv1.Lease, error) {
	lease, err := j.client.CoordinationV1().Leases(j.namespace).Get(ctx, j.name(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &coordinationv1.Lease{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read lease %s/%s: %w", j.namespace, j.name(), err)
	}
	return lease, nil
}

// writeLease creates the lease or replaces the one that was read; a conflict
// says that somebody else was first.
func (j *Journal) writeLease(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	leases := j.client.CoordinationV1().Leases(j.namespace)
	if lease.ResourceVersion == "" {
		return leases.Create(ctx, lease, metav1.CreateOptions{FieldManager: cluster.FieldManager})
	}
	return leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: cluster.FieldManager})
}

// claimed is a lease as a new holder writes it.
func (j *Journal) claimed(read *coordinationv1.Lease, fence cluster.Fence, run string, duration time.Duration) *coordinationv1.Lease {
	lease, now := read.DeepCopy(), metav1.NewMicroTime(j.clock.Now())
	lease.Name, lease.Namespace = j.name(), j.namespace
	metav1.SetMetaDataLabel(&lease.ObjectMeta, cluster.LabelRelease, j.release)
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, cluster.AnnotationEpoch, strconv.FormatInt(fence.Epoch, 10))
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, labelRun, run)
	lease.Spec = coordinationv1.LeaseSpec{
		HolderIdentity:       ptr.To(fence.Holder),
		LeaseDurationSeconds: ptr.To(int32((duration + time.Second - 1) / time.Second)),
		AcquireTime:          &now,
		RenewTime:            &now,
		LeaseTransitions:     ptr.To(ptr.Deref(read.Spec.LeaseTransitions, 0) + 1),
	}
	return lease
}

// holderOf is who holds a lease, "" when nobody does.
func holderOf(lease *coordinationv1.Lease) string { return ptr.Deref(lease.Spec.HolderIdentity, "") }

// epochOf is the epoch on a lease.
func epochOf(lease *coordinationv1.Lease) (int64, error) {
	fence, err := cluster.FenceOf(lease)
	return fence.Epoch, err
}

// heartbeat is what changes about a lease when its holder is alive.
func heartbeat(lease *coordinationv1.Lease) string {
	renewed := ""
	if lease.Spec.RenewTime != nil {
		renewed = lease.Spec.RenewTime.UTC().Format(time.RFC3339Nano)
	}
	return holderOf(lease) + " " + renewed + " " + lease.Annotations[cluster.AnnotationEpoch]
}

// held is the error that names a lease's holder.
func (j *Journal) held(lease *coordinationv1.Lease) *HeldError {
	err := &HeldError{Release: j.release, Holder: holderOf(lease), Run: lease.Annotations[labelRun]}
	if lease.Spec.AcquireTime != nil {
		err.Since = lease.Spec.AcquireTime.Time
	}
	if lease.Spec.RenewTime != nil {
		err.Renewed = lease.Spec.RenewTime.Time
	}
	return err
}

// awaitFree watches a lease that somebody holds until it changes, which says
// that the holder is alive, or until it has not changed for its whole
// duration, by our own clock, which says that it is not. The times in the
// lease are those of another machine's clock and are not looked at.
func (j *Journal) awaitFree(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	duration := time.Duration(ptr.Deref(lease.Spec.LeaseDurationSeconds, int32(DefaultLeaseDuration/time.Second))) * time.Second
	seen, since := heartbeat(lease), j.clock.Now()
	for holderOf(lease) != "" {
		if j.clock.Since(since) >= duration {
			return lease, nil
		}
		if err := j.wait(ctx, max(duration/30, 100*time.Millisecond)); err != nil {
			return nil, fmt.Errorf("watch lease %s/%s: %w", j.namespace, j.name(), err)
		}
		next, err := j.readLease(ctx)
		if err != nil {
			return nil, err
		}
		if holderOf(next) != "" && heartbeat(next) != seen {
			return nil, j.held(next)
		}
		lease = next
	}
	return lease, nil
}

// wait lets a time pass on the journal's clock.
func (j *Journal) wait(ctx context.Context, duration time.Duration) error {
	timer := j.clock.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C():
		return nil
	}
}
