package traffic

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// switchSet moves several routes of one release as one. No API server writes two
// objects at once, so for a moment they differ; what becomes of that is in
// Write. To whoever drives a run a set is a route like any other, but for
// Route.Members.
type switchSet struct {
	// members are in the order in which they are moved, and objects what they
	// are called.
	members []Router
	objects []string
	clock   clock.PassiveClock
}

// newSet is the Router of the routes of a set, each of which a Release of its
// own declares.
func newSet(client *cluster.Client, routes []*release.Release, clock clock.Clock) (Router, error) {
	set := &switchSet{clock: clock}
	for _, rel := range routes {
		member, err := newRouter(client, rel, clock)
		if err != nil {
			return nil, err
		}
		descriptions, err := describe(rel)
		if err != nil {
			return nil, err
		}
		set.members, set.objects = append(set.members, member), append(set.objects, descriptions[0].Object)
	}
	return set, nil
}

// all asks every member something at once. The error is that of the first which
// has one.
func all[Answer any](set *switchSet, ask func(member Router) (Answer, error)) ([]Answer, error) {
	answers, failures := make([]Answer, len(set.members)), make([]error, len(set.members))
	var asking sync.WaitGroup
	for i, member := range set.members {
		asking.Go(func() { answers[i], failures[i] = ask(member) })
	}
	asking.Wait()
	for _, failure := range failures {
		if failure != nil {
			return answers, failure
		}
	}
	return answers, nil
}

// Read implements Router. Where nothing is the matter but that no split can be
// read out of some, the set comes beside that error, like a route that is alone,
// and so does what is left of one of which routes are gone.
func (s *switchSet) Read(ctx context.Context) (Route, error) {
	readings, err := all(s, func(member Router) (reading, error) {
		route, err := member.Read(ctx)
		if errors.Is(err, ErrNoColor) || apierrors.IsNotFound(err) {
			return reading{route: route, fault: err}, nil
		}
		return reading{route: route}, err
	})
	if err != nil {
		return Route{}, err
	}
	return s.left(readings)
}

// Plan implements Router. A member that has the split and the stamp is left
// alone. The split of a set whose members differ is none, and to plan that stamps
// each where it is. What is left of a set of which routes are gone is moved in no
// other direction than back.
func (s *switchSet) Plan(route Route, to Split, fence cluster.Fence) (Patch, error) {
	if len(route.Gone) > 0 && !route.back {
		return Patch{}, fmt.Errorf("plan %s for %s: %s is gone, and a set is moved as a whole", to, route.Object, strings.Join(route.Gone, ", "))
	}
	return s.plan(route, to, fence, func(member Router, read Route) (Patch, bool, error) {
		target := to
		if route.back {
			read = read.Back()
		}
		if route.Mixed() && len(to) == 0 {
			target = read.Split
		}
		if route.previewing {
			read = read.Previewing(route.preview)
		}
		if read.Has(target, read.Leaves(target)) && read.Fence == fence {
			return Patch{}, false, nil
		}
		patch, err := member.Plan(read, target, fence)
		return patch, true, err
	})
}

// Obeyed implements Router.
func (s *switchSet) Obeyed(route Route, fence cluster.Fence) (Patch, error) {
	return s.plan(route, route.Split, fence, func(member Router, read Route) (Patch, bool, error) {
		if read.Stop == "" {
			return Patch{}, false, nil
		}
		patch, err := member.Obeyed(read, fence)
		return patch, true, err
	})
}

// plan gathers the patches of the members that need one.
func (s *switchSet) plan(route Route, to Split, fence cluster.Fence, one func(member Router, read Route) (Patch, bool, error)) (Patch, error) {
	if len(route.Members)+len(route.Gone) != len(s.members) {
		return Patch{}, fmt.Errorf("plan %s for %s: the routes were not read as a set", to, route.Object)
	}
	s = s.of(route.Members)
	whole := Patch{Object: route.Object, Namespace: route.Namespace, Type: types.JSONPatchType, From: route.Split, To: to, Fence: fence, read: route.Members, back: route.back,
		Preview: route.Leaves(to), before: route.Preview}
	bodies := []json.RawMessage{}
	for i, member := range s.members {
		patch, needed, err := one(member, route.Members[i])
		if err != nil {
			return Patch{}, err
		}
		if needed {
			patch.member = i
			whole.Members = append(whole.Members, patch)
		}
	}
	if route.back {
		slices.Reverse(whole.Members)
	}
	for _, patch := range whole.Members {
		bodies = append(bodies, patch.Body)
	}
	body, err := json.Marshal(bodies)
	if err != nil {
		return Patch{}, fmt.Errorf("plan %s for %s: %w", to, route.Object, err)
	}
	whole.Body = body
	return whole, nil
}

