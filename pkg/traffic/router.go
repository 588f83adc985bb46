package traffic

import (
	"cmp"
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Router moves one production route, or a set of them as one. There is one
// driver per kind of route; adding one means adding one file that implements
// Router and one line in drivers.
type Router interface {
	// Read returns the route as it is now. With an error that wraps ErrNoColor
	// it is what can be read of it beside its split: a person may have made it
	// so, and that is enough to plan its way back (see Route.Back).
	Read(ctx context.Context) (Route, error)
	// Plan is pure: the exact patch that moves a route to a split under a
	// fence. It refuses what the driver can't do (see Capabilities) and
	// what would leave the route without a colour. A patch that changes the
	// split records the one before it and cluster.AnnotationSwitched. What
	// becomes of a preview is in Route.Leaves.
	Plan(route Route, to Split, fence cluster.Fence) (Patch, error)
	// After is pure: the route as a planned patch leaves it, once what that sets
	// going has come to its end, for whoever plans the next write before this one
	// is sent. Of a patch that awaits something it is what can be written.
	After(route Route, patch Patch) (Route, error)
	// Write sends a planned patch: one request, all or nothing; of a set one for
	// each route, and a *PartialError where that is neither. It returns
	// an error that wraps cluster.ErrFenced when the route has changed
	// since it was read. With dryRun the server checks and persists nothing.
	Write(ctx context.Context, patch Patch, dryRun bool) (Route, error)
	// Receivers counts the ready pods that would get traffic if everything
	// were given to a colour: what the route itself would select, which is
	// not always what a workload's status counts.
	Receivers(ctx context.Context, color string) (int, error)
	// Prove compares the control plane with the split that was asked for.
	Prove(ctx context.Context, split Split) (Proof, error)
	// Stop sets bluegreen.dev/stop on the route, as kubectl annotate would:
	// unfenced, for it must win over whoever holds the run. Plan's patch to
	// another split removes the annotation, for a write made while it stands
	// is the answer to it.
	Stop(ctx context.Context, reason string) error
	// Obeyed is pure: the exact patch, under a fence, that takes a stop off a
	// route whose split needs no change for it.
	Obeyed(route Route, fence cluster.Fence) (Patch, error)
	// Capabilities says what the driver can do.
	Capabilities() Capabilities
	// Undo is pure: the plain kubectl line that gives everything of a route to
	// a colour, for a person without this tool.
	Undo(route Route, color string) string
}

// Capabilities is what a driver can do.
type Capabilities struct {
	// Weights: splits other than everything to one colour.
	Weights bool
	// Scales: the switch is what starts the pods of a side and ends those of the
	// other, so a side that is given nothing has none, and the target can't be
	// looked at before it is given something.
	Scales bool
	// KeepsBothSides: the proxy drops the whole route where a Service in it has
	// no pods, so no side may be scaled to zero while its Service stands there.
	KeepsBothSides bool
	// Previews: by what it can lead requests to one colour before all others.
	Previews release.Previews
}

// Route is a production route as it was read.
type Route struct {
	// Object is the route's kind and name, such as service/svc-production.
	Object    string
	Namespace string
	UID       types.UID
	// ResourceVersion is the version that was read; Plan's patch tests it.
	ResourceVersion string
	// Split is how new connections are shared now.
	Split Split
	// Fence is the stamp that the route carries.
	Fence cluster.Fence
	// Previous is the split before the last switch, nil when none is kept.
	Previous Split
	// Preview is what some requests get whatever the split is, nil where nothing
	// does. Of a set it is that of the first that has one.
	Preview *Preview
	// Origin is the colour that had everything before the last switch, or
	// before the steps of which that was one; "" when that is not kept.
	Origin string
	// Stop is the reason in bluegreen.dev/stop, "" when nobody asked.
	Stop string
	// Owners are the field managers of the fields that we would write, by
	// field path, other than ourselves.
	Owners map[string][]string
	// Affinity is the route's session affinity, "" or "None" when off.
	Affinity string
	// Live is the object itself, for the driver's own use in Plan.
	Live any
	// Members are the routes of a set in the order in which they are moved, nil
	// of a route that is alone. Of a set, Split is what all of them have, and
	// none where they differ (see Mixed); Fence is the lowest of their stamps,
	// and Stop and Affinity are those of the first that has any.
	Members []Route
	// Gone are the routes of a set that do not exist. They are not among Members,
	// and the set has no split.
	Gone []string
	// Differed is, of a set that was written, for how long its routes differed
	// at the most.
	Differed time.Duration

	back, unready bool
	// preview is asked for where previewing is set: see Previewing.
	previewing bool
	preview    *Preview
}

// Patch is one planned write.
type Patch struct {
	Object    string
	Namespace string
	Type      types.PatchType
	Body      []byte
	From, To  Split
	// Preview is what the route has with the patch.
	Preview *Preview
	// Fence is the stamp that it leaves.
	Fence cluster.Fence
	// Members are the patches of a set in the order in which they are written,
	// nil for a route that is alone.
	Members []Patch
	// Was and Will are what else of the object changes, for people, "" where the
	// split says it all.
	Was, Will string
	// Awaits is why not all of it can be written yet, "" where all can. Write then
	// ends before what has to wait, and the route that it returns does not have
	// the split of To.
	Awaits string

	// member is whose patch of a set it is. Of a set, read are the routes that it
	// was planned for, and back that they are given back.
	member int
	read   []Route
	back   bool
	// before is the preview that the route had.
	before *Preview
	// held has to wait, as Awaits of the whole says.
	held bool
}

// Proof is what the control plane says about a split: the EndpointSlices
// behind the production route hold the target's ready pods and nothing else.
type Proof struct {
	// Proven is true only when nothing is missing and nothing is extra.
	Proven bool
	// Ready are the names of the target's ready pods behind the route.
	Ready []string
	// Missing are ready pods of the target that no EndpointSlice holds.
	Missing []string
	// Extra are endpoints that are not ready pods of the target.
	Extra []string
	// Message is one sentence for people.
	Message string
	// Remedy is what a person does where it is not for want of pods that nothing is
	// proven, "" where it is.
	Remedy string
	Time   time.Time
}

// and joins what is known of two sides that get traffic, as one proof of the time
// of the first.
func (p Proof) and(other Proof) Proof {
	p.Proven = p.Proven && other.Proven
	p.Ready = append(p.Ready, other.Ready...)
	p.Missing = append(p.Missing, other.Missing...)
	p.Extra = append(p.Extra, other.Extra...)
	if p.Message != "" {
		p.Message += "; "
	}
	p.Message += other.Message
	p.Remedy = cmp.Or(p.Remedy, other.Remedy)
	return p
}
