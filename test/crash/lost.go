package crash

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/promise"
)

// Lost returns an error for every request that a killed process could have
// cost: one that was answered badly, one on a kept connection, or a route that
// selected nothing, which refuses every new connection while it does. A single
// refused one is not of that kind: no process of ours stands between a client
// and a pod, and it was seen once in some 200 switches. How many cases may have
// one is for [Refusals] to say.
func Lost(counts clients.Counts) error {
	if counts.Failed == 0 || OneRefused(counts) {
		return nil
	}
	return fmt.Errorf("%s%d of %d requests were lost, of which the first are: %+v", promise.Broken, counts.Failed, counts.Requests, counts.Failures[:min(3, len(counts.Failures))])
}

// OneRefused reports whether all that failed is one new connection that was
// refused.
func OneRefused(counts clients.Counts) bool {
	return counts.Failed == 1 && counts.Fresh.Failed == 1 && len(counts.Failures) == 1 && counts.Failures[0].Kind == clients.Transport &&
		strings.Contains(counts.Failures[0].Detail, "connection refused")
}

// casesPerRefusal is in how many cases one may have a refused connection. Most
// cases switch twice, so that some 100 would have one if a kill cost nothing:
// five times as many are no chance any more.
const casesPerRefusal = 20

// Refusals counts the cases of a whole suite in which one new connection was
// refused. In one case that says nothing; in many it is the program that costs
// them.
type Refusals struct {
	// Cases is how many there were, and Refused the names of those in which
	// one was refused.
	Cases   int
	Refused []string
}

// Add counts one case.
func (r *Refusals) Add(name string, refused bool) {
	r.Cases++
	if refused {
		r.Refused = append(r.Refused, name)
	}
}

// Merge counts what was counted elsewhere.
func (r *Refusals) Merge(other Refusals) {
	r.Cases += other.Cases
	r.Refused = slices.Concat(r.Refused, other.Refused)
}

// Permitted is in how many of the cases one may have been refused: one in 20,
// and at least one.
func (r Refusals) Permitted() int { return max(1, r.Cases/casesPerRefusal) }

// Err is an error that lists the cases where they are more than permitted.
func (r Refusals) Err() error {
	if len(r.Refused) <= r.Permitted() {
		return nil
	}
	return fmt.Errorf("in %d of %d cases a new connection was refused, and in %d it may be: %s", len(r.Refused), r.Cases, r.Permitted(), strings.Join(r.Refused, "; "))
}
