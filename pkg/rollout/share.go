package rollout

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// While a route gives each side a part, that some requests arrive says little:
// a rule that shadows the weighted one, a backend port that is not served or a
// cookie that ties clients to the old side leave far less than the weight says.
// So a step is followed once both sides get their parts.

// certainty is how many standard errors a share must be off before that is more
// than the noise of counting: 3.3 is one step in a thousand by chance (normal
// approximation of the binomial, two-sided).
const certainty = 3.3

// leastPart is the part of its weight that a side must get. Half is as in the
// parity of volume (gate rule advance-request-parity): below it requests are
// missing, above it traffic merely varies, and a proxy takes seconds to follow.
const leastPart = 0.5

// leastRequests is the fewest requests that a share is read from: of 50 the noise
// is just narrower than what is looked for at a weight of 50.
const leastRequests = 50

// lostAfter is how long after a write a proxy may still go by what was there
// before: several times what any takes to read its route anew. Requests that are
// missing longer are taken for lost.
const lostAfter = 10 * time.Second

// shares are one look at how requests are shared since a switch.
type shares struct {
	target, old string
	// weight is what the route gives the target, in percent, and weightBefore
	// what it gave before this step.
	weight, weightBefore int
	// onTarget and onOld are requests per second over the same time, and
	// reference those of the old side before anything was moved.
	onTarget, onOld, reference measure.Reading
	over                       time.Duration
	at                         time.Time
	// due is how long requests may take to follow (deadlines.reroute).
	due time.Duration
}

// count is how many requests were seen, by what the readings rest on.
func (s shares) count() float64 {
	if s.onTarget.Samples+s.onOld.Samples > 0 {
		return s.onTarget.Samples + s.onOld.Samples
	}
	return math.Round((rateOf(s.onTarget) + rateOf(s.onOld)) * s.over.Seconds())
}

// follows says whether both sides get their parts, beyond noise.
func (s shares) follows(got, count float64) Following {
	if s.weight == 100 {
		return leaves(1-got, 1-float64(s.weightBefore)/100, count)
	}
	want := float64(s.weight) / 100
	target, old := gets(got, want, count), gets(1-got, 1-want, count)
	switch {
	case target == NotFollowed || old == NotFollowed:
		return NotFollowed
	case target == FollowingUnknown || old == FollowingUnknown:
		return FollowingUnknown
	}
	return Followed
}

// leaves holds the part that the old side still gets, where the target is given
// everything, against the one that it had: it must have lost half of it. Of so few
// requests that chance alone may keep as many away, that is unknown.
func leaves(left, had, count float64) Following {
	most := leastPart * had
	switch {
	case left-noise(most, count) > most:
		return NotFollowed
	case had-left > noise(had, count):
		return Followed
	}
	return FollowingUnknown
}

// gets holds the part that a side gets against the one that its weight says. Of so
// few requests that chance alone may keep all of them away, none is unknown.
func gets(got, want, count float64) Following {
	least, chance := leastPart*want, noise(want, count)
	switch {
	case got >= least:
		return Followed
	case got+chance < least:
		return NotFollowed
	case chance >= least:
		return FollowingUnknown
	}
	return Followed
}

// noise is how far the part that some requests are of all may be off by chance.
func noise(part, count float64) float64 { return certainty * math.Sqrt(part*(1-part)/count) }

// lost reports whether requests that the target should have reach nobody: the
// old side gets its part, the target does not, and all of it is missing against
// what there was. Clients that just stay away are missing on both sides. They
// must have been counted for long enough to tell: a process that has just
// resumed a run has seen a moment alone, whenever the switch was.
func (s shares) lost() bool {
	before, want := rateOf(s.reference), float64(s.weight)/100
	onTarget, onOld := rateOf(s.onTarget), rateOf(s.onOld)
	counted := s.count() >= leastPart*(1-want)*before*lostAfter.Seconds()
	return s.weight < 100 && counted && before*s.over.Seconds() >= leastRequests &&
		onTarget < leastPart*want*before && onOld >= leastPart*(1-want)*before && onTarget+onOld < (1-leastPart*want)*before
}

