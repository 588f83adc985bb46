package crash

import (
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
)

// Kind is what a write is to a run.
type Kind string

// The kinds of points. Those up to Finish are writes of the current record.
const (
	// Begin: the record of a new run.
	Begin Kind = "begin"
	// TakeOver: the record of a run that goes on under another epoch.
	TakeOver Kind = "take over"
	// Save: the state of a run, without an entry about it.
	Save Kind = "save"
	// Transition: from one phase to another.
	Transition Kind = "transition"
	// Intent: about to write to an object.
	Intent Kind = "intent"
	// Result: what came of that.
	Result Kind = "result"
	// Finish: how the run ended.
	Finish Kind = "finish"

	// Archive: a past run that is put away, or one that is taken away.
	Archive Kind = "archive"
	// Lease: the lease that is taken or given up. Renewals are no points,
	// for they happen at any time.
	Lease Kind = "lease"
	// Write: to the route, a workload, a pod, a manifest's object.
	Write Kind = "write"
	// Stop: the annotation of an emergency stop, which anybody may set.
	Stop Kind = "stop"
)

// Point is one write of a run. Two runs that do the same have the same points.
type Point struct {
	Kind Kind
	// What tells points of one kind apart, such as "switch → prove" or
	// "switch service/svc-production".
	What string
}

// String is the point for people.
func (p Point) String() string { return strings.TrimSpace(string(p.Kind) + " " + p.What) }

// pointOf says which point of a run a record is, by the record before it; that
// one is nil where there was none.
func pointOf(before, next *journal.Run) Point {
	switch {
	case before == nil || before.ID != next.ID:
		return Point{Kind: Begin}
	case before.Finished.IsZero() && !next.Finished.IsZero():
		return Point{Kind: Finish}
	case before.Epoch != next.Epoch:
		return Point{Kind: TakeOver}
	}
	for i := len(next.Entries) - 1; i >= 0; i-- {
		entry := next.Entries[i]
		if entry.Sequence <= before.LastSequence {
			break
		}
		switch entry.Kind {
		case journal.Transition, journal.Decision:
			return Point{Kind: Transition, What: entry.Action}
		case journal.Intent:
			return Point{Kind: Intent, What: entry.Action + " " + entry.Object}
		case journal.Result:
			return Point{Kind: Result, What: entry.Action + " " + entry.Object}
		}
	}
	return Point{Kind: Save, What: next.Phase}
}