// After implements Router.
func (s *switchSet) After(route Route, patch Patch) (Route, error) {
	if s = s.of(route.Members); len(route.Members) == 0 || len(route.Members) != len(s.members) {
		return Route{}, fmt.Errorf("plan what comes after %s for %s: the routes were not read as a set", patch.Told(), route.Object)
	}
	members := slices.Clone(route.Members)
	for _, one := range patch.Members {
		left, err := s.members[one.member].After(members[one.member], one)
		if err != nil {
			return Route{}, err
		}
		members[one.member] = left
	}
	return together(members), nil
}

// Receivers implements Router: those of the member that has the fewest.
func (s *switchSet) Receivers(ctx context.Context, color string) (int, error) {
	s, _, err := s.existing(ctx)
	if err != nil {
		return 0, err
	}
	counts, err := all(s, func(member Router) (int, error) { return member.Receivers(ctx, color) })
	if err != nil {
		return 0, err
	}
	return slices.Min(counts), nil
}

// Prove implements Router: every member is proven that is not gone.
func (s *switchSet) Prove(ctx context.Context, split Split) (Proof, error) {
	if len(split) == 0 {
		return s.proveMixed(ctx)
	}
	s, gone, err := s.existing(ctx)
	if err != nil {
		return Proof{}, err
	}
	proofs, err := all(s, func(member Router) (Proof, error) { return member.Prove(ctx, split) })
	if err != nil {
		return Proof{}, err
	}
	whole := Proof{Proven: true, Time: proofs[0].Time}
	same, sentences := true, make([]string, len(proofs))
	for i, proof := range proofs {
		whole.Proven = whole.Proven && proof.Proven
		whole.Ready, whole.Missing, whole.Extra = union(whole.Ready, proof.Ready), union(whole.Missing, proof.Missing), union(whole.Extra, proof.Extra)
		whole.Remedy = cmp.Or(whole.Remedy, proof.Remedy)
		same, sentences[i] = same && proof.Message == proofs[0].Message, s.objects[i]+": "+proof.Message
		if proof.Time.Before(whole.Time) {
			whole.Time = proof.Time
		}
	}
	if whole.Message = strings.Join(sentences, "; "); same {
		whole.Message = proofs[0].Message // they lead to the same pods
	}
	if len(gone) > 0 {
		whole.Message += "; of " + strings.Join(gone, ", ") + ", which is gone, nothing is proven"
	}
	return whole, nil
}

// proveMixed is what there is to say of routes that have no split in common.
func (s *switchSet) proveMixed(ctx context.Context) (Proof, error) {
	route, err := s.Read(ctx)
	if err != nil && route.Object == "" {
		return Proof{}, err
	}
	return Proof{Time: s.clock.Now(), Message: "the routes of the set: " + route.Shares()}, nil
}

// union is a list and what another has beyond it.
func union(list, other []string) []string {
	for _, text := range other {
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// Stop implements Router: it is asked for on every member that can be written,
// and one is enough.
func (s *switchSet) Stop(ctx context.Context, reason string) error {
	failures, _ := all(s, func(member Router) (error, error) { return member.Stop(ctx, reason), nil })
	if slices.Contains(failures, nil) {
		return nil
	}
	return several(failures)
}

// Capabilities implements Router: what every member can do, and what any needs.
func (s *switchSet) Capabilities() Capabilities {
	return Capabilities{
		Previews:       s.previews(),
		Weights:        !slices.ContainsFunc(s.members, func(member Router) bool { return !member.Capabilities().Weights }),
		KeepsBothSides: slices.ContainsFunc(s.members, func(member Router) bool { return member.Capabilities().KeepsBothSides }),
	}
}

// previews are what every member can lead requests by.
func (s *switchSet) previews() release.Previews {
	able := release.Previews{Header: true, Cookie: true}
	for _, member := range s.members {
		one := member.Capabilities().Previews
		able.Header, able.Cookie = able.Header && one.Header, able.Cookie && one.Cookie
	}
	return able
}

// Undo implements Router: the lines of the members in the order in which they
// are given back, as one.
func (s *switchSet) Undo(route Route, color string) string {
	var lines []string
	members := route.Members
	if len(members) == 0 {
		members = make([]Route, len(s.members)) // nothing of them is known
	} else {
		s = s.of(members)
	}
	for i, member := range s.members {
		if line := member.Undo(members[i], color); line != "" {
			lines = append(lines, line)
		}
	}
	slices.Reverse(lines)
	return strings.Join(lines, "; ")
}

// several are errors as one that is all of them, on one line.
type several []error

// Error says all of them.
func (s several) Error() string {
	var texts []string
	for _, err := range s {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns all of them.
func (s several) Unwrap() []error { return s }
