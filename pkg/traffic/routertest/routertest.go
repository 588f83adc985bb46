// Package routertest holds every traffic.Router to the same behaviour: what
// one driver promises about races, stale runs and the edits of others, all
// do. A driver's test makes a fresh route, hands over the few ways in which
// it can be disturbed, and calls Run. The same suite runs against a fake and
// against a real cluster.
package routertest

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/traffic"
)

// Fixture is one fresh route that gives everything to Live, unstamped, and
// the ways to disturb it past the Router.
type Fixture struct {
	Router     traffic.Router
	Live, Idle string
	// Edit changes something of the route that is not the Router's, as
	// another person would.
	Edit func(t *testing.T)
	// CheckEdit fails the test if that change is gone.
	CheckEdit func(t *testing.T)
	// Stamp puts a fence on the route.
	Stamp func(t *testing.T, fence cluster.Fence)
	// Break makes the route select no colour clearly.
	Break func(t *testing.T)
	// Delete removes the route.
	Delete func(t *testing.T)
	// Forbid takes away the right to write it.
	Forbid func(t *testing.T)
	// Weights are the ways of a route that has weights; nil for others.
	Weights *Weights
	// Previews are the ways of a route that can lead some requests to one colour;
	// nil for others.
	Previews *Previews
}

// Weights disturb, and look at, the backends of a route that has weights.
type Weights struct {
	// Other adds a backend of somebody else's, which gets a fifth of all
	// requests. Double makes the live colour's backend stand twice. Both are
	// nil where the route has a place for each colour and none for others.
	Other, Double func(t *testing.T)
	// Backends are the weights as they stand in the object, in order.
	Backends func(t *testing.T) []Backend
	// Further adds a part that leads to others alone, with weights; nil where the
	// route has one part.
	Further func(t *testing.T)
	// Tied: those of a further part are multiplied with the colours' while the route
	// shares.
	Tied bool
	// Rest is all of the object that is not the Router's; nil where there is more than
	// one object.
	Rest func(t *testing.T) map[string]any
}

// Backend is one backend of a route: Color is "" for somebody else's.
type Backend struct {
	Color  string
	Weight int64
}

// shares are the shares of all requests, by colour, in parts of one.
func shares(backends []Backend) map[string]float64 {
	sum, found := 0.0, map[string]float64{}
	for _, one := range backends {
		sum += float64(one.Weight)
	}
	for _, one := range backends {
		found[one.Color] += float64(one.Weight) / sum
	}
	return found
}

var fence = cluster.Fence{Epoch: 4, Holder: "ann@laptop/12"}

// Run runs the suite; setup makes a fresh Fixture for every test.
func Run(t *testing.T, setup func(t *testing.T) Fixture) {
	for name, test := range map[string]func(*testing.T, Fixture){
		"read":                 testRead,
		"switch and back":      testSwitch,
		"write to where it is": testAlready,
		"weights":              testWeights,
		"dry run":              testDryRun,
		"lost race":            testLostRace,
		"stale epoch":          testStaleEpoch,
		"foreign edit stays":   testForeignEdit,
		"stop":                 testStop,
		"no clear colour":      testBroken,
		"missing":              testMissing,
		"what is left":         testLeft,
		"forbidden":            testForbidden,
		"unknown colour":       testUnknownColor,
		"undo":                 testUndo,
		"steps":                testSteps,
		"others keep theirs":   testOthers,
		"a backend twice":      testDouble,
		"a preview":            testPreview,
		"another preview":      testPreviewChanged,
		"races for a preview":  testPreviewRaces,
		"edits by a preview":   testPreviewEdits,
		"a preview is taken":   testPreviewTaken,
		"a preview is stopped": testPreviewStopped,
		"a preview is refused": testPreviewRefused,
	} {
		t.Run(name, func(t *testing.T) { test(t, setup(t)) })
	}
}

func read(t *testing.T, router traffic.Router) traffic.Route {
	t.Helper()
	route, err := router.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return route
}

func plan(t *testing.T, router traffic.Router, route traffic.Route, to traffic.Split) traffic.Patch {
	t.Helper()
	patch, err := router.Plan(route, to, fence)
	if err != nil {
		t.Fatal(err)
	}
	return patch
}

func write(t *testing.T, router traffic.Router, to traffic.Split) traffic.Route {
	t.Helper()
	route, err := router.Write(context.Background(), plan(t, router, read(t, router), to), false)
	if err != nil {
		t.Fatal(err)
	}
	return route
}

