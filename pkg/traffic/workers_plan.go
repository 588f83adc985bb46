package traffic

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// Plan implements Router. A move is two writes, and between them one side has to
// become ready, or to be gone: the patch lists both, and says in Awaits why the
// second can't be written yet. Whoever moves workers plans again until the split
// is what was asked for; each plan goes by what stands there.
func (r *workersRouter) Plan(route Route, to Split, fence cluster.Fence) (Patch, error) {
	patch, err := r.plan(route, to, fence)
	if err != nil {
		return Patch{}, fmt.Errorf("plan %s for %s: %w", to, r.object(), err)
	}
	return patch, nil
}

func (r *workersRouter) plan(route Route, to Split, fence cluster.Fence) (Patch, error) {
	seen, ok := route.Live.(workers)
	if !ok {
		return Patch{}, errors.New("the route was not read by this driver")
	}
	if err := withoutPreviews(route, to); err != nil {
		return Patch{}, err
	}
	if route.Split.Equal(to) && (len(to) > 0 || r.oldFirst) {
		return r.stamps(route, seen, fence)
	}
	if err := r.mayMove(route, seen, to); err != nil {
		return Patch{}, err
	}
	move := &workersMove{route: route, seen: seen, to: to, fence: fence, oldFirst: r.oldFirst,
		wanted: seen.wanted(to, route.back), goesOn: seen.moving(to)}
	return move.plan()
}

// mayMove refuses a split that can't be made.
func (r *workersRouter) mayMove(route Route, seen workers, to Split) error {
	if err := to.Validate(); err != nil {
		return err
	}
	for color := range to {
		if !slices.Contains(r.colors, color) {
			return fmt.Errorf("the release has no colour %s", color)
		}
	}
	if to.Sole() == "" && r.oldFirst {
		return release.WithHint(fmt.Errorf("with workers.order %s two versions never take jobs at once: %w", release.OldFirst, ErrUnsupportedSplit),
			"use one step of weight 100, or workers.order "+release.NewFirst)
	}
	if _, err := seen.split(r.oldFirst); err != nil && !route.back {
		return fmt.Errorf("it is given back and moved no other way: %w", err)
	}
	return nil
}

// stamps are patches that move nothing: each Deployment that lacks the stamp gets
// it, and the side that takes everything a record of how many it is.
func (r *workersRouter) stamps(route Route, seen workers, fence cluster.Fence) (Patch, error) {
	whole := wholePatch(route, route.Split, fence)
	err := eachMember(route, seen, func(member Route, one crew) error {
		var changes []cluster.Operation
		if replicas := strconv.Itoa(int(one.replicas())); route.Split.Sole() == one.color && one.note(cluster.AnnotationReplicas) != replicas {
			changes = append(changes, cluster.Annotate(cluster.AnnotationReplicas, replicas))
		}
		if member.Fence == fence && len(changes) == 0 {
			return nil
		}
		patch, err := fenced(member, one.workload.Object, route.Split, fence, changes...)
		whole.Members = append(whole.Members, patch)
		return err
	})
	if err != nil {
		return Patch{}, err
	}
	return whole.bodied()
}

// Obeyed implements Router.
func (r *workersRouter) Obeyed(route Route, fence cluster.Fence) (Patch, error) {
	seen, ok := route.Live.(workers)
	if !ok {
		return Patch{}, fmt.Errorf("take the stop off %s: the route was not read by this driver", r.object())
	}
	whole := wholePatch(route, route.Split, fence)
	err := eachMember(route, seen, func(member Route, one crew) error {
		if member.Stop == "" {
			return nil
		}
		patch, err := fenced(member, one.workload.Object, route.Split, fence, withoutStop(one.workload.Object)...)
		whole.Members = append(whole.Members, patch)
		return err
	})
	if err != nil {
		return Patch{}, fmt.Errorf("take the stop off %s: %w", r.object(), err)
	}
	return whole.bodied()
}

// eachMember goes through the Deployments that there are.
func eachMember(route Route, seen workers, do func(member Route, one crew) error) error {
	for _, one := range seen {
		at := slices.IndexFunc(route.Members, func(member Route) bool { return member.Object == one.ref.String() })
		if !one.deployed() || at < 0 {
			continue
		}
		if err := do(route.Members[at], one); err != nil {
			return err
		}
	}
	return nil
}

// wholePatch is a patch of both without any write yet.
func wholePatch(route Route, to Split, fence cluster.Fence) Patch {
	return Patch{Object: route.Object, Namespace: route.Namespace, From: route.Split, To: to, Fence: fence, Members: []Patch{}, read: []Route{route}, back: route.back}
}

// bodied is the patch with those of its members as its body.
func (p Patch) bodied() (Patch, error) {
	bodies := []json.RawMessage{}
	for _, member := range p.Members {
		bodies = append(bodies, member.Body)
	}
	body, err := json.Marshal(bodies)
	p.Body = body
	return p, err
}

// workersMove plans one move.
type workersMove struct {
	route    Route
	seen     workers
	to       Split
	fence    cluster.Fence
	oldFirst bool
	wanted   map[string]int32
	// goesOn: the first write of it is done.
	goesOn bool
}

