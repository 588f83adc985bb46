package rollout

import (
	"context"
	"fmt"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/measure"
)

// The control plane says where a route leads, and the data plane is who has to
// follow it: kube-proxy on every node, a load balancer, clients that keep their
// connections open. A switch is proven on the one by EndpointSlices (Prove), and
// on the other, in the hold or the watch that follows, by the requests that both
// sides count. Where everything is given to the target, one request tells that
// the switch is followed, for a client that keeps its connection stays where it
// is; where it is given a part, see share.

// arrivalInterval is, at most, the time between two looks at who gets requests,
// until the target has had one: how exactly it is known when that was.
const arrivalInterval = time.Second

// rateWindow bounds the time over which the target's requests are counted.
const rateWindow = time.Minute

// Following says whether requests follow a switch.
type Following string

// What the data plane is known to do. The zero value is that nobody has looked
// yet.
const (
	// Followed: a request has reached the target.
	Followed Following = "followed"
	// NotFollowed: the old side still gets requests, and none, or too few, have
	// been seen on the target. Nothing advances then, and nothing goes back for
	// it either, unless they are lost: it is the clients' doing, or the nodes',
	// and not the release's.
	NotFollowed Following = "not-followed"
	// FollowingUnknown: nothing tells.
	FollowingUnknown Following = "unknown"
)

// DataPlane is what is known of where requests go since the last switch, as
// against what the API server says of it.
type DataPlane struct {
	Following Following `json:"following,omitempty"`
	// Step is the step whose switch it is about, and Switched when its first
	// write began.
	Step     int       `json:"step,omitempty"`
	Switched time.Time `json:"switched,omitzero"`
	// Arrived is when requests were first known to follow. They did by then:
	// they are counted every second at best.
	Arrived time.Time `json:"arrived,omitzero"`
	// Overdue is set once requests have not followed for deadlines.reroute.
	Overdue bool `json:"overdue,omitempty"`
	// Lost: requests that the target should have reach nobody, and the run
	// goes back for it.
	Lost bool `json:"lost,omitempty"`
	// Kept is what the old side got beside a preview before the last looks, in requests
	// per second, and Looked when the last one was.
	Kept   float64   `json:"kept,omitempty"`
	Looked time.Time `json:"looked,omitzero"`
	// Message is one sentence for people.
	Message string `json:"message,omitempty"`
}

// looks is one look at who gets requests.
type looks struct {
	target, old string
	// onTarget and onOld are requests per second since the switch; before is
	// what the target counted when it was given nothing, and served what the
	// old side did then.
	onTarget, onOld, before, served measure.Reading
	at                              time.Time
	// due is how long requests may take to follow (deadlines.reroute).
	due time.Duration
}

// strays is the rate above which requests of the target are not those alone
// that it gets when it is given none: the kubelet's probes, where the metrics
// have no path to tell them by. They come at an even rate, of which twice as
// much is more than they. Where nobody read that rate, only more than the old
// side gets is certainly more.
func (s looks) strays() float64 {
	switch s.before.State {
	case measure.OK:
		return 2 * s.before.Value
	case measure.NoData:
		return 0
	}
	return s.onOld.Value
}

// passed reports whether requests have passed from the old side to the target:
// most that the one had are gone from there, and most of these came to the
// other. It tells what strays can't where the target had clients of its own
// before, such as those that still keep connections to it from a run before.
func (s looks) passed() bool {
	for _, side := range []measure.Reading{s.onTarget, s.onOld, s.before, s.served} {
		if side.State != measure.OK {
			return false
		}
	}
	lost, gained := s.served.Value-s.onOld.Value, s.onTarget.Value-s.before.Value
	return lost > s.served.Value/2 && gained > lost/2
}

// quiet: both sides were measured, and nobody asks either.
func (s looks) quiet() bool {
	return s.onTarget.State == measure.OK && s.onTarget.Value == 0 && s.onOld.State == measure.OK && s.onOld.Value == 0
}

// follow judges one look. It is pure. What has arrived once has arrived.
func (d DataPlane) follow(seen looks) DataPlane {
	if d.Following == Followed {
		return d
	}
	took := seen.at.Sub(d.Switched).Round(100 * time.Millisecond)
	strays := seen.strays()
	if seen.onTarget.State == measure.OK && seen.onTarget.Value > strays {
		d.Following, d.Arrived, d.Overdue = Followed, seen.at, false
		d.Message = fmt.Sprintf("%s got its first request within %s of the switch", seen.target, took)
		return d
	}
	if seen.passed() {
		d.Following, d.Arrived, d.Overdue = Followed, seen.at, false
		d.Message = fmt.Sprintf("requests pass from %s to %s, %s after the switch: %.1f/s and %.1f/s, of %.1f/s and %.1f/s before it",
			seen.old, seen.target, took, seen.onOld.Value, seen.onTarget.Value, seen.served.Value, seen.before.Value)
		return d
	}
	unknown := func(format string, values ...any) DataPlane {
		if d.Following == NotFollowed && !seen.quiet() {
			return d // what can't be seen now takes nothing back
		}
		d.Following, d.Overdue, d.Message = FollowingUnknown, false, fmt.Sprintf(format, values...)
		return d
	}
	switch {
	case seen.onTarget.State == measure.SourceDown:
		return unknown("whether requests reach %s can't be read: %s", seen.target, seen.onTarget.Detail)
	case seen.onTarget.State == measure.OK && seen.onTarget.Value == 0 && seen.onTarget.Detail != "":
		return unknown("whether requests follow the switch is unknown: none was counted where %s was measured, but %s", seen.target, seen.onTarget.Detail)
	case seen.onTarget.State == measure.OK && seen.onTarget.Value > 0:
		return unknown("whether requests follow the switch is unknown: the %.1f/s that %s counts may be those of before it was given any", seen.onTarget.Value, seen.target)
	case seen.onOld.State == measure.SourceDown:
		return unknown("whether requests still reach %s can't be read: %s", seen.old, seen.onOld.Detail)
	case seen.onOld.State != measure.OK || seen.onOld.Value == 0:
		return unknown("whether requests follow the switch is unknown: none is seen on either side")
	}
	d.Following, d.Overdue = NotFollowed, took >= seen.due
	d.Message = fmt.Sprintf("no request has reached %s %s after the switch, %s still answers %.1f/s: kube-proxy or a load balancer does not follow, or every client keeps its connection",
		seen.target, took.Round(time.Second), seen.old, seen.onOld.Value)
	if seen.onTarget.State == measure.NoData && seen.onTarget.Detail != "" {
		d.Message += fmt.Sprintf(" (%s)", seen.onTarget.Detail)
	}
	return d
}

