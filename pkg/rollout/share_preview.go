package rollout

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/gate"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// While a route has a preview, the target gets the requests that ask for it, as
// many as somebody cares to make: no share is to be seen in them, and none strays.
// Everybody else must stay, so what is looked at is whether the old side keeps its
// requests, by what it had before anything was written.

// keptHalves is the time in which what counts as kept may halve: by themselves clients
// come and go over hours, and a proxy that reads a rule takes them within seconds.
const keptHalves = 10 * time.Minute

// beside judges one look at a preview. It is pure. That the old side keeps its requests
// says nothing until proxies have read the rule.
func (d DataPlane) beside(seen shares) DataPlane {
	if !d.Arrived.IsZero() {
		return d.stillBeside(seen)
	}
	before, took := rateOf(seen.reference), seen.at.Sub(d.Switched)
	switch {
	case seen.onOld.State == measure.SourceDown:
		return d.unknownShare("whether %s keeps its requests can't be read: %s", seen.old, seen.onOld.Detail)
	case seen.leaves():
		return d.takes(seen)
	case took < lostAfter:
		d.Message = fmt.Sprintf("whether %s keeps its requests is told %s after the switch: a proxy takes a while to read the rule", seen.old, lostAfter)
		return d
	case before*seen.over.Seconds() < leastRequests:
		return d.unknownShare("whether %s keeps its requests is unknown: it had %.1f/s before, too few to tell", seen.old, before)
	}
	d.Arrived, d.Kept, d.Looked = seen.at, before, seen.at
	return d.keeps(seen)
}

// stillBeside judges a look at a preview beside which the old side has kept its requests
// once. It still does, unless the target gets what it has just lost: requests that just
// stay away are the clients' doing, and so is a test of the target while few of them are
// there. What it had just before stays known while the target gets it.
func (d DataPlane) stillBeside(seen shares) DataPlane {
	seen.reference = measure.Reading{State: measure.OK, Value: d.Kept}
	if seen.taken() {
		return d.takes(seen)
	}
	// What was not looked at may be more than clients: one look takes no more than a
	// minute's part away.
	passed := min(seen.at.Sub(d.Looked), rateWindow)
	if seen.onOld.State != measure.SourceDown {
		d.Kept, d.Looked = max(rateOf(seen.onOld), d.Kept*math.Exp2(-passed.Seconds()/keptHalves.Seconds())), seen.at
	}
	if d.Following == Followed {
		return d
	}
	return d.keeps(seen)
}

// keeps is that the old side has its requests.
func (d DataPlane) keeps(seen shares) DataPlane {
	d.Following, d.Overdue = Followed, false
	d.Message = fmt.Sprintf("%s keeps its requests beside the preview of %s: %.1f/s, of %.1f/s before", seen.old, seen.target, rateOf(seen.onOld), rateOf(seen.reference))
	return d
}

// takes is that it has lost them.
func (d DataPlane) takes(seen shares) DataPlane {
	d.Following, d.Overdue = NotFollowed, seen.at.Sub(d.Switched) >= seen.due
	d.Message = fmt.Sprintf("%s gets %.1f requests/s beside the preview of %s, of %.1f/s before, and %s gets %.1f/s: the rule takes more than it says, or the route is not served as it stands",
		seen.old, rateOf(seen.onOld), seen.target, rateOf(seen.reference), seen.target, rateOf(seen.onTarget))
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