// plan lists the writes. What goes first is written at once, and everything is
// recorded on the other side before it: a move that is cut off then tells whence
// it came, whichever side is asked.
func (m *workersMove) plan() (Patch, error) {
	if absent := m.absent(); absent != "" && m.route.back {
		return Patch{}, fmt.Errorf("%s, so there is no way back", absent)
	}
	raised, lowered, stays := m.sorted()
	first, last := raised, lowered
	if m.oldFirst {
		first, last = lowered, raised
	}
	whole := wholePatch(m.route, m.to, m.fence)
	absent, err := m.absent(), error(nil)
	if whole.Awaits = absent; absent == "" && len(last) > 0 {
		if whole.Awaits, err = m.awaits(); err != nil {
			return Patch{}, err
		}
	}
	records := stays
	if whole.Awaits != "" && !m.goesOn {
		records = append(records, last...)
	}
	for _, one := range records {
		err = errors.Join(err, m.record(&whole, one, absent != ""))
	}
	for _, one := range first {
		err = errors.Join(err, m.scale(&whole, one, absent != ""))
	}
	for _, one := range last {
		err = errors.Join(err, m.scale(&whole, one, whole.Awaits != ""))
	}
	if err != nil {
		return Patch{}, err
	}
	return whole.bodied()
}

// absent says which side is to take jobs and is not deployed, "" for none. Before
// it is, nothing is taken from the other.
func (m *workersMove) absent() string {
	for _, one := range m.seen {
		if !one.deployed() && m.wanted[one.color] > 0 {
			return fmt.Sprintf("%s does not exist", one.ref)
		}
	}
	return ""
}

// sorted says which sides get more replicas, which fewer, and which are as they
// should be.
func (m *workersMove) sorted() (raised, lowered, stays []crew) {
	for _, one := range m.seen {
		wanted := m.wanted[one.color]
		switch {
		case !one.deployed():
		case one.replicas() < wanted:
			raised = append(raised, one)
		case one.replicas() > wanted:
			lowered = append(lowered, one)
		default:
			stays = append(stays, one)
		}
	}
	return raised, lowered, stays
}

// awaits is why the side that goes last has to wait: the other is not ready, or
// not gone.
func (m *workersMove) awaits() (string, error) {
	for _, one := range m.seen {
		wanted := m.wanted[one.color]
		switch {
		case m.oldFirst && wanted == 0 && one.replicas() > 0:
			return fmt.Sprintf("the pods of %s have to be gone first", one.color), nil
		case m.oldFirst && wanted == 0 && one.pods > 0:
			return fmt.Sprintf("%d pods of %s are still ending", one.pods, one.color), nil
		case m.oldFirst || wanted == 0 || m.route.unready:
		case one.replicas() < wanted:
			return fmt.Sprintf("the %d pods of %s have to be ready first", wanted, one.color), nil
		default:
			is, why := one.ready()
			if !is && one.workload.Readiness.Done && !m.route.back {
				return "", errors.New(why)
			}
			if !is {
				return why, nil
			}
		}
	}
	return "", nil
}

// record notes the move on a side that is not scaled by it, or not yet.
func (m *workersMove) record(whole *Patch, one crew, held bool) error {
	member := m.member(one)
	if m.goesOn && member.Fence == m.fence && member.Stop == "" {
		return nil
	}
	patch, err := fenced(member, one.workload.Object, m.to, m.fence, m.marks(one)...)
	patch.held, patch.Will = held, "the move is recorded on it"
	whole.Members = append(whole.Members, patch)
	return err
}

// scale gives a side the replicas that it is to have.
func (m *workersMove) scale(whole *Patch, one crew, held bool) error {
	wanted := m.wanted[one.color]
	changes := append([]cluster.Operation{cluster.Replicas(wanted)}, m.marks(one)...)
	patch, err := fenced(m.member(one), one.workload.Object, m.to, m.fence, changes...)
	patch.held = held
	patch.Was, patch.Will = replicas(one.replicas()), replicas(wanted)
	whole.Members = append(whole.Members, patch)
	return err
}

func (m *workersMove) member(one crew) Route {
	at := slices.IndexFunc(m.route.Members, func(member Route) bool { return member.Object == one.ref.String() })
	return m.route.Members[at]
}

// marks are the annotations of a move: what it is to and how many the side gets
// for it, how many it is when it takes everything, and, when the move begins,
// whence it came.
func (m *workersMove) marks(one crew) []cluster.Operation {
	full := one.full()
	if wanted := m.wanted[one.color]; wanted > one.replicas() && !m.route.back {
		full = m.seen.most()
	}
	object := one.workload.Object
	marks := []cluster.Operation{
		cluster.Annotate(cluster.AnnotationSplit, m.to.String()),
		cluster.Annotate(cluster.AnnotationGiven, strconv.Itoa(int(m.wanted[one.color]))),
		cluster.Annotate(cluster.AnnotationReplicas, strconv.Itoa(int(full))),
	}
	if m.goesOn {
		return append(marks, withoutStop(object)...)
	}
	if origin := m.route.Split.Sole(); origin != "" && m.to.Sole() != "" {
		marks = append(marks, cluster.Annotate(cluster.AnnotationOrigin, origin))
	}
	return append(marks, switched(object, m.route.Split, m.to)...)
}

// replicas is a count for people.
func replicas(count int32) string {
	if count == 1 {
		return "1 replica"
	}
	return fmt.Sprintf("%d replicas", count)
}
