package rollout

import (
	"context"
	"fmt"
	"math"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// While a route has a preview, the target gets the requests that ask for it, as
// many as somebody cares to make: no share is to be seen in them, and none strays.
// Everybody else must stay, so what is looked at is whether the old side keeps its
// requests, by what it had before anything was written.

// beside judges one look at a preview. It is pure. That the old side keeps its requests
// says nothing until proxies have read the rule. What it has kept then counts as kept,
// unless the target gets what it loses later: requests that just stay away are the
// clients' doing.
func (d DataPlane) beside(seen shares) DataPlane {
	if d.Following == Followed && !seen.taken() {
		return d
	}
	before, kept, took := rateOf(seen.reference), rateOf(seen.onOld), seen.at.Sub(d.Switched)
	switch {
	case seen.onOld.State == measure.SourceDown:
		return d.unknownShare("whether %s keeps its requests can't be read: %s", seen.old, seen.onOld.Detail)
	case seen.leaves():
		d.Following, d.Overdue = NotFollowed, took >= seen.due
		d.Message = fmt.Sprintf("%s gets %.1f requests/s beside the preview of %s, of %.1f/s before, and %s gets %.1f/s: the rule takes more than it says, or the route is not served as it stands",
			seen.old, kept, seen.target, before, seen.target, rateOf(seen.onTarget))
		return d
	case took < lostAfter:
		d.Message = fmt.Sprintf("whether %s keeps its requests is told %s after the switch: a proxy takes a while to read the rule", seen.old, lostAfter)
		return d
	case before*seen.over.Seconds() < leastRequests:
		return d.unknownShare("whether %s keeps its requests is unknown: it had %.1f/s before, too few to tell", seen.old, before)
	}
	d.Following, d.Arrived, d.Overdue = Followed, seen.at, false
	d.Message = fmt.Sprintf("%s keeps its requests beside the preview of %s: %.1f/s, of %.1f/s before", seen.old, seen.target, kept, before)
	return d
}

// leaves reports whether the old side has less than its part of what it had before,
// beyond noise.
func (s shares) leaves() bool {
	due := rateOf(s.reference) * s.over.Seconds()
	return due >= leastRequests && rateOf(s.onOld)*s.over.Seconds()+certainty*math.Sqrt(due) < leastPart*due
}

// taken reports whether the target gets what the old side has lost.
func (s shares) taken() bool {
	return s.onOld.State != measure.SourceDown && s.leaves() && rateOf(s.onTarget) >= rateOf(s.reference)-rateOf(s.onOld)
}

// previewing looks at who gets requests while the route has a preview.
func (r *Runner) previewing(ctx context.Context, state State) DataPlane {
	known := state.DataPlane
	over := r.sinceSwitch(known)
	onTarget, onOld, counted := r.counted(ctx, r.reaching(state.To, over), r.reaching(state.From, over))
	if !counted {
		return known.undeclared()
	}
	return known.beside(shares{target: state.To, old: state.From, onTarget: onTarget, onOld: onOld, reference: state.before(r.serving(state)),
		over: over, at: r.Clock.Now(), due: r.Release.Spec.Traffic.Deadlines.Reroute.Std()})
}

// eased are the results of a look, where nobody has to ask for the target.
func (r *Runner) eased(state State, results []gate.Result) []gate.Result {
	if state.preview(r.policy) == nil || r.policy.Steps[state.Step].Requests == release.RequestsRequired {
		return results
	}
	return gate.Unasked(results)
}
