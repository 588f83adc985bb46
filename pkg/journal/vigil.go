package journal

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// vigilEvery is the time between two renewals of a guard's lease, and a third
// of how long it lasts.
const vigilEvery = DefaultLeaseDuration / 3

// Vigil is a guard's sign of life: the Lease bluegreen-<release>-guard. It
// fences nothing; it says that somebody is there to take over.
type Vigil struct {
	// Holder is the guard, "" when there is none; Run the run that it guards.
	Holder string
	Run    string
}

// Vigil reads the guard's lease once.
func (j *Journal) Vigil(ctx context.Context) (Vigil, error) {
	lease, err := j.client.CoordinationV1().Leases(j.namespace).Get(ctx, j.vigilName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Vigil{}, nil
	}
	if err != nil {
		return Vigil{}, fmt.Errorf("read lease %s/%s: %w", j.namespace, j.vigilName(), err)
	}
	return Vigil{Holder: holderOf(lease), Run: lease.Annotations[labelRun]}, nil
}

// VigilName is what the lease of a release's guard is called.
func VigilName(release string) string { return Name(release) + "-guard" }

func (j *Journal) vigilName() string { return VigilName(j.release) }

// KeepVigil says that holder guards a run, and goes on to say so until stop is
// called, which takes it back. Who guarded before is gone, or guards the same
// release with it: nobody is waited for.
//
// The lease of a release that is called like this one's guard is left alone,
// which is an error.
func (j *Journal) KeepVigil(ctx context.Context, holder, run string) (stop func(), err error) {
	if err := j.renewVigil(ctx, holder, run); err != nil {
		return nil, err
	}
	renewing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for j.wait(renewing, vigilEvery) == nil {
			// One that fails is made up for by the next; the guard itself
			// does not depend on it.
			_ = j.renewVigil(renewing, holder, run)
		}
	}()
	return func() {
		cancel()
		<-ended
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), vigilEvery)
		defer cancel()
		_ = j.renewVigil(last, "", run)
	}, nil
}

// renewVigil writes the guard's lease.
func (j *Journal) renewVigil(ctx context.Context, holder, run string) error {
	leases := j.client.CoordinationV1().Leases(j.namespace)
	lease, err := leases.Get(ctx, j.vigilName(), metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	switch {
	case missing:
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: j.vigilName(), Namespace: j.namespace}}
	case err != nil:
		return fmt.Errorf("read lease %s/%s: %w", j.namespace, j.vigilName(), err)
	case lease.Labels[cluster.LabelRelease] != "":
		return fmt.Errorf("guard release %s: lease %s/%s is that of release %s", j.release, j.namespace, j.vigilName(), lease.Labels[cluster.LabelRelease])
	}
	now := metav1.NewMicroTime(j.clock.Now())
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, labelRun, run)
	lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds = &now, ptr.To(int32(3*vigilEvery/time.Second))
	lease.Spec.HolderIdentity = nil
	if holder != "" {
		lease.Spec.HolderIdentity = &holder
	}
	if missing {
		_, err = leases.Create(ctx, lease, metav1.CreateOptions{FieldManager: cluster.FieldManager})
	} else {
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{FieldManager: cluster.FieldManager})
	}
	if err != nil {
		return fmt.Errorf("write lease %s/%s: %w", j.namespace, j.vigilName(), err)
	}
	return nil
}
