package signoff

import (
	"fmt"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// The ids of the checks that go by a sign-off.
const (
	DualLoad      = "BG-TST-01"
	RollbackDrill = "BG-TST-02"
	ClientCaching = "BG-NET-05"
)

// Bound is what a sign-off is given for, beside the release.
type Bound string

// What sign-offs are bound to.
const (
	// BoundImages: the images of both colours.
	BoundImages Bound = "images"
	// BoundKind: the kinds of the routes, such as service.
	BoundKind Bound = "route kind"
	// BoundRoute: the routes, such as service/svc-production.
	BoundRoute Bound = "route"
)

// Kind is one thing that a person signs off.
type Kind struct {
	// ID is that of the check that goes by it.
	ID string
	// What is signed off, as a noun.
	What string
	// Bound is what it is bound to.
	Bound Bound
	// Longest is for how many days it may be given.
	Longest int
}

const (
	// quarter is the longest that a quarter lasts, in days: a rehearsal is due in
	// each (first runbook, Best Practices).
	quarter = 92
	// year is ours, in days: whoever answers for something looks again by then.
	year = 366
)

// Kinds are all of them, sorted by id.
func Kinds() []Kind {
	return []Kind{
		{ID: ClientCaching, What: "client-side caching that does not interfere with routing", Bound: BoundRoute, Longest: year},
		{ID: DualLoad, What: "a load on both colours at full capacity", Bound: BoundImages, Longest: year},
		{ID: RollbackDrill, What: "a rollback drill within a quarter", Bound: BoundKind, Longest: quarter},
	}
}

// KindOf finds a kind by its id, in letters of any case; the error names those
// that there are.
func KindOf(id string) (Kind, error) {
	var ids []string
	for _, kind := range Kinds() {
		if strings.EqualFold(kind.ID, id) {
			return kind, nil
		}
		ids = append(ids, kind.ID)
	}
	err := fmt.Errorf("nothing that is signed off is called %q", id)
	if meant := release.Closest(id, ids); meant != "" {
		return Kind{}, release.WithHint(err, fmt.Sprintf("did you mean %q? known: %s", meant, strings.Join(ids, ", ")))
	}
	return Kind{}, release.WithHint(err, "known: "+strings.Join(ids, ", "))
}
