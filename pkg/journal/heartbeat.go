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

// Plausible reports whether a lease looks as one that somebody renews, as far as
// two machines' clocks can say that. Nothing is concluded where it does not.
func (h Heartbeat) Plausible(now time.Time) bool {
	return h.Holder != "" && now.Sub(h.Renewed).Abs() <= h.Duration
}

// pulseInterval is the time between two looks at a lease that is watched.
const pulseInterval = 500 * time.Millisecond

// Silent reports whether nobody drives the run that the lease was taken for. A lease
// that nobody has says so at once, and one that looks as if it were renewed is taken
// for that. Any other may be of a holder whose clock differs: it is watched until it
// stirs, or has stood still for its duration by this process's own clock. doubt,
// which may be nil, is told when that begins.
func (j *Journal) Silent(ctx context.Context, doubt func(Heartbeat)) (bool, error) {
	pulse := Pulse{Clock: j.clock.Now}
	for first := true; ; first = false {
		beat, err := j.Heartbeat(ctx)
		still := pulse.Still(beat)
		switch {
		case err != nil:
			return false, err
		case beat.Holder == "":
			return true, nil
		case first && beat.Plausible(j.clock.Now()), !first && still == 0:
			return false, nil
		case first && doubt != nil:
			doubt(beat)
		}
		if still >= beat.Duration {
			return true, nil
		}
		if err := j.wait(ctx, pulseInterval); err != nil {
			return false, err
		}
	}
}

// Pulse tells by this process's own clock whether a holder has fallen silent: the
// times in a lease are another machine's.
type Pulse struct {
	Clock func() time.Time

	last  Heartbeat
	since time.Time
}

// Stopped reports whether the lease has stood still for its duration.
func (p *Pulse) Stopped(beat Heartbeat) bool { return p.Still(beat) >= beat.Duration }

// Still is how long the lease has stood still; 0 when it has just stirred.
func (p *Pulse) Still(beat Heartbeat) time.Duration {
	if p.since.IsZero() || beat != p.last {
		p.last, p.since = beat, p.Clock()
		return 0
	}
	return p.Clock().Sub(p.since)
}

// Forget begins to count anew.
func (p *Pulse) Forget() { p.since = time.Time{} }
