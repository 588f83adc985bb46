package crash

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/rollout"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// The commands that a case is made of.
const (
	shift    = "shift"
	rollback = "rollback"
	resume   = "resume"
)

// Landing is on which side of a write the program is killed.
type Landing string

// The two landings.
const (
	// Before: the write never reaches the API server.
	Before Landing = "before"
	// After: the write has landed, and the program never hears of it.
	After Landing = "after"
)

// Kill is where a program is killed: the first time that it comes there.
type Kill struct {
	Point   Point
	Landing Landing
	// Begun: not before the run is on record. A run that begins makes sure
	// that the one before it is archived, which is the same write as its own
	// archive in the end.
	Begun bool
}

// Step is one command, killed or left to its end.
type Step struct {
	Command string
	// Kill is nil for a command that must end by itself, with exit code 0.
	Kill *Kill
}

// Case is a list of commands of which the last is left to its end.
type Case struct {
	Name string
	// From is the colour that serves before the first command.
	From  string
	Steps []Step
	// Serves is the colour that must serve after the last.
	Serves string
}

// killed is a step that ends at a point.
func killed(command string, point Point, landing Landing) Step {
	return Step{Command: command, Kill: &Kill{Point: point, Landing: landing}}
}

// undisturbed is a step that is left to its end.
func undisturbed(command string) Step { return Step{Command: command} }

// Forward are the transitions of a shift, in order. One by a step on its way
// switches twice.
func (d Driver) Forward() []Point {
	phases := []rollout.Phase{rollout.Preflight, rollout.Apply, rollout.WaitReady, rollout.CleanLogs, rollout.Health, rollout.Synthetic,
		rollout.Baseline, rollout.HoldFloor, rollout.Switch, rollout.Prove}
	if d.Parts {
		phases = append(phases, rollout.Hold, rollout.Switch, rollout.Prove)
	}
	return transitions(append(phases, rollout.Watch, rollout.Confirm, rollout.Drain, rollout.GiveBack, rollout.Done)...)
}

// Backward are the transitions of a rollback, in order.
func Backward() []Point {
	return transitions(rollout.Revert, rollout.ProveRevert, rollout.Preserve, rollout.DrainReverse, rollout.End,
		rollout.Recover, rollout.Restore, rollout.RolledBack)
}

func transitions(phases ...rollout.Phase) []Point {
	var points []Point
	for i := 1; i < len(phases); i++ {
		points = append(points, Point{Kind: Transition, What: fmt.Sprintf("%s → %s", phases[i-1], phases[i])})
	}
	return points
}

// moved is the first transition of a shift after which a rollback has traffic
// to give back.
const moved = "baseline → hold-floor"

// whole are the points of a run's record that are killed beside its
// transitions: its first write, and its last.
func whole(points []Point) []Point {
	all := append([]Point{{Kind: Begin}}, points...)
	return append(all, Point{Kind: Finish})
}

// once leaves out the points that came before.
func once(points []Point) []Point {
	var first []Point
	for _, point := range points {
		if !slices.Contains(first, point) {
			first = append(first, point)
		}
	}
	return first
}

// Chains kill one shift at every transition, each time in the process that
// resumed it, and then one rollback.
func (d Driver) Chains() []Case {
	return []Case{
		{Name: "one shift, killed at every transition and resumed", From: shop.Blue, Serves: shop.Green, Steps: chain(shift, resume, whole(d.Forward()))},
		{Name: "one rollback, killed at every transition and resumed", From: shop.Green, Serves: shop.Blue, Steps: chain(rollback, resume, whole(Backward()))},
	}
}

// chain kills a command at the first of the points, and what goes on at each
// of the others.
func chain(command, again string, points []Point) []Step {
	var steps []Step
	for _, point := range points {
		steps = append(steps, killed(command, point, After))
		command = again
	}
	return append(steps, undisturbed(again))
}

// Reversals kill a shift at each of its transitions, the first time that it
// comes there, and roll back. Where that has traffic to give back, the rollback
// is killed too, each time at another of its transitions, and done again.
func (d Driver) Reversals() []Case {
	var cases []Case
	backward, back := Backward(), false
	for _, point := range once(whole(d.Forward())) {
		steps := []Step{killed(shift, point, After)}
		if back = back || point.What == moved; back && len(backward) > 0 {
			steps = append(steps, killed(rollback, backward[0], After))
			backward = backward[1:]
		}
		steps = append(steps, undisturbed(rollback))
		cases = append(cases, Case{Name: "shift killed at " + point.String() + ", rolled back", From: shop.Blue, Serves: shop.Blue, Steps: steps})
	}
	return cases
}

// Matrix kills a shift and a rollback at every one of their points, before and
// after it lands, and goes on in both ways. The points are those of an
// undisturbed run of each. Cases that leave a colour in production come before
// those that begin with it.
func Matrix(forward, backward []Point) []Case {
	var ahead, back []Case
	ways := []string{resume, rollback}
	for _, landing := range []Landing{Before, After} {
		for i, point := range forward {
			for _, way := range ways {
				ahead = append(ahead, cell(shift, way, point, landing, begun(forward, i, landing)))
			}
		}
		for i, point := range backward {
			for _, way := range ways {
				back = append(back, cell(rollback, way, point, landing, begun(backward, i, landing)))
			}
		}
	}
	return interleave(ahead, back)
}

// begun reports whether the record of a run is there after a kill at one of
// its points.
func begun(points []Point, at int, landing Landing) bool {
	for i, point := range points {
		if point.Kind == Begin {
			return at > i || at == i && landing == After
		}
	}
	return false
}

// cell is one case of the matrix. Of a run that never began nothing goes on: a
// person types the command again.
func cell(command, way string, point Point, landing Landing, begun bool) Case {
	found := Case{
		Name: fmt.Sprintf("%s killed %s %s, %s", command, landing, point, way), From: shop.Blue, Serves: shop.Green,
		Steps: []Step{killed(command, point, landing), undisturbed(way)},
	}
	found.Steps[0].Kill.Begun = begun && point.Kind != Begin
	if command == rollback || way == rollback {
		found.Serves = shop.Blue
	}
	if command == rollback {
		found.From = shop.Green
	}
	if !begun && way == resume {
		found.Steps = append(found.Steps, undisturbed(command))
	}
	return found
}

// interleave puts a case that begins with green behind each that ends there,
// so that less has to be moved in between.
func interleave(ahead, back []Case) []Case {
	var cases []Case
	for _, found := range ahead {
		cases = append(cases, found)
		if found.Serves == shop.Green && len(back) > 0 {
			cases = append(cases, back[0])
			back = back[1:]
		}
	}
	return append(cases, back...)
}

// Shard is one of several about equal parts of the cases, in their order:
// part, from 1, of parts.
func Shard[C any](cases []C, part, parts int) []C {
	return cases[len(cases)*(part-1)/parts : len(cases)*part/parts]
}

// ParseShard reads PART/PARTS; "" is all of it.
func ParseShard(text string) (part, parts int, err error) {
	if text == "" {
		return 1, 1, nil
	}
	_, err = fmt.Sscanf(text, "%d/%d", &part, &parts)
	if err != nil || strings.TrimSpace(text) != fmt.Sprintf("%d/%d", part, parts) || part < 1 || part > parts {
		return 0, 0, fmt.Errorf("read shard %q: want PART/PARTS, such as 2/5", text)
	}
	return part, parts, nil
}
