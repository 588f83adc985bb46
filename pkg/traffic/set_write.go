package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
)

// compensateFor bounds giving back what was written of a set. It has a time of
// its own, for that of the switch may be what has run out.
const compensateFor = 10 * time.Second

// PartialError says that a route of a set could not be written after others had
// been, and what became of those.
type PartialError struct {
	// Err is why the route could not be written.
	Err error
	// Back are the routes that were given their split of before back, Left why
	// others could not be, or why it is not known whether they were moved.
	Back []string
	Left []error
	// Differed is for how long the routes differed at the most: from the first
	// request to the last answer.
	Differed time.Duration
	// Shares is what the routes have now, "" where that is their split of before.
	Shares string
}

// Error says all of it.
func (e *PartialError) Error() string {
	text := strings.Builder{}
	text.WriteString(e.Err.Error())
	if len(e.Back) > 0 {
		fmt.Fprintf(&text, "; %s given back", strings.Join(e.Back, ", "))
	}
	if len(e.Left) == 0 {
		fmt.Fprintf(&text, ": the routes differed for %s and are where they were", e.Differed.Round(time.Millisecond))
		return text.String()
	}
	fmt.Fprintf(&text, "; not given back: %s; the routes after %s: %s", several(e.Left), e.Differed.Round(time.Millisecond), e.Shares)
	return text.String()
}

// Unwrap returns why the route could not be written.
func (e *PartialError) Unwrap() error { return e.Err }

// Write implements Router. Of several routes that move, each is first tried with
// a dry run, so that what a server would refuse moves none. Then they are written
// one after the other. Where one fails, those before it are given their split of
// before back, newest first, and the error is a *PartialError. On the way back
// nothing is tried and nothing taken back: each is written, whatever becomes of
// the others.
func (s *switchSet) Write(ctx context.Context, patch Patch, dryRun bool) (Route, error) {
	if s = s.of(patch.read); len(patch.read) == 0 || len(patch.read) != len(s.members) {
		return Route{}, fmt.Errorf("write %s in %s: the patch is for another set", patch.Object, patch.Namespace)
	}
	switch {
	case dryRun:
		return s.try(ctx, patch)
	case patch.back:
		return s.giveBack(ctx, patch)
	}
	moving := 0
	for _, one := range patch.Members {
		if one.moves() {
			moving++
		}
	}
	if moving > 1 {
		if _, err := s.try(ctx, patch); err != nil {
			return Route{}, fmt.Errorf("try before any route is moved: %w", err)
		}
	}
	return s.move(ctx, patch)
}

// try has the server check every patch, and returns the set as it would be.
func (s *switchSet) try(ctx context.Context, patch Patch) (Route, error) {
	members := slices.Clone(patch.read)
	for _, one := range patch.Members {
		would, err := s.members[one.member].Write(ctx, one, true)
		if err != nil {
			return Route{}, err
		}
		members[one.member] = would
	}
	return together(members), nil
}

// move writes the patches in their order, all or, as far as it can, none.
func (s *switchSet) move(ctx context.Context, patch Patch) (Route, error) {
	window, members := window{clock: s.clock}, slices.Clone(patch.read)
	var moved []Patch
	for _, one := range patch.Members {
		window.opens(one)
		written, err := s.put(ctx, one)
		if err != nil {
			return Route{}, s.compensate(ctx, moved, one, window, err)
		}
		if members[one.member] = written; one.moves() {
			moved = append(moved, one)
		}
	}
	route := together(members)
	route.Differed = window.closes(len(moved))
	return route, nil
}

