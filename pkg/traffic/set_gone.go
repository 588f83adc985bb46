package traffic

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// goneError is a set of which routes do not exist. It has no split, for a set is
// moved as a whole; what is left of it can only be given back.
type goneError struct {
	objects []string
	// cause is why the first of them can't be read.
	cause error
}

func (e *goneError) Error() string {
	return fmt.Sprintf("a set is moved as a whole, and of this one %s is gone: %v", strings.Join(e.objects, ", "), e.cause)
}

// Unwrap returns ErrNoColor beside the cause: what can be read of the set comes
// with it, as of any route whose split can't be.
func (e *goneError) Unwrap() []error { return []error{ErrNoColor, e.cause} }

// hinted says what to do about it.
func (e *goneError) hinted() error {
	if release.HintOf(e.cause) != "" {
		return e
	}
	return release.WithHint(e, "make it again, or take it out of spec.traffic; a rollback gives the others back without it")
}

// reading is one route of a set as it was read, and what keeps the set from being
// moved and not from being given back.
type reading struct {
	route Route
	fault error
}

// left is what could be read of a set, without the routes that do not exist, and
// the weightiest of what is the matter with it. Where none exists it is nothing.
func (s *switchSet) left(readings []reading) (Route, error) {
	var members []Route
	var gone goneError
	var fault error
	for i, one := range readings {
		if apierrors.IsNotFound(one.fault) {
			gone.objects = append(gone.objects, s.objects[i])
			gone.cause = cmp.Or(gone.cause, one.fault)
			continue
		}
		members, fault = append(members, one.route), cmp.Or(fault, one.fault)
	}
	switch {
	case len(members) == 0:
		return Route{}, gone.cause
	case len(gone.objects) == 0:
		return together(members), fault
	}
	route := together(members)
	route.Gone, route.Split = gone.objects, nil
	return route, gone.hinted()
}

// of is the set that some routes were read as, which lacks those that do not
// exist.
func (s *switchSet) of(members []Route) *switchSet {
	set := &switchSet{clock: s.clock}
	for i, object := range s.objects {
		if slices.ContainsFunc(members, func(member Route) bool { return member.Object == object }) {
			set.members, set.objects = append(set.members, s.members[i]), append(set.objects, object)
		}
	}
	return set
}

// existing is the set without the routes that do not exist, and what those are
// called: what is asked of a set is asked of these.
func (s *switchSet) existing(ctx context.Context) (*switchSet, []string, error) {
	route, err := s.Read(ctx)
	if err != nil && route.Object == "" {
		return nil, nil, err
	}
	return s.of(route.Members), route.Gone, nil
}
