package traffic

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// Router moves one production route. There is one driver per kind of route;
// adding one means adding one file that implements Router and one line in
// NewRouter.
type Router interface {
	// Read returns the route as it is now.
	Read(ctx context.Context) (Route, error)
	// Plan is pure: the exact patch that moves a route to a split under a
	// fence. It refuses what the driver can't do (see Capabilities) and
	// what would leave the route without a colour. A patch that changes the
	// split records the one before it and cluster.AnnotationSwitched.
	Plan(route Route, to Split, fence cluster.Fence) (Patch, error)
	// Write sends a planned patch: one request, all or nothing. It returns
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
	// Capabilities says what the driver can do.
	Capabilities() Capabilities
	// Undo is the plain kubectl line that gives everything to a colour,
	// for a person without this tool.
	Undo(color string) string
}

// Capabilities is what a driver can do.
type Capabilities struct {
	// Weights: splits other than everything to one colour.
	Weights bool
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
	// Stop is the reason in bluegreen.dev/stop, "" when nobody asked.
	Stop string
	// Owners are the field managers of the fields that we would write, by
	// field path, other than ourselves.
	Owners map[string][]string
	// Affinity is the route's session affinity, "" or "None" when off.
	Affinity string
	// Live is the object itself, for the driver's own use in Plan.
	Live any
}

// Patch is one planned write.
type Patch struct {
	Object    string
	Namespace string
	Type      types.PatchType
	Body      []byte
	From, To  Split
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
	Time    time.Time
}
