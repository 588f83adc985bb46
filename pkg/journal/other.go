package journal

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Epochs are counted per release, so the stamp of another release on an object
// that both write to says nothing by its number. Whose it is, its lease tells:
// it carries the same epoch and holder until the run has ended.

// Other names the other release of the namespace whose stamp this is, where that
// run has not ended: its lease is in the hands of the stamp's holder, dead or
// alive. It is nil for a stamp of this release's own run, for none, and where
// nobody holds the lease: a run that was held for a person is in nobody's hands.
func (j *Journal) Other(ctx context.Context, stamp cluster.Fence) (*HeldError, error) {
	if stamp.Epoch == 0 || stamp.Holder == "" || j.own(ctx, stamp) {
		return nil, nil
	}
	leases, err := j.client.CoordinationV1().Leases(j.namespace).List(ctx, metav1.ListOptions{LabelSelector: cluster.LabelRelease})
	if err != nil {
		return nil, fmt.Errorf("list leases of namespace %s: %w", j.namespace, err)
	}
	for i := range leases.Items {
		lease := &leases.Items[i]
		other := New(j.client, j.namespace, lease.Labels[cluster.LabelRelease], j.clock)
		if epoch, err := epochOf(lease); err != nil || epoch != stamp.Epoch || holderOf(lease) != stamp.Holder || other.release == j.release {
			continue
		}
		if ended, err := other.ended(ctx, stamp); err != nil || !ended {
			return other.held(lease), err
		}
	}
	return nil, nil
}

// own reports whether a stamp is that of the last run of this release. What
// can't be read is left to the leases to tell.
func (j *Journal) own(ctx context.Context, stamp cluster.Fence) bool {
	run, err := j.Current(ctx)
	return err == nil && run != nil && run.Epoch == stamp.Epoch && run.Holder == stamp.Holder
}

// ended reports whether the run with a stamp is on record as finished: its lease
// may be left to run out then. One whose record can't be read has not ended.
func (j *Journal) ended(ctx context.Context, stamp cluster.Fence) (bool, error) {
	run, err := j.Current(ctx)
	if unreadable := (*RecordError)(nil); errors.As(err, &unreadable) {
		return false, nil
	}
	return err == nil && run != nil && run.Epoch == stamp.Epoch && !run.Finished.IsZero(), err
}