// share judges one look at a step. It is pure. A step is judged at every look:
// what followed once may be lost again, when clients are tied to a side.
func (d DataPlane) share(seen shares) DataPlane {
	for _, side := range []struct {
		color string
		rate  measure.Reading
	}{{seen.target, seen.onTarget}, {seen.old, seen.onOld}} {
		if side.rate.State == measure.SourceDown {
			return d.unknownShare("the share of %s can't be read: %s", side.color, side.rate.Detail)
		}
	}
	count, sum := seen.count(), rateOf(seen.onTarget)+rateOf(seen.onOld)
	if sum == 0 {
		return d.unknownShare("the share of %s is unknown: no request is seen on either side", seen.target)
	}
	if count < leastRequests {
		return d.unknownShare("the share of %s is unknown: %g requests are too few to tell", seen.target, count)
	}
	got := rateOf(seen.onTarget) / sum
	took := seen.at.Sub(d.Switched).Round(100 * time.Millisecond)
	switch seen.follows(got, count) {
	case Followed:
		if d.Following != Followed {
			d.Arrived = seen.at
			d.Message = fmt.Sprintf("%s gets %.0f %% of %.0f requests %s after the switch, and its weight is %d", seen.target, 100*got, count, took, seen.weight)
		}
		d.Following, d.Overdue, d.Lost = Followed, false, false
		return d
	case FollowingUnknown:
		if d.Following == Followed {
			return d // that by chance none comes for a while takes nothing back
		}
		return d.unknownShare("the share of %s is unknown: %g requests are too few to tell at a weight of %d", seen.target, count, seen.weight)
	}
	d.Following, d.Overdue, d.Lost = NotFollowed, took >= seen.due, took >= lostAfter && seen.lost()
	d.Message = fmt.Sprintf("%s gets %.1f %% of %.0f requests %s after the switch, and its weight is %d: another rule takes them, its port is not served, or clients are tied to a side",
		seen.target, 100*got, count, took.Round(time.Second), seen.weight)
	if d.Lost {
		d.Message = fmt.Sprintf("%s gets %.1f %% of %.0f requests %s after the switch, and its weight is %d; of %.1f requests/s before it %.1f are left: the rest reaches nobody",
			seen.target, 100*got, count, took.Round(time.Second), seen.weight, rateOf(seen.reference), sum)
	}
	return d
}

// unknownShare takes back that requests follow, and not that they don't.
func (d DataPlane) unknownShare(format string, values ...any) DataPlane {
	if d.Following != NotFollowed {
		d.Following, d.Overdue, d.Message = FollowingUnknown, false, fmt.Sprintf(format, values...)
	}
	return d
}

// rateOf is a rate; what nobody counts yet is none.
func rateOf(reading measure.Reading) float64 {
	if reading.State != measure.OK {
		return 0
	}
	return reading.Value
}

// sharing looks at how requests are shared at a step.
func (r *Runner) sharing(ctx context.Context, state State, weight int) DataPlane {
	known := state.DataPlane
	over := r.sinceSwitch(known)
	onTarget, onOld, counted := r.counted(ctx, r.reaching(state.To, over), r.reaching(state.From, over))
	if !counted {
		return known.undeclared()
	}
	seen := shares{target: state.To, old: state.From, weight: weight, onTarget: onTarget, onOld: onOld, reference: state.before(r.serving(state)),
		over: over, at: r.Clock.Now(), due: r.Release.Spec.Traffic.Deadlines.Reroute.Std()}
	// A run may be resumed with a document of fewer steps.
	if state.Step > 0 && state.Step <= len(r.policy.Steps) {
		seen.weightBefore = r.policy.Steps[state.Step-1].Weight
	}
	return known.share(seen)
}

// before is what was read before the switch for a query.
func (s State) before(query measure.Query) measure.Reading {
	for _, reading := range s.Baseline {
		if reading.Query.Signal == query.Signal && reading.Query.Color == query.Color {
			return reading
		}
	}
	return measure.Reading{}
}

// requestsLost is the rule by which a run goes back whose requests reach
// nobody. No reading of the release itself shows them: its pods never see them.
const requestsLost = "rollback-requests-lost"

// sendBack makes a decision of requests that reach nobody.
func (d DataPlane) sendBack(decision gate.Decision) gate.Decision {
	if !d.Lost || decision.Rollback {
		return decision
	}
	return gate.Decision{Rollback: true, Because: []gate.Result{{
		Rule: gate.Rule{ID: requestsLost, Purpose: gate.Rollback, Subject: gate.Shared, Signal: measure.RequestRate,
			Source: "second runbook, Common Pitfalls, 503 errors after cutover: pods running but not receiving traffic"},
		Verdict: gate.Fail, Message: d.Message,
	}}}
}
