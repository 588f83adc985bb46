package planted

import (
	"context"
	"slices"
	"time"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/preflight"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/lab"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// Fault is one thing that is wrong, and the check that must see it.
type Fault struct {
	// ID is the check's.
	ID string
	// Name says what is wrong.
	Name string
	// Outcome is what the check makes of it, and Says a part of its cause.
	Outcome preflight.Outcome
	Says    string
	// Also are the checks that the same fault is a fault to; every other one
	// must say what it said before.
	Also []string
	// Ripens is how long it must be there before it is a fault.
	Ripens time.Duration
	Plant  Plant
}

// Plant puts a fault in its place and returns what takes it away again.
type Plant func(ctx context.Context, site *Site) (Undo, error)

// Undo takes a fault away.
type Undo func(ctx context.Context) error

// Site is where faults are planted: a shop with a blue that serves production,
// in a lab with its monitoring.
type Site struct {
	*shop.Shop
	Lab *lab.Lab
	// Flags are what check is run with while the fault is there.
	Flags []string
}

// Coming are the faults of a green that no pod runs of yet: check judges it by
// its manifests.
func Coming() []Fault { return slices.Concat(inManifests(), inCapacity(), inRights()) }

// Running are the faults around a green that runs.
func Running() []Fault {
	return slices.Concat(inRenewal(), inColors(), inRouting(), inDatabase(), inMonitoring())
}
