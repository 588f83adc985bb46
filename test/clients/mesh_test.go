package clients_test

import (
	"strings"
	"testing"
	"time"

	routepb "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/bluegreen-dev/kubectl-bluegreen/test/clients"
)

// lostInAMove is what a gRPC client of a mesh ends a call with which it has given
// to a side that it does not know yet.
const lostInAMove = "unknown cluster selected for RPC"

// hold is how long a split stays: several calls of every client.
const hold = 50 * time.Millisecond

// A client without a proxy loses calls to a side that its control plane has not
// told it of before (docs/routers.md): until it is seen, traffic is moved to and
// fro. Where a rule leads to each side all the time, if only for calls with a
// header that nobody sends, far more moves lose none.
func TestMovesOfAMesh(t *testing.T) {
	const moves = 400
	needed := 0
	lost := movesUntil(t, nil, func(counts clients.Counts, moved int) bool {
		needed = moved
		return counts.Failed > 0 || moved >= moves
	})
	if lost.Failed == 0 {
		t.Errorf("%d calls and %d moves lost nothing without the rules: what docs/routers.md says of this client is no longer so", lost.Requests, needed)
	}
	for _, failure := range lost.Failures {
		if !strings.Contains(failure.Detail, lostInAMove) {
			t.Errorf("without the rules: %+v", failure)
		}
	}
	t.Logf("without the rules %d of %d calls were lost in %d moves", lost.Failed, lost.Requests, needed)

	kept := movesUntil(t, []*routepb.Route{byHeader(blueSide), byHeader(greenSide)}, func(_ clients.Counts, moved int) bool {
		return moved >= max(40, min(10*needed, moves))
	})
	t.Logf("with them %d of %d", kept.Failed, kept.Requests)
	if kept.Failed != 0 {
		t.Errorf("with the rules %d of %d calls were lost, the first: %+v", kept.Failed, kept.Requests, kept.Failures[0])
	}
	if kept.ByVersion["v1"] == 0 || kept.ByVersion["v2"] == 0 {
		t.Errorf("with the rules the answers are by %v, want both versions", kept.ByVersion)
	}
}

// movesUntil moves calls between two sides, at once and by the half, and counts
// what becomes of them until it has seen enough. The second side has no server
// before its first move.
func movesUntil(t *testing.T, before []*routepb.Route, enough func(counts clients.Counts, moved int) bool) clients.Counts {
	t.Helper()
	_, blue := newCallServer(t, "v1")
	_, green := newCallServer(t, "v2")
	plane := newControlPlane(t, map[string][]string{blueSide: {blue}})
	plane.shares(100, 0, before...)
	run := start(t, clients.Options{URL: plane.url(), Rate: 4000, KeepAlive: 12, Fresh: 1, Strict: true})
	awaitCalls(t, run, 100)
	plane.serves(greenSide, green)
	time.Sleep(hold)
	splits := [][2]uint32{{50, 50}, {0, 100}, {50, 50}, {100, 0}, {0, 100}, {100, 0}}
	moved := 0
	for ; !enough(run.Counts(), moved); moved++ {
		plane.shares(splits[moved%len(splits)][0], splits[moved%len(splits)][1], before...)
		time.Sleep(hold)
	}
	return run.Stop()
}

// awaitCalls waits for so many calls.
func awaitCalls(t *testing.T, run *clients.Run, calls int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); run.Counts().Requests < calls; time.Sleep(hold) {
		if time.Now().After(deadline) {
			t.Fatalf("%d calls in 20 s: %+v", run.Counts().Requests, run.Counts().Failures)
		}
	}
}
