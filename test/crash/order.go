package crash

import (
	"fmt"
	"slices"
	"strings"
)

// of are the points of one kind.
func of(points []Point, kind Kind) []Point {
	return slices.DeleteFunc(slices.Clone(points), func(point Point) bool { return point.Kind != kind })
}

// Orderly returns an error unless the points of an undisturbed run are in the
// order in which they protect it: the lease before the record, the record
// before anything else, the route's stamp before those of the workloads, every
// write between its intent and its result, and at the end the outcome before
// the archive and that before the lease.
func Orderly(points, transitions []Point) error {
	if found := of(points, Transition); !slices.Equal(found, transitions) {
		return fmt.Errorf("the transitions are %v, want %v", found, transitions)
	}
	// Past runs are put away, or taken away, beside a run.
	within := slices.DeleteFunc(slices.Clone(points), func(point Point) bool {
		return point.Kind == Archive && point.What != archived
	})
	first := []Point{{Kind: Lease, What: "take"}, {Kind: Begin}}
	last := []Point{{Kind: Finish}, {Kind: Archive, What: archived}, {Kind: Lease, What: "give up"}}
	if len(within) < 5 || !slices.Equal(within[:2], first) || !slices.Equal(within[len(within)-3:], last) {
		return fmt.Errorf("a run begins with %v and ends with %v, not so %v", first, last, points)
	}
	return announced(within)
}

// archived is what a run is when it has ended.
const archived = "create"

// announced returns an error unless every write is between its intent and its
// result, and the first stamp is the route's.
func announced(points []Point) error {
	open := Point{}
	stamped := false
	for _, point := range points {
		action, _, _ := strings.Cut(point.What, " ")
		switch {
		case point.Kind == Intent && open.What != "":
			return fmt.Errorf("%s comes while the %s is open", point, open)
		case point.Kind == Intent && action == "stamp" && !stamped && strings.HasPrefix(point.What, "stamp deployment/"):
			return fmt.Errorf("%s comes before the route has a stamp", point)
		case point.Kind == Intent:
			open, stamped = point, true
		case point.Kind == Result && open.What != point.What, point.Kind == Write && !strings.HasPrefix(open.What, action+" "):
			return fmt.Errorf("%s comes while what is open is %q", point, open)
		case point.Kind == Result:
			open = Point{}
		}
	}
	if open.What != "" {
		return fmt.Errorf("the %s has no result", open)
	}
	return nil
}
