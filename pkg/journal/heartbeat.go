package journal

import (
	"context"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"
)

// Heartbeat is the last sign of life of a release's holder.
type Heartbeat struct {
	// Holder is who has the lease, "" when nobody does.
	Holder string
	// Run is the run that the lease was taken for last, "" where that is not known.
	Run string
	// Renewed is when, by the holder's clock; Duration is how long it may
	// be silent.
	Renewed  time.Time
	Duration time.Duration
}

// Heartbeat reads the lease once.
func (j *Journal) Heartbeat(ctx context.Context) (Heartbeat, error) {
	lease, err := j.readLease(ctx)
	if err != nil {
		return Heartbeat{}, err
	}
	return beatOf(lease), nil
}

// beatOf is the sign of life that a lease is.
func beatOf(lease *coordinationv1.Lease) Heartbeat {
	seconds := ptr.Deref(lease.Spec.LeaseDurationSeconds, int32(DefaultLeaseDuration/time.Second))
	beat := Heartbeat{Holder: holderOf(lease), Run: lease.Annotations[labelRun], Duration: time.Duration(seconds) * time.Second}
	if lease.Spec.RenewTime != nil {
		beat.Renewed = lease.Spec.RenewTime.Time
	}
	return beat
}

// same reports whether two reads are of one sign of life.
func (h Heartbeat) same(other Heartbeat) bool {
	return h.Holder == other.Holder && h.Renewed.Equal(other.Renewed)
}

// Silent reports whether nobody seems to drive the run. It is for people: it
// compares two machines' clocks and leaves twice the duration for that. What
// takes a lease over, Acquire, watches the lease instead.
func (h Heartbeat) Silent(now time.Time) bool {
	return h.Holder == "" || now.Sub(h.Renewed) > 2*h.Duration
}
