package rollout

import (
	"context"
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// A stop that a person sets is for whoever drives the release, and keeps the
// next shift from beginning until it is lifted. One by which a rollback asks the
// holder of a run to go back is for that run alone: a run that has ended just
// before it was asked never looks again, and what it leaves on the route must
// stand in nobody's way. So that one names its run, in the text of the stop
// itself: whoever writes another over it has written one that is for everybody.

// The text of a stop that is for one run.
const (
	boundTo = "run "
	boundBy = ": rollback requested by "
)

// requestedBy is the text by which somebody asks a run to go back. Of one that is
// not known by name everybody is asked: better one shift too many is kept from
// beginning than that nobody goes back.
func requestedBy(holder, run string) string {
	if run == "" {
		return "rollback requested by " + holder
	}
	return boundTo + run + boundBy + holder
}

// isFor reports whether a stop is for a run: one of the form of requestedBy that
// names another is not. "" is a run that has not begun.
func isFor(stop, run string) bool {
	rest, bound := strings.CutPrefix(stop, boundTo)
	named, _, whole := strings.Cut(rest, boundBy)
	return !bound || !whole || named == run
}

// askToMakeWay asks whoever drives a run to go back. A stop that a person has set
// does that as well and is left as it is: it has a reason, and is for every run.
func (r *Runner) askToMakeWay(ctx context.Context, run string) error {
	if route, _ := r.Router.Read(ctx); StopFor(route, run) != "" {
		return nil
	}
	if err := r.Router.Stop(ctx, requestedBy(r.Holder, run)); err != nil {
		return fmt.Errorf("ask run %s to go back: %w", run, err)
	}
	return nil
}

// StopFor is the stop that a route carries for a run, "" where there is none; of
// a set it is the first. "" is a run that has not begun.
func StopFor(route traffic.Route, run string) string {
	for _, one := range route.Each() {
		if one.Stop != "" && isFor(one.Stop, run) {
			return one.Stop
		}
	}
	return ""
}

// stopFor is the stop that a route carries for the run that this process drives.
func (r *Runner) stopFor(route traffic.Route) string {
	if route.Stop == "" {
		return ""
	}
	return StopFor(route, r.tenure.Run().ID)
}
