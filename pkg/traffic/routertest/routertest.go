// Package routertest holds every traffic.Router to the same behaviour: what
// one driver promises about races, stale runs and the edits of others, all
// do. A driver's test makes a fresh route, hands over the few ways in which
// it can be disturbed, and calls Run. The same suite runs against a fake and
// against a real cluster.
package routertest

import (
	"context"
	"errors"
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
	// CheckEdit fails the test if that change is gone, or if anything else
	// that was never the Router's has changed.
	CheckEdit func(t *testing.T)
	// Stamp puts a fence on the route.
	Stamp func(t *testing.T, fence cluster.Fence)
	// Break makes the route select no colour clearly.
	Break func(t *testing.T)
	// Delete removes the route.
	Delete func(t *testing.T)
	// Forbid takes away the right to write it.
	Forbid func(t *testing.T)
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
		"forbidden":            testForbidden,
		"unknown colour":       testUnknownColor,
		"undo":                 testUndo,
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
	if _, err := f.Router.Read(context.Background()); !errors.Is(err, traffic.ErrNoColor) {
		t.Errorf("read: err = %v, want ErrNoColor", err)
	}
	if _, err := f.Router.Prove(context.Background(), traffic.Whole(f.Live)); !errors.Is(err, traffic.ErrNoColor) {
		t.Errorf("prove: err = %v, want ErrNoColor", err)
	}
	patch := plan(t, f.Router, route, traffic.Whole(f.Idle))
	if _, err := f.Router.Write(context.Background(), patch, false); !errors.Is(err, cluster.ErrFenced) {
		t.Errorf("write: err = %v, want ErrFenced", err)
	}
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
	_, name, _ := strings.Cut(route.Object, "/")
	undo := f.Router.Undo(f.Live)
	for _, part := range []string{"kubectl ", "-n " + route.Namespace, name, f.Live} {
		if !strings.Contains(undo, part) {
			t.Errorf("%q lacks %q", undo, part)
		}
	}
}