// reaching asks for the requests per second that reach a colour: by its own
// counters where something reads these, for they are fresh, else by what
// counts requests at all.
func (r *Runner) reaching(color string, window time.Duration) measure.Query {
	query := measure.Query{Signal: measure.ResidualRate, Color: color, Window: window}
	if !measure.Answerable(r.Sources, query) {
		query.Signal = measure.RequestRate
	}
	return query
}

// straying asks what the target counts before it is given anything, and serving
// what the old side gets: then, and by now.
func (r *Runner) straying(state State) measure.Query { return r.lately(state.To) }
func (r *Runner) serving(state State) measure.Query  { return r.lately(state.From) }

// lately asks what reaches a colour by now.
func (r *Runner) lately(color string) measure.Query {
	return r.reaching(color, residualWindow*r.Release.Spec.Gates.Interval.Std())
}

// undeclaredMetrics is what is known of requests that nobody counts.
const undeclaredMetrics = "not declared: metrics, so whether requests follow the switch is unknown"

// following looks at who gets requests: until the target has had one where it
// is given everything, and always where it is given a part.
func (r *Runner) following(ctx context.Context, state State) DataPlane {
	known := state.DataPlane
	known.Switched = state.switched()
	state.DataPlane = known
	if r.scales() {
		known.Following, known.Message = FollowingUnknown, unjudged
		return known
	}
	if state.preview(r.policy) != nil {
		return r.previewing(ctx, state)
	}
	// A proxy shares requests and not connections: none has a reason to stay.
	if weight := state.Split(r.policy)[state.To]; weight < 100 || r.Router.Capabilities().Weights {
		return r.sharing(ctx, state, weight)
	}
	if known.Following == Followed {
		return known
	}
	onTarget, onOld, counted := r.counted(ctx, r.reaching(state.To, r.sinceSwitch(known)), r.serving(state))
	if !counted {
		return known.undeclared()
	}
	return known.follow(looks{target: state.To, old: state.From, onTarget: onTarget, onOld: onOld, before: r.strayed(state), served: state.before(r.serving(state)),
		at: r.Clock.Now(), due: r.Release.Spec.Traffic.Deadlines.Reroute.Std()})
}

// sinceSwitch is the time since a switch over which requests are counted.
func (r *Runner) sinceSwitch(known DataPlane) time.Duration {
	return min(max(r.Clock.Since(known.Switched).Truncate(time.Second), arrivalInterval), rateWindow)
}

// counted reads what both sides get, where something that is declared counts it.
func (r *Runner) counted(ctx context.Context, target, old measure.Query) (onTarget, onOld measure.Reading, counted bool) {
	if !measure.Answerable(r.Sources, target) || !measure.Answerable(r.Sources, old) {
		return onTarget, onOld, false
	}
	readings := measure.Observe(ctx, r.Sources, []measure.Query{target, old})
	return readings[0], readings[1], true
}

// undeclared is what is known where nothing counts requests.
func (d DataPlane) undeclared() DataPlane {
	d.Following, d.Message = FollowingUnknown, undeclaredMetrics
	return d
}

// strayed is what the baseline has of that, or an empty reading.
func (r *Runner) strayed(state State) measure.Reading { return state.before(r.straying(state)) }

// tellFollowing says what has become known of the data plane, once each.
func (r *Runner) tellFollowing(phase Phase, before, after DataPlane) {
	switch {
	case after.Following == Followed && before.Following != Followed:
		r.tell(phase, Info, "%s", after.Message)
	case after.Overdue && !before.Overdue:
		r.tell(phase, Warning, "%s", after.Message)
	case after.Message == undeclaredMetrics: // the drain says so
	case after.Following == FollowingUnknown && before.Following != FollowingUnknown:
		r.tell(phase, Info, "%s", after.Message)
	}
}

// waits reports whether requests keep a step from ending: they do not follow, or it is
// too early to tell.
func (d DataPlane) waits() bool { return d.Following == NotFollowed || d.Following == "" }

// early reports whether somebody has looked, and it is too early to tell.
func (d DataPlane) early() bool { return d.Following == "" && !d.Switched.IsZero() }

// changed reports whether there is something that the record should be told:
// not every second's rates.
func (d DataPlane) changed(before DataPlane) bool {
	return d.Following != before.Following || d.Overdue != before.Overdue || d.Lost != before.Lost
}