func wantSplit(t *testing.T, route traffic.Route, want traffic.Split) {
	t.Helper()
	if !route.Split.Equal(want) {
		t.Errorf("%s is at %s, want %s", route.Object, route.Split, want)
	}
}

func testRead(t *testing.T, f Fixture) {
	route := read(t, f.Router)
	wantSplit(t, route, traffic.Whole(f.Live))
	if err := route.Split.Validate(); err != nil {
		t.Error(err)
	}
	if route.Object == "" || route.Namespace == "" || route.ResourceVersion == "" || route.Previous != nil || route.Stop != "" {
		t.Errorf("route %+v", route)
	}
}

func testSwitch(t *testing.T, f Fixture) {
	there := write(t, f.Router, traffic.Whole(f.Idle))
	wantSplit(t, there, traffic.Whole(f.Idle))
	if diff := cmp.Diff(traffic.Whole(f.Live), there.Previous); diff != "" || there.Fence != fence {
		t.Errorf("fence %v, previous %s", there.Fence, diff)
	}
	wantSplit(t, read(t, f.Router), traffic.Whole(f.Idle))
	back := write(t, f.Router, there.Previous)
	wantSplit(t, back, traffic.Whole(f.Live))
	if diff := cmp.Diff(traffic.Whole(f.Idle), back.Previous); diff != "" {
		t.Error(diff)
	}
}

// testAlready writes twice, as a resumed run does: the record of where the
// route came from must outlive it.
func testAlready(t *testing.T, f Fixture) {
	write(t, f.Router, traffic.Whole(f.Idle))
	again := write(t, f.Router, traffic.Whole(f.Idle))
	wantSplit(t, again, traffic.Whole(f.Idle))
	if diff := cmp.Diff(traffic.Whole(f.Live), again.Previous); diff != "" {
		t.Error(diff)
	}
}

func testWeights(t *testing.T, f Fixture) {
	half := traffic.Between(f.Idle, f.Live, 50)
	if f.Router.Capabilities().Weights {
		wantSplit(t, write(t, f.Router, half), half)
		return
	}
	if _, err := f.Router.Plan(read(t, f.Router), half, fence); !errors.Is(err, traffic.ErrUnsupportedSplit) {
		t.Errorf("err = %v, want ErrUnsupportedSplit", err)
	}
}

// weighted is what a test of weights needs; a route that has weights must
// have it.
func weighted(t *testing.T, f Fixture) *Weights {
	t.Helper()
	if f.Weights == nil && f.Router.Capabilities().Weights {
		t.Fatal("a route with weights, and a fixture without")
	}
	if f.Weights == nil {
		t.Skip("this kind of route has no weights")
	}
	return f.Weights
}

// testSteps goes up by steps and back: each reads as it was asked for and
// keeps the step before, and at the end every weight is what it was.
func testSteps(t *testing.T, f Fixture) {
	weights := weighted(t, f)
	if weights.Further != nil {
		weights.Further(t)
	}
	restKept := keepsRest(t, weights)
	before, last := weights.Backends(t), traffic.Whole(f.Live)
	for _, percent := range []int{1, 33, 50, 100} {
		to := traffic.Between(f.Idle, f.Live, percent)
		route := write(t, f.Router, to)
		wantSplit(t, route, to)
		if !route.Previous.Equal(last) {
			t.Errorf("at %s the split before is %s, want %s", to, route.Previous, last)
		}
		if route.Origin != f.Live {
			t.Errorf("at %s the route comes from %q, want %s", to, route.Origin, f.Live)
		}
		if got := shares(weights.Backends(t))[f.Idle]; math.Abs(got-float64(percent)/100) > 1e-9 {
			t.Errorf("%s has %.4f of all requests, want %d %%", f.Idle, got, percent)
		}
		if !weights.Tied {
			restKept()
		}
		last = to
	}
	wantRestored(t, f, before)
	restKept()
}

// keepsRest looks at what is not the Router's, and returns what fails the test if that
// has changed.
func keepsRest(t *testing.T, weights *Weights) func() {
	t.Helper()
	if weights.Rest == nil {
		return func() {}
	}
	before := weights.Rest(t)
	return func() {
		t.Helper()
		if diff := cmp.Diff(before, weights.Rest(t)); diff != "" {
			t.Errorf("what is not the router's (-before +after):\n%s", diff)
		}
	}
}

// wantRestored gives everything back, which makes every weight what it was.
func wantRestored(t *testing.T, f Fixture, before []Backend) {
	t.Helper()
	wantSplit(t, write(t, f.Router, traffic.Whole(f.Live)), traffic.Whole(f.Live))
	if diff := cmp.Diff(before, f.Weights.Backends(t)); diff != "" {
		t.Errorf("weights (-before +after):\n%s", diff)
	}
}

