package crash

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/interpose"
	"github.com/bluegreen-dev/kubectl-bluegreen/test/shop"
)

// points are a run, as it lands.
func points(texts ...string) []Point {
	var all []Point
	for _, text := range texts {
		kind, what, _ := strings.Cut(text, ": ")
		all = append(all, Point{Kind: Kind(kind), What: what})
	}
	return all
}

// kills counts how often the cases kill at each transition.
func kills(cases []Case) map[Point]int {
	counted := map[Point]int{}
	for _, found := range cases {
		for _, step := range found.Steps {
			if step.Kill != nil {
				counted[step.Kill.Point]++
			}
		}
	}
	return counted
}

// Every transition of both directions is killed and resumed, as often as a run
// comes there, and once and rolled back; every case ends with a command that
// nobody kills.
func TestOnceKillsEveryTransition(t *testing.T) {
	for _, driver := range Drivers() {
		transitions := slices.Concat(driver.Forward(), Backward())
		comes := func(point Point) (times int) {
			for _, known := range transitions {
				if known == point {
					times++
				}
			}
			return times
		}
		chains, reversals := driver.Chains(), driver.Reversals()
		resumed, reversed := kills(chains), kills(reversals)
		for _, point := range transitions {
			if resumed[point] != comes(point) || reversed[point] != 1 {
				t.Errorf("%s: %s is killed %d times and resumed, want %d, and %d times and rolled back, want 1", driver.Name, point, resumed[point], comes(point), reversed[point])
			}
		}
		for _, found := range slices.Concat(chains, reversals) {
			if last := found.Steps[len(found.Steps)-1]; last.Kill != nil {
				t.Errorf("%s: %s ends with a kill", driver.Name, found.Name)
			}
		}
	}
}

// A route that can give a part has a step on its way, and is killed in it.
func TestPartsAreKilled(t *testing.T) {
	parts := Point{Kind: Transition, What: "hold → switch"}
	for _, driver := range Drivers() {
		if got := kills(driver.Chains())[parts]; got != map[bool]int{true: 1}[driver.Parts] {
			t.Errorf("%s: %d kills as the step ends", driver.Name, got)
		}
		document := &release.Release{}
		driver.Quick(release.DrainNone)(document)
		if parts := len(document.Spec.Traffic.Steps) > 1; parts != driver.Parts {
			t.Errorf("%s: the steps are %+v", driver.Name, document.Spec.Traffic.Steps)
		}
	}
}

// The matrix kills at every point on both sides and goes on in both ways.
func TestMatrix(t *testing.T) {
	forward := points("lease: take", "begin", "intent: switch service/svc", "finish", "lease: give up")
	backward := points("lease: take", "begin", "finish")
	cases := Matrix(forward, backward)
	if want := 4 * (len(forward) + len(backward)); len(cases) != want {
		t.Errorf("%d cases, want %d", len(cases), want)
	}
	names := map[string]Case{}
	for _, found := range cases {
		names[found.Name] = found
	}
	if len(names) != len(cases) {
		t.Error("two cases have one name")
	}
	tests := map[string]Case{
		"shift killed after intent switch service/svc, resume":    {From: shop.Blue, Serves: shop.Green},
		"shift killed before intent switch service/svc, rollback": {From: shop.Blue, Serves: shop.Blue},
		"rollback killed before finish, resume":                   {From: shop.Green, Serves: shop.Blue},
		"rollback killed after finish, rollback":                  {From: shop.Green, Serves: shop.Blue},
	}
	for name, want := range tests {
		found, known := names[name]
		if !known || found.From != want.From || found.Serves != want.Serves || len(found.Steps) != 2 {
			t.Errorf("%s: %+v", name, found)
		}
	}
	// Of a run that never began there is nothing to resume.
	for name, steps := range map[string]string{
		"shift killed after lease take, resume":     "shift resume shift",
		"shift killed before begin, resume":         "shift resume shift",
		"shift killed after begin, resume":          "shift resume",
		"shift killed before begin, rollback":       "shift rollback",
		"rollback killed before lease take, resume": "rollback resume rollback",
	} {
		var commands []string
		for _, step := range names[name].Steps {
			commands = append(commands, step.Command)
		}
		if got := strings.Join(commands, " "); got != steps {
			t.Errorf("%s: %q, want %q", name, got, steps)
		}
	}
}

// The shards hold every case once, in order.
func TestShards(t *testing.T) {
	cases := Matrix(points("begin", "finish"), points("begin"))
	for parts := 1; parts <= len(cases)+2; parts++ {
		var names []string
		for part := 1; part <= parts; part++ {
			for _, found := range Shard(cases, part, parts) {
				names = append(names, found.Name)
			}
		}
		var want []string
		for _, found := range cases {
			want = append(want, found.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("%d shards hold %q", parts, names)
		}
	}
	for text, want := range map[string]string{"": "1 1 <nil>", "2/5": "2 5 <nil>", "5/5": "5 5 <nil>"} {
		part, parts, err := ParseShard(text)
		if got := fmt.Sprint(part, parts, err); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"0/5", "6/5", "x", "1/2/3", "1/0", "-1/2", "1"} {
		if _, _, err := ParseShard(text); err == nil {
			t.Errorf("%q is a shard", text)
		}
	}
}

// What is killed at an archive is killed at its own, and not at the one that it
// makes sure of as it begins; what is killed as it begins is killed then.
func TestAKillWaitsForTheBeginning(t *testing.T) {
	archive, begin := Point{Kind: Archive, What: "create"}, Point{Kind: Begin}
	cases := Matrix([]Point{begin, archive}, nil)
	for _, found := range cases {
		kill := found.Steps[0].Kill
		if want := kill.Point == archive; kill.Begun != want {
			t.Errorf("%s: begun %v, want %v", found.Name, kill.Begun, want)
		}
	}
	early := &interpose.Exchange{Stage: interpose.Arriving}
	dying := &victim{kill: &Kill{Point: archive, Landing: Before, Begun: true}}
	if dying.dies(archive, early) {
		t.Error("it dies before it has begun")
	}
	dying.points = []Point{begin}
	if !dying.dies(archive, early) {
		t.Error("it does not die once it has begun")
	}
}