// giveBack writes the patches in their order, each whatever becomes of the
// others.
func (s *switchSet) giveBack(ctx context.Context, patch Patch) (Route, error) {
	window, members := window{clock: s.clock}, slices.Clone(patch.read)
	var failures several
	moved := 0
	for _, one := range patch.Members {
		window.opens(one)
		written, err := s.put(ctx, one)
		if apierrors.IsNotFound(err) {
			err = fmt.Errorf("%w: %w", cluster.ErrFenced, err) // deleted since: what is left is given back after another look
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if members[one.member] = written; one.moves() {
			moved++
		}
	}
	if len(failures) > 0 {
		return Route{}, fmt.Errorf("%w; %s", failures, s.shares(ctx))
	}
	route := together(members)
	route.Differed = window.closes(moved)
	return route, nil
}

// put sends one patch. Where it is not known whether it has arrived, the route
// says so: an answer that was lost is no write that failed.
func (s *switchSet) put(ctx context.Context, patch Patch) (Route, error) {
	route, err := s.members[patch.member].Write(ctx, patch, false)
	if err == nil || !cluster.Transient(err) && !errors.Is(err, cluster.ErrFenced) {
		return route, err
	}
	if found, arrived, _ := s.arrived(ctx, patch); arrived {
		return found, nil
	}
	return Route{}, err
}

// arrived reports whether a route has what a patch would give it, and from us.
func (s *switchSet) arrived(ctx context.Context, patch Patch) (found Route, arrived bool, err error) {
	if !patch.moves() {
		return Route{}, false, nil
	}
	found, err = s.members[patch.member].Read(ctx)
	return found, err == nil && found.Has(patch.To, patch.Preview) && found.Fence == patch.Fence, err
}

// compensate gives what was moved its split of before back, newest first. Of the
// last write it is asked whether it has arrived: its answer may be what was lost, or
// what nobody waited for. Where that can't be read it is not back, for all that is
// known.
func (s *switchSet) compensate(ctx context.Context, moved []Patch, last Patch, window window, failure error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), compensateFor)
	defer cancel()
	_, arrived, unread := s.arrived(ctx, last)
	if arrived {
		moved = append(moved, last)
	}
	if len(moved) == 0 {
		return failure
	}
	partial := &PartialError{Err: failure}
	if unread != nil {
		partial.Left = append(partial.Left, fmt.Errorf("whether %s was moved is not known: %w", last.Object, unread))
	}
	for i := len(moved) - 1; i >= 0; i-- {
		if err := s.undo(ctx, moved[i]); err != nil {
			partial.Left = append(partial.Left, err)
			continue
		}
		partial.Back = append(partial.Back, moved[i].Object)
	}
	partial.Differed = window.closes(2)
	if len(partial.Left) > 0 {
		partial.Shares = s.shares(ctx)
	}
	return partial
}

// undo gives one route its split of before back. It is read again: a stop that
// was asked for meanwhile has made another version of it. What somebody else has
// changed by then is theirs.
func (s *switchSet) undo(ctx context.Context, patch Patch) error {
	err := s.undoOnce(ctx, patch)
	if errors.Is(err, cluster.ErrFenced) {
		return s.undoOnce(ctx, patch)
	}
	return err
}

func (s *switchSet) undoOnce(ctx context.Context, patch Patch) error {
	member := s.members[patch.member]
	found, err := member.Read(ctx)
	if err != nil {
		return err
	}
	if !found.Has(patch.To, patch.Preview) || found.Fence != patch.Fence {
		return fmt.Errorf("%s was changed meanwhile, to %s at epoch %d", found.Object, found.Shares(), found.Fence.Epoch)
	}
	back, err := member.Plan(found.Previewing(patch.before), patch.From, patch.Fence)
	if err != nil {
		return err
	}
	back.member = patch.member
	_, err = s.put(ctx, back)
	return err
}

// shares is what the routes have now, for people.
func (s *switchSet) shares(ctx context.Context) string {
	route, err := s.Read(ctx)
	if err != nil && route.Object == "" {
		return fmt.Sprintf("what they have now can't be read: %v", err)
	}
	return route.Shares()
}

// window measures for how long the routes of a set differ at the most: from the
// first request that moves one to the last answer.
type window struct {
	clock interface{ Now() time.Time }
	since time.Time
}

// opens begins to measure before a patch that moves a route.
func (w *window) opens(patch Patch) {
	if w.since.IsZero() && patch.moves() {
		w.since = w.clock.Now()
	}
}

// closes is how long it was; a route that moves alone differs from no other.
func (w *window) closes(moved int) time.Duration {
	if moved < 2 {
		return 0
	}
	return w.clock.Now().Sub(w.since)
}