// testOthers: whatever the colours share, a third backend keeps its fifth.
func testOthers(t *testing.T, f Fixture) {
	weights := weighted(t, f)
	if weights.Other == nil {
		t.Skip("this kind of route has no place for another backend")
	}
	weights.Other(t)
	before := weights.Backends(t)
	for _, percent := range []int{30, 50, 100} {
		to := traffic.Between(f.Idle, f.Live, percent)
		wantSplit(t, write(t, f.Router, to), to)
		got := shares(weights.Backends(t))
		if math.Abs(got[""]-0.2) > 1e-9 || math.Abs(got[f.Idle]-0.8*float64(percent)/100) > 1e-9 {
			t.Errorf("at %s the shares of all requests are %v", to, got)
		}
	}
	wantRestored(t, f, before)
}

// testDouble: which of two entries is meant, nobody can tell.
func testDouble(t *testing.T, f Fixture) {
	weights := weighted(t, f)
	if weights.Double == nil {
		t.Skip("this kind of route has one place for each colour")
	}
	weights.Double(t)
	if _, err := f.Router.Read(context.Background()); !errors.Is(err, traffic.ErrNoColor) {
		t.Errorf("read: err = %v, want ErrNoColor", err)
	}
}

func testDryRun(t *testing.T, f Fixture) {
	before := read(t, f.Router)
	would, err := f.Router.Write(context.Background(), plan(t, f.Router, before, traffic.Whole(f.Idle)), true)
	if err != nil {
		t.Fatal(err)
	}
	wantSplit(t, would, traffic.Whole(f.Idle))
	after := read(t, f.Router)
	wantSplit(t, after, traffic.Whole(f.Live))
	if after.ResourceVersion != before.ResourceVersion {
		t.Error("a dry run was kept")
	}
}

func testLostRace(t *testing.T, f Fixture) {
	patch := plan(t, f.Router, read(t, f.Router), traffic.Whole(f.Idle))
	f.Edit(t)
	if _, err := f.Router.Write(context.Background(), patch, false); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("err = %v, want ErrFenced", err)
	}
	wantSplit(t, read(t, f.Router), traffic.Whole(f.Live))
	f.CheckEdit(t)
}

func testStaleEpoch(t *testing.T, f Fixture) {
	patch := plan(t, f.Router, read(t, f.Router), traffic.Whole(f.Idle))
	later := cluster.Fence{Epoch: fence.Epoch + 1, Holder: "bob@desk/1"}
	f.Stamp(t, later)
	if _, err := f.Router.Write(context.Background(), patch, false); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("a late write: err = %v, want ErrFenced", err)
	}
	route := read(t, f.Router)
	if _, err := f.Router.Plan(route, traffic.Whole(f.Idle), fence); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("a plan on a newer stamp: err = %v, want ErrFenced", err)
	}
	wantSplit(t, route, traffic.Whole(f.Live))
	if route.Fence != later {
		t.Errorf("fence %v, want %v", route.Fence, later)
	}
}

func testForeignEdit(t *testing.T, f Fixture) {
	f.Edit(t)
	wantSplit(t, write(t, f.Router, traffic.Whole(f.Idle)), traffic.Whole(f.Idle))
	f.CheckEdit(t)
	wantSplit(t, write(t, f.Router, traffic.Whole(f.Live)), traffic.Whole(f.Live))
	f.CheckEdit(t)
}

// testStop asks for a stop, which a run's next switch answers.
func testStop(t *testing.T, f Fixture) {
	write(t, f.Router, traffic.Whole(f.Idle))
	if err := f.Router.Stop(context.Background(), "checkout is down"); err != nil {
		t.Fatal(err)
	}
	if route := read(t, f.Router); route.Stop != "checkout is down" || route.Fence != fence {
		t.Errorf("stop %q, fence %v", route.Stop, route.Fence)
	}
	if back := write(t, f.Router, traffic.Whole(f.Live)); back.Stop != "" {
		t.Errorf("stop %q is left", back.Stop)
	}
	if err := f.Router.Stop(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	if route := read(t, f.Router); route.Stop == "" {
		t.Error("a stop without a reason is not seen")
	}
}

func testBroken(t *testing.T, f Fixture) {
	route := read(t, f.Router)
	f.Break(t)
	broken, err := f.Router.Read(context.Background())
	if !errors.Is(err, traffic.ErrNoColor) || broken.Object != route.Object || len(broken.Split) > 0 {
		t.Errorf("read: %+v, err = %v, want what there is beside the split, and ErrNoColor", broken, err)
	}
	if _, err := f.Router.Plan(broken, traffic.Whole(f.Idle), fence); err == nil {
		t.Error("what can't be read is moved")
	}
	if _, err := f.Router.Prove(context.Background(), traffic.Whole(f.Live)); !errors.Is(err, traffic.ErrNoColor) {
		t.Errorf("prove: err = %v, want ErrNoColor", err)
	}
	patch := plan(t, f.Router, route, traffic.Whole(f.Idle))
	if _, err := f.Router.Write(context.Background(), patch, false); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("write: err = %v, want ErrFenced", err)
	}
	back, err := f.Router.Plan(broken.Back(), traffic.Whole(f.Live), fence)
	if err != nil {
		return // it can't be given back as it stands
	}
	written, err := f.Router.Write(context.Background(), back, false)
	if err != nil {
		t.Fatalf("give it back: %v", err)
	}
	wantSplit(t, written, traffic.Whole(f.Live))
	wantSplit(t, read(t, f.Router), traffic.Whole(f.Live))
}

func testMissing(t *testing.T, f Fixture) {
	patch := plan(t, f.Router, read(t, f.Router), traffic.Whole(f.Idle))
	f.Delete(t)
	if _, err := f.Router.Read(context.Background()); !apierrors.IsNotFound(err) {
		t.Errorf("read: err = %v", err)
	}
	if _, err := f.Router.Write(context.Background(), patch, false); !apierrors.IsNotFound(err) {
		t.Errorf("write: err = %v", err)
	}
}

// testLeft: of a route that is alone nothing is left once it is gone. What is left
// of a set is moved no further, and given back, also by a patch of before.
func testLeft(t *testing.T, f Fixture) {
	route := write(t, f.Router, traffic.Whole(f.Idle))
	before := plan(t, f.Router, route.Back(), traffic.Whole(f.Live))
	f.Delete(t)
	left, err := f.Router.Read(context.Background())
	if !apierrors.IsNotFound(err) {
		t.Errorf("read: err = %v", err)
	}
	if left.Object == "" {
		return
	}
	if len(left.Gone) != 1 || len(left.Members) != len(route.Members)-1 || len(left.Split) > 0 {
		t.Errorf("read %+v of %s, want the others and no split", left, route.Object)
	}
	if patch, err := f.Router.Plan(left, traffic.Whole(f.Idle), fence); err == nil {
		t.Errorf("what is left of a set is moved: %s", patch.Body)
	}
	if _, err := f.Router.Write(context.Background(), before, false); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("write: err = %v, want ErrFenced: it is to be read again", err)
	}
	left, _ = f.Router.Read(context.Background())
	written, err := f.Router.Write(context.Background(), plan(t, f.Router, left.Back(), traffic.Whole(f.Live)), false)
	if err != nil {
		t.Fatal(err)
	}
	wantSplit(t, written, traffic.Whole(f.Live))
	if !slices.Equal(written.Objects(), left.Objects()) {
		t.Errorf("%s was given back, want %s", written.Object, left.Object)
	}
}

func testForbidden(t *testing.T, f Fixture) {
	patch := plan(t, f.Router, read(t, f.Router), traffic.Whole(f.Idle))
	f.Forbid(t)
	_, err := f.Router.Write(context.Background(), patch, false)
	if !apierrors.IsForbidden(err) || errors.Is(err, cluster.ErrFenced) {
		t.Errorf("err = %v", err)
	}
	wantSplit(t, read(t, f.Router), traffic.Whole(f.Live))
}

func testUnknownColor(t *testing.T, f Fixture) {
	route := read(t, f.Router)
	for _, split := range []traffic.Split{traffic.Whole("purple"), {}, {f.Live: 70}} {
		if patch, err := f.Router.Plan(route, split, fence); err == nil {
			t.Errorf("planned %s: %s", split, patch.Body)
		}
	}
}

func testUndo(t *testing.T, f Fixture) {
	route := read(t, f.Router)
	undo := f.Router.Undo(route, f.Live)
	parts := []string{"kubectl ", "-n " + route.Namespace}
	for _, object := range route.Objects() {
		_, name, _ := strings.Cut(object, "/")
		parts = append(parts, name)
	}
	for _, part := range parts {
		if !strings.Contains(undo, part) {
			t.Errorf("%q lacks %q", undo, part)
		}
	}
	if undo == f.Router.Undo(route, f.Idle) {
		t.Errorf("%q is the line for either colour", undo)
	}
}
